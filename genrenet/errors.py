"""What every error of the package has in common: what was found, what was wanted, what to do.

The program shows a `GenrenetError` as one line and goes on where it can; anything else is a bug and
keeps its traceback. Each room defines its own errors by deriving from this class.
"""

from __future__ import annotations

import os


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
        super().__init__("; ".join(part for part in (message, remedy) if part))


def printable(path: str | os.PathLike[str]) -> str:
    r"""A path as text that any terminal, table or JSON file can hold.

    Bytes of a file name that are not UTF-8 (which Python carries as lone surrogates) are written as
    ``\xNN``; everything else, non-ASCII letters included, stays as it is.

    Examples
    --------
    >>> printable("Veränderung.mp3")
    'Veränderung.mp3'
    >>> printable("caf\udce9.mp3")
    'caf\\xe9.mp3'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
