"""Messages for the user, wrapped to the width of the terminal."""

from __future__ import annotations

import shutil
import textwrap
from typing import TextIO

NARROWEST = 40
"""Minimum number of columns for wrapping."""


def columns() -> int:
    """Return the width of the terminal in columns; ``COLUMNS`` overrides it, 80 by default."""
    return max(NARROWEST, shutil.get_terminal_size().columns)


def folded(text: str, width: int) -> str:
    """Return text wrapped to a width; longer words are not split.

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
    """Print a message: wrapped at blanks on a terminal, and unchanged elsewhere.

    Parameters
    ----------
    text : str
        Without control characters; see `genrenet.utils.errors.visible`.
    stream : text file
    """
    print(folded(text, columns()) if stream.isatty() else text, file=stream, flush=True)
