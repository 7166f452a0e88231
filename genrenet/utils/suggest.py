"""Suggest known names that are similar to a user's input."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from genrenet.utils.errors import printable

FEW = 200_000  # maximum number of names to compare with: difflib takes seconds beyond


def nearest(name: str, known: Iterable[str], n: int = 2) -> list[str]:
    """Return known names similar to a name, ignoring case.

    Parameters
    ----------
    name : str
    known : iterable of str
    n : int > 0
        Maximum number of names.

    Returns
    -------
    list of str
        The most similar first; none if too many names are known to compare them all.

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
    """Return a question with names similar to the input; empty if there are none.

    Examples
    --------
    >>> did_you_mean("jaz", ["jazz", "jazz fusion", "blues"])
    "did you mean 'jazz'?"
    """
    near = " or ".join(f"'{printable(hit)}'" for hit in nearest(name, known, n))
    return f"did you mean {near}?" if near else ""
