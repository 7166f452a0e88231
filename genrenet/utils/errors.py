"""The base class of all errors of the package: what was found, what was wanted, what to do.

The program shows a `GenrenetError` as one line and continues if it can; any other exception is a
bug and keeps its traceback. Each package defines its own errors by deriving from this class.
"""

from __future__ import annotations

import os
import re

# C0 and C1 with delete, line separators, and characters that override or isolate a direction.
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]")


class GenrenetError(Exception):
    """An error a user can act on.

    Parameters
    ----------
    what : str
        What went wrong, naming the file or setting concerned.
    found : str, optional
        What was found.
    wanted : str, optional
        What was wanted instead.
    remedy : str, optional
        What the user can do about it.

    Examples
    --------
    >>> str(GenrenetError("no songs in 'x'", found="2 text files", wanted="audio", remedy="try y"))
    "no songs in 'x': found 2 text files, wanted audio; try y"
    """

    def __init__(self, what: str, *, found: str = "", wanted: str = "", remedy: str = "") -> None:
        self.what, self.found, self.wanted, self.remedy = what, found, wanted, remedy
        middle = ", ".join(
            f"{verb} {text}" for verb, text in (("found", found), ("wanted", wanted)) if text
        )
        message = ": ".join(part for part in (what, middle) if part)
        super().__init__(visible("; ".join(part for part in (message, remedy) if part)))


def visible(text: str, kept: str = "\n") -> str:
    r"""Return text that is safe for a terminal: control characters are written as ``\xNN``.

    Escape sequences move the cursor, change titles and hide earlier output; direction marks make a
    name look like another. Each byte of their UTF-8 is written out.

    Parameters
    ----------
    text : str
    kept : str
        Control characters that are kept.

    Examples
    --------
    >>> print(visible("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return _CONTROL.sub(
        lambda hit: hit[0] if hit[0] in kept else "".join(f"\\x{b:02x}" for b in hit[0].encode()),
        text,
    )


def printable(path: str | os.PathLike[str]) -> str:
    r"""Return a path as text that is valid in any terminal, table or JSON file, on one line.

    Bytes of a file name that are not UTF-8 (which Python represents by lone surrogates) and those
    of control characters (see `visible`) are written as ``\xNN``; everything else, including
    non-ASCII letters, is unchanged. `genrenet.library.table.file_of` finds the file again.

    Examples
    --------
    >>> printable("Veränderung.mp3")
    'Veränderung.mp3'
    >>> printable("caf\udce9.mp3")
    'caf\\xe9.mp3'
    """
    return visible(os.fsencode(path).decode("utf-8", "backslashreplace"), kept="")
