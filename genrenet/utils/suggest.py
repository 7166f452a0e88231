"""Names that are nearly what a user wrote."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from genrenet.utils.errors import printable

FEW = 200_000  # names among which near ones are looked for: difflib takes seconds beyond


def nearest(name: str, known: Iterable[str], n: int = 2) -> list[str]:
    """Return known names that are nearly a name, whatever their case.

    Parameters
    ----------
    name : str
    known : iterable of str
    n : int > 0
        How many there may be.

    Returns
    -------
    list of str
        The nearest first; none where too many names are known to look at them all.

    Examples
    --------
    >>> nearest("JAZ", ["jazz", "Blues"])
    ['jazz']
    """
    folded = {text.casefold(): text for text in known}
    if len(folded) > FEW:
        return []
    return [folded[hit] for hit in get_close_matches(name.casefold(), folded, n=n)]


def did_you_mean(name: str, known: Iterable[str], n: int = 2) -> str:
    """Return a question after names that are nearly what was given; empty where there are none.

    Examples
    --------
    >>> did_you_mean("jaz", ["jazz", "jazz fusion", "blues"])
    "did you mean 'jazz'?"
    """
    near = " or ".join(f"'{printable(hit)}'" for hit in nearest(name, known, n))
    return f"did you mean {near}?" if near else ""
