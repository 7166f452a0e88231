"""Tables of features whose songs have several genres each, in the column ``genres``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrenet.data.catalog import Problem
from genrenet.data.catalog.several_genres import all_names, joined, multi_hot, names_in, strata
from genrenet.data.splits import artist_groups, song_names
from genrenet.evaluation.label_copies import function_of_label

LEAST = 2
"""Minimum number of songs of a genre; rarer ones are left out, as in collections of files."""


def several_names(frame: pd.DataFrame, multi_label: bool | None) -> list[str] | None:
    """Return the genres of each row, as one cell; None if each row has one genre.

    Parameters
    ----------
    frame : DataFrame
        With its column names in lower case.
    multi_label : bool, optional
        See `genrenet.data.catalog.read_catalog`.
    """
    one = next((name for name in ("genre", "label", "class") if name in frame), None)
    if multi_label is None:
        if one is not None or "genres" not in frame:
            return None
        cells = list(map(names_in, frame["genres"].astype(object)))
        return list(map(joined, cells)) if any(len(names) > 1 for names in cells) else None
    column = "genres" if "genres" in frame else one
    if not multi_label or column is None:
        return None
    return [joined(names_in(cell)) for cell in frame[column].astype(object)]


def balanced(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the stratum of each row as its ``genre``; '' if it has no genres."""
    names = list(map(names_in, table["genres"]))
    named = [row for row, mine in enumerate(names) if mine]
    groups = artist_groups(table["artist"], song_names(table))
    genre = np.full(len(table), "", dtype=object)
    genre[named] = strata([names[row] for row in named], [groups[row] for row in named])
    return table.assign(genre=genre)


def without_rare(table: pd.DataFrame, kept: NDArray[np.bool_]) -> tuple[list[str], list[Problem]]:
    """Return the cells of the column ``genres`` without genres of fewer than `LEAST` songs.

    Parameters
    ----------
    table : DataFrame
    kept : ndarray of bool, shape (rows,)
        Rows that are used.
    """
    names = list(map(names_in, table["genres"]))
    songs = {
        (song, name)
        for song, mine, used in zip(song_names(table), names, kept, strict=True)
        if used
        for name in mine
    }
    counts = Counter(name for _, name in songs)
    rare = {name for name, n in counts.items() if n < LEAST}
    problems = [
        Problem(
            "",
            "too-few-songs",
            f"genre {name!r} is left out: songs: {counts[name]}, wanted at least {LEAST}",
        )
        for name in sorted(rare)
    ]
    return [joined(name for name in mine if name not in rare) for mine in names], problems


def genre_copies(
    matrix: NDArray[np.float64], names: Sequence[str], cells: pd.Series
) -> dict[str, str]:
    """Find columns that reveal whether songs have a genre, such as a column for each genre.

    Parameters
    ----------
    matrix : ndarray of float, shape (rows, columns)
    names : sequence of str
        Of the columns.
    cells : Series of str
        The column ``genres``.

    Returns
    -------
    dict of str to str
        Reason why a column is not a feature, by its name.
    """
    labels = all_names(cells)
    target, known = multi_hot(cells, labels), (cells != "").to_numpy()
    found = {}
    for column, name in zip(matrix.T, names, strict=True):
        good = known & np.isfinite(column)
        # A copy has two values, and possibly a few errors.
        if len(np.unique(column[good])) > 2 + 0.01 * good.sum():
            continue
        for label, has in zip(labels, target.T, strict=True):
            if has[good].any() and function_of_label(column[good], has[good].astype(np.int64)):
                found[name] = f"it says whether a song is {label!r}"
                break
    return found
