"""The hierarchy of commonly used genre names.

The table is part of this package: names of ID3v1, of Discogs' styles (https://www.discogs.com) and
of MusicBrainz' genres (https://musicbrainz.org/genres), each with its parents, of which there may
be several, and with its synonyms.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Literal

from genrenet.data.catalog.genre_names import spelling_key

Relation = Literal["same", "below", "above", "other"]

_AND = re.compile(r"\s*(?:&|\+|\band\b|(?<=\s)'?n'?(?=\s)|'n'|\u2019n\u2019)\s*", re.IGNORECASE)


def tree_key(name: str) -> str:
    """Return a key for the spellings of a genre; "and" and its signs are ignored.

    Examples
    --------
    >>> tree_key("Drum & Bass") == tree_key("drum n bass") == tree_key("Drum'n'Bass")
    True
    """
    return re.sub(r"[.'\u2019!]", "", spelling_key(_AND.sub(" and ", name)))


def is_known(name: str) -> bool:
    """Return whether a genre is in the table.

    Examples
    --------
    >>> is_known("Synthpop"), is_known("My own")
    (True, False)
    """
    return tree_key(name) in _table()[0]


def above(name: str) -> frozenset[str]:
    """Return the keys of a genre and of all its ancestors; see `tree_key`.

    Examples
    --------
    >>> sorted(above("Death Metal"))
    ['deathmetal', 'metal', 'rock']
    """
    names, parents = _table()
    key = names.get(tree_key(name), tree_key(name))
    found, left = set[str](), [key]
    while left:
        found.add(one := left.pop())
        left += parents.get(one, frozenset()) - found
    return frozenset(found)


def relation(name: str, genres: Iterable[str]) -> Relation:
    """Return the relation of a genre to the closest of some others.

    Parameters
    ----------
    name : str
    genres : iterable of str

    Returns
    -------
    {"same", "below", "above", "other"}
        Position of the name relative to the others.

    Examples
    --------
    >>> relation("Indie Rock", ["rock"]), relation("Heavy Metal", ["metal"])
    ('below', 'same')
    >>> relation("Rock", ["metal"]), relation("Jazz", ["rock", "pop"])
    ('above', 'other')
    """
    names, _ = _table()
    key = names.get(tree_key(name), tree_key(name))
    others = [(names.get(tree_key(genre), tree_key(genre)), above(genre)) for genre in genres]
    if any(key == other for other, _ in others):
        return "same"
    if any(other in above(name) for other, _ in others):
        return "below"
    return "above" if any(key in higher for _, higher in others) else "other"


@cache
def _table() -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """Return the table: the key of each name and synonym, and the keys of its parents."""
    text = (resources.files("genrenet.data.catalog") / "genre_tree.csv").read_text("utf-8")
    names, parents = dict[str, str](), dict[str, frozenset[str]]()
    rows = list(csv.DictReader(text.splitlines()))
    for row in rows:
        key = tree_key(row["name"])
        names[key] = key
        parents[key] = frozenset(map(tree_key, filter(None, row["under"].split(";"))))
    for row in rows:
        for other in filter(None, row["also"].split(";")):
            names.setdefault(tree_key(other), tree_key(row["name"]))
    return names, parents
