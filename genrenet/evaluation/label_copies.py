"""Detect columns of a table whose values reveal a song's genre instead of describing its sound.

A copy of the label among the features makes any method perfect, whatever the column's name. These
columns are rejected, by rules on values only:

- columns that are constant within every genre and differ between genres: the label as a number, in
  any order or scale, one-hot, in bits, or a mean over the genre's songs (a few wrong rows do not
  change that);
- columns of few values each of which occurs in one genre only: sub-genres, artists, folders, hashes
  of them;
- columns that number the rows: tables are often sorted by genre.

A measured feature that separates all genres without error is kept, and reported.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

AGREEMENT = 0.99
"""Share of rows that must fit a rule."""
FEWEST = 10
"""Minimum number of rows (or repeated values) for the last two rules, to exclude chance."""
HASH = 2**31
"""Distinct integers beyond this are identifiers or hashes, not measurements."""


def label_copies(
    matrix: NDArray[np.float64],
    names: Sequence[str],
    genres: pd.Series,
    songs: pd.Series | None = None,
) -> dict[str, str]:
    """Find columns that identify the genre instead of describing the sound.

    Parameters
    ----------
    matrix : ndarray of float, shape (rows, columns)
        In the table's order; NaN for missing values.
    names : sequence of str
        Of the columns.
    genres : Series of str
        '' for unknown; these rows are ignored.
    songs : Series of str, optional
        The song of each row, where rows are segments.

    Returns
    -------
    dict of str to str
        Reason why a column is not a feature, by its name.
    """
    labels = pd.factorize(genres)[0]
    known = (genres != "").to_numpy()
    first = np.ones(len(labels), bool) if songs is None else ~songs.duplicated().to_numpy()
    # Copies of one recording have all values in common, which is no evidence about a column.
    apart = ~pd.DataFrame(matrix).duplicated().to_numpy()
    found = {}
    for column, name in zip(matrix.T, names, strict=True):
        good = known & np.isfinite(column)
        values = column[good]
        distinct = len(np.unique(values))
        if distinct < 2:
            continue
        single = good & first & apart
        # Measured features have too many values for the first rule: most need no counting.
        few = distinct <= len(np.unique(labels)) + (1 - AGREEMENT) * len(values)
        if few and function_of_label(values, labels[good]):
            found[name] = "it has one value in each genre, so it is the genre in other words"
        elif _tells_label(column[single], labels[single]):
            found[name] = "each value is of one genre only, so it names genres, artists or folders"
        elif distinct == len(values) and _counts(values, labels[good]):
            found[name] = "it numbers the rows or names them"
    return found


def too_good(
    matrix: NDArray[np.float64], names: Sequence[str], genres: pd.Series
) -> dict[str, str]:
    """Find columns in which every one of at least three genres is separate from all others.

    Parameters and result are as for `label_copies`.
    """
    labels, known = pd.factorize(genres)[0], (genres != "").to_numpy()
    message = "it tells all genres apart by itself; was it made from them?"
    found = {}
    for column, name in zip(matrix.T, names, strict=True):
        good = known & np.isfinite(column)
        kinds = len(np.unique(labels[good]))
        if kinds > 2 and good.sum() >= FEWEST * kinds and _apart(column[good], labels[good]):
            found[name] = message
    return found


def _apart(values: NDArray[np.float64], labels: NDArray[np.int64]) -> bool:
    """Return whether the genres take disjoint ranges of values."""
    if len(values) > 4000 and not _apart(values[::1000], labels[::1000]):
        return False  # a sample of rows is enough for nearly all columns
    order = np.argsort(values, kind="stable")
    changes = np.diff(labels[order]) != 0
    rising = np.diff(values[order])[changes] > 0  # equal values would be of several genres
    return int(changes.sum()) + 1 == len(np.unique(labels)) and bool(rising.all())


def function_of_label(values: NDArray[np.float64], labels: NDArray[np.int64]) -> bool:
    """Return whether nearly all rows have their genre's most frequent value, and these differ."""
    table = pd.DataFrame({"label": labels, "value": values}).value_counts().reset_index()
    best = table.drop_duplicates("label")  # the most frequent come first
    sizes = table.groupby("label")["count"].sum()
    if best["value"].nunique() < 2 or sizes.max() < 2:
        return False
    shares = best.set_index("label")["count"] / sizes
    return bool(best["count"].sum() >= AGREEMENT * len(values) and shares.min() >= 0.5)


def _tells_label(values: NDArray[np.float64], labels: NDArray[np.int64]) -> bool:
    """Return whether values that occur several times occur in one genre only."""
    n, distinct = len(values), len(np.unique(values))
    if n - distinct < FEWEST or n < 3 * distinct:
        return False
    table = pd.DataFrame({"value": values, "label": labels}).value_counts().reset_index()
    return bool(table.drop_duplicates("value")["count"].sum() >= AGREEMENT * n)


def _counts(values: NDArray[np.float64], labels: NDArray[np.int64]) -> bool:
    """Return whether distinct integers number the rows, in order or shuffled, or are hashes."""
    n = len(values)
    if n < FEWEST or not (values == np.rint(values)).all():
        return False
    steps = np.diff(values)
    dense = values.max() - values.min() == n - 1
    ordered = (steps > 0).all() or (steps < 0).all()
    # With gaps, and in a table that was shuffled later, they still follow the genres.
    by_genre = n >= 2 * FEWEST and _apart(values, labels)
    return bool(dense or ordered or by_genre or np.median(np.abs(values)) > HASH)
