"""Lines for people, folded to the width of the terminal they are read on."""

from __future__ import annotations

import shutil
import textwrap
from typing import TextIO

NARROWEST = 40
"""Columns that text is folded to at least."""


def columns() -> int:
    """Return the width of the terminal; ``COLUMNS`` says otherwise, and 80 where there is none."""
    return max(NARROWEST, shutil.get_terminal_size().columns)


def folded(text: str, width: int) -> str:
    """Return text in lines of a width; words longer than that stay whole.

    Examples
    --------
    >>> print(folded("three songs and more", 12))
    three songs
      and more
    """
    return "\n".join(
        textwrap.fill(
            line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        if len(line) > width
        else line
        for line in text.splitlines() or [""]
    )


def tell(text: str, stream: TextIO) -> None:
    """Print a message: folded at blanks on a terminal, and as it is elsewhere.

    Parameters
    ----------
    text : str
        Without control characters; see `genrenet.utils.errors.visible`.
    stream : text file
    """
    print(folded(text, columns()) if stream.isatty() else text, file=stream, flush=True)
