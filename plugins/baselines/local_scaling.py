"""Local scaling of distances, to reduce hubs.

Distances in many dimensions have hubs: songs that are among the nearest neighbours of very many
others, of every genre, and songs that are nobody's neighbours. Dividing a distance by the geometric
mean of both songs' mean distances to their own neighbours largely removes this effect.

Source
------
D. Schnitzer, A. Flexer, M. Schedl, G. Widmer, "Local and global scaling reduce hubs in space",
Journal of Machine Learning Research 13, 2012: the non-iterative contextual dissimilarity measure
(NICDM).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..shared import Floats, Integers
from .gaussian_filter import GaussianFilter, refined
from .gaussian_table import GaussianTable, blocks, distances_of_block

LEAST = 1e-12
"""Lower limit of reaches, for copies of one song."""


SPARE = 3
"""Factor of the number of candidates of a filter relative to the number of neighbours."""


def reaches(songs: GaussianTable, n: int, block: int, sample: Integers | None = None) -> Floats:
    """Mean distance of each song to its nearest others.

    Parameters
    ----------
    songs : GaussianTable
    n : int > 0
        Number of others; all if there are fewer.
    block : int > 0
        Number of songs on either side of one product.
    sample : ndarray of int, shape (some,), optional
        Search only these rows: the distances are then larger, for all songs alike.

    Returns
    -------
    ndarray of float64, shape (songs,)
        Positive.
    """
    found = np.empty(len(songs))
    among = np.arange(len(songs)) if sample is None else np.sort(sample)
    others = songs if sample is None else songs.take(among)
    for rows, distances in _rows_of_distances(songs, others, block):
        first, last = np.searchsorted(among, [rows.start, rows.stop])
        themselves = np.arange(first, last)
        distances[among[themselves] - rows.start, themselves] = np.inf
        found[rows] = _mean_of_least(distances, min(n, len(songs) - 1, len(others)))
    return found


def filtered_reaches(graph: GaussianFilter, songs: GaussianTable, n: int) -> Floats:
    """Like `reaches`, among the candidates of a filter."""
    found, n = np.empty(len(songs)), min(n, len(songs) - 1)
    for rows, distances, few in refined(graph, songs, songs, min(SPARE * n + 1, len(songs))):
        distances[few == np.arange(rows.start, rows.stop)[:, None]] = np.inf
        found[rows] = _mean_of_least(distances, n)
    return found


def filtered_nearest(
    graph: GaussianFilter,
    queries: GaussianTable,
    songs: GaussianTable,
    k: int,
    candidates: int,
    reach: Floats | None = None,
    n: int = 0,
) -> tuple[Floats, Integers]:
    """Like `nearest_by_scaled` among the candidates of a filter; unscaled without ``reach``."""
    nearest, neighbours = np.empty((len(queries), k)), np.empty((len(queries), k), np.intp)
    count = min(max(candidates, SPARE * max(k, n)), len(songs))
    for rows, distances, few in refined(graph, queries, songs, count):
        if reach is not None:
            own = _mean_of_least(distances, min(n, len(songs)))
            distances /= np.sqrt(own[:, None] * reach[few])
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        nearest[rows] = np.take_along_axis(distances, order, axis=1)
        neighbours[rows] = np.take_along_axis(few, order, axis=1)
    return nearest, neighbours


def nearest_by_scaled(
    queries: GaussianTable, songs: GaussianTable, reach: Floats, k: int, n: int, block: int
) -> tuple[Floats, Integers]:
    """Return the ``k`` songs that are nearest to each query by the scaled distance.

    Parameters
    ----------
    queries, songs : GaussianTable
    reach : ndarray of float64, shape (songs,)
        `reaches` of the songs.
    k : int in [1, songs]
    n : int > 0
        As in `reaches`; a query's reach is the mean distance to its ``n`` nearest songs.
    block : int > 0
        Number of queries at once: memory holds this many rows of distances to all songs.

    Returns
    -------
    distances : ndarray of float64, shape (queries, k)
        Scaled, the nearest first.
    neighbours : ndarray of int, shape (queries, k)
        Of equal distances the first row comes first.
    """
    scaled, neighbours = np.empty((len(queries), k)), np.empty((len(queries), k), np.intp)
    for rows, distances in _rows_of_distances(queries, songs, block):
        own = _mean_of_least(distances, min(n, len(songs)))
        distances /= np.sqrt(own[:, None] * reach)
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        scaled[rows] = np.take_along_axis(distances, order, axis=1)
        neighbours[rows] = order
    return scaled, neighbours


def _rows_of_distances(
    p: GaussianTable, q: GaussianTable, block: int
) -> Iterator[tuple[slice, Floats]]:
    """Yield the distances of a block of songs to all others, block by block."""
    rights = [(part, q.right(part)) for part in blocks(len(q), block)]
    for rows in blocks(len(p), block):
        left = p.left(rows)
        found = np.empty((len(left[0]), len(q)))
        for columns, right in rights:
            found[:, columns] = distances_of_block(p, rows, q, columns, (left, right))
        yield rows, found


def _mean_of_least(distances: Floats, n: int) -> Floats:
    """Return the mean of the ``n`` smallest finite numbers of each row; one if there are none."""
    if n < 1:
        return np.ones(len(distances))
    least = np.partition(distances, n - 1, axis=1)[:, :n]
    finite = np.isfinite(least)
    sums = np.where(finite, least, 0.0).sum(axis=1)
    means = np.divide(sums, finite.sum(axis=1), out=np.ones_like(sums), where=finite.any(axis=1))
    return np.asarray(np.maximum(means, LEAST))
