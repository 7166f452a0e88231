"""Songs with several genres each: cells with several names, targets as vectors, strata.

A collection is multi-label if its table has the column ``genres``: the names of each song's genres,
between semicolons ("rock; blues"), in the order given. The column ``genre`` then holds one name,
the song's stratum: splits and folds are stratified by it, and it is not a training target.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from genrenet.data.catalog.base import clean
from genrenet.data.catalog.genre_names import cell_values

STRATUM = 10
"""Minimum number of artists (songs, where the artist is unknown) of a stratum: enough for ten folds
with one each."""


def names_in(value: object) -> tuple[str, ...]:
    """Return the different names in a table's cell: between semicolons, or in a list.

    Examples
    --------
    >>> names_in("rock; blues;rock"), names_in(["Jazz", "Soul; Funk"]), names_in(None)
    (('rock', 'blues'), ('Jazz', 'Soul', 'Funk'), ())
    """
    parts = (clean(part) for text in cell_values(value) for part in text.split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))


def joined(names: Iterable[str]) -> str:
    """Return names as one cell.

    Examples
    --------
    >>> joined(["rock", "blues"])
    'rock; blues'
    """
    return "; ".join(names)


def all_names(cells: Iterable[str]) -> list[str]:
    """Return the different names in the cells of a column, sorted."""
    return sorted({name for cell in cells for name in names_in(cell)})


def multi_hot(cells: Iterable[str], labels: Sequence[str]) -> NDArray[np.bool_]:
    """Return which labels each cell names.

    Parameters
    ----------
    cells : iterable of str
        Of the column ``genres``; names that are not labels are ignored.
    labels : sequence of str

    Returns
    -------
    ndarray of bool, shape (songs, labels)

    Examples
    --------
    >>> multi_hot(["rock; blues", "jazz"], ["blues", "jazz", "rock"]).astype(int).tolist()
    [[1, 0, 1], [0, 1, 0]]
    """
    place = {label: column for column, label in enumerate(labels)}
    rows = [[place[name] for name in names_in(cell) if name in place] for cell in cells]
    target = np.zeros((len(rows), len(labels)), dtype=bool)
    for row, columns in zip(target, rows, strict=True):
        row[columns] = True
    return target


def strata(names: Sequence[Sequence[str]], groups: Sequence[Hashable]) -> list[str]:
    """Return one genre for each song, to stratify splits by.

    It is the rarest of the song's genres whose stratum has songs by `STRATUM` artists. Songs
    without such a genre join the largest stratum.

    Parameters
    ----------
    names : sequence of sequence of str, shape (songs, *)
        Each song's genres, at least one.
    groups : sequence, shape (songs,)
        Group of each song: songs of one artist share it.

    Returns
    -------
    list of str

    Examples
    --------
    >>> names = [["rock"]] * 10 + [["rock", "blues"]] * 10 + [["rock", "folk"]] * 9
    >>> sorted(Counter(strata(names, range(29))).items())
    [('blues', 10), ('rock', 19)]
    """
    artists = _artists(names, groups)
    # The last is the next candidate.
    left = [sorted(mine, key=lambda name: (-len(artists[name]), name)) for mine in names]
    while True:
        sizes = {
            name: len(found) for name, found in _artists([m[-1:] for m in left], groups).items()
        }
        small = [name for name, size in sizes.items() if size < STRATUM]
        if not small or len(sizes) == 1:
            break
        given_up = min(small, key=lambda name: (sizes[name], name))
        for mine in left:
            if mine[-1:] == [given_up]:
                mine.pop()
    counts = Counter(mine[-1] for mine in left if mine)
    largest = min(counts, key=lambda name: (-counts[name], name)) if counts else ""
    return [mine[-1] if mine else largest for mine in left]


def note_of(names: Sequence[Sequence[str]], balanced: Sequence[str]) -> str:
    """Return the note for a collection whose songs have several genres each."""
    mean = sum(map(len, names)) / max(1, len(names))
    several = sum(len(mine) > 1 for mine in names)
    return (
        f"multi-label: {several} of {len(names)} songs have several genres, {mean:.1f} on average; "
        f"splits are balanced by each song's rarest genre with enough artists: "
        f"{', '.join(sorted(set(balanced)))}"
    )


def _artists(
    names: Sequence[Sequence[str]], groups: Sequence[Hashable]
) -> dict[str, set[Hashable]]:
    """Return the groups that each genre occurs in."""
    found: defaultdict[str, set[Hashable]] = defaultdict(set)
    for mine, group in zip(names, groups, strict=True):
        for name in mine:
            found[name].add(group)
    return found
