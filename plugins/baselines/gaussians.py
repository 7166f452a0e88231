"""Distances between songs as Gaussians: of all pairs, or of the nearest neighbours.

Rows are as in `genrenet_plugins.baselines.gaussian_rows`. The distance of two songs is
``KL(p||q) + KL(q||p)``, in nats; `genrenet_plugins.baselines.gaussian_table` describes its
computation by matrix products.

Sources
-------
Gaussians of MFCCs: M. Mandel, D. Ellis, "Song-level features and support vector machines for music
classification", ISMIR 2005. For genres: M. Haggblade, Y. Hong, K. Kao, "Music genre
classification", Stanford CS229 2011. The index: J. Johnson, M. Douze, H. Jegou, "Billion-scale
similarity search with GPUs", IEEE Transactions on Big Data 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genrenet.utils.extras import import_extra

from ..shared import (
    Floats,
    InputError,
    Integers,
    check_at_least,
    check_choice,
    check_enough,
)
from .gaussian_rows import join_rows, split_rows
from .gaussian_table import (
    BLOCK,
    TOLERANCE,
    GaussianTable,
    blocks,
    distances_of_block,
    distances_of_pairs,
    kl_between,
)

__all__ = ["GaussianTable", "join_rows", "nearest", "split_rows", "symmetric_kl"]

SPARE = 8


def symmetric_kl(
    X: ArrayLike, Y: ArrayLike | None = None, *, diagonal: bool = False, block: int = BLOCK
) -> Floats:
    """Return symmetrised Kullback-Leibler distances of all pairs of songs.

    Parameters
    ----------
    X : array_like of float, shape (songs, d + d * d)
    Y : array_like of float, shape (others, d + d * d), optional
        ``X`` itself by default.
    diagonal : bool
        Assume independent features: only variances are used.
    block : int > 0
        Number of songs on either side of one product. Besides the result, memory holds two products
        and two vectors of 2 d + d (d + 1) + 2 numbers per song.

    Returns
    -------
    ndarray of float64, shape (songs, others)
        In nats, at least 0. Without ``Y`` symmetric, with exact zeros on the diagonal.

    Raises
    ------
    InputError
        See `split_rows`.

    Examples
    --------
    >>> symmetric_kl([[0.0, 1.0], [1.0, 1.0], [0.0, 2.0]]).round(2)
    array([[0.  , 1.  , 0.25],
           [1.  , 0.  , 1.  ],
           [0.25, 1.  , 0.  ]])
    """
    p = GaussianTable.of(X, diagonal=diagonal)
    return kl_between(p, p if Y is None else GaussianTable.of(Y, like=p), block)


def nearest(
    X: ArrayLike | GaussianTable,
    Y: ArrayLike | GaussianTable,
    k: int,
    *,
    diagonal: bool = False,
    block: int = BLOCK,
    index: Literal["blocked", "faiss"] = "blocked",
) -> tuple[Floats, Integers]:
    """Return the ``k`` songs of ``Y`` that are nearest to each song of ``X``.

    Parameters
    ----------
    X : array_like of float, shape (songs, d + d * d), or GaussianTable
    Y : array_like of float, shape (others, d + d * d), or GaussianTable
    k : int in [1, others]
    diagonal : bool
        As in `symmetric_kl`; a `GaussianTable` overrides it.
    block : int > 0
        Number of songs on either side of one product: the full distance matrix is never stored.
    index : {"blocked", "faiss"}
        Search method: products in NumPy, or an exact inner product index of faiss (extra
        ``faiss``). The latter works in single precision: it proposes 4 k + 32 songs, whose
        distances are then computed in double precision.

    Returns
    -------
    distances : ndarray of float64, shape (songs, k)
        The nearest first.
    neighbours : ndarray of int, shape (songs, k)
        Rows of ``Y``; of equal distances the first row comes first.

    Raises
    ------
    InputError
        See `split_rows`; a ``k`` that is too large; or faiss is not installed.

    Examples
    --------
    >>> nearest([[0.2, 1.0]], [[5.0, 1.0], [0.0, 1.0], [1.0, 1.0]], 2)[1]
    array([[1, 2]])
    """
    check_choice("index", index, ("blocked", "faiss"))
    check_at_least("block", block)
    check_at_least("k", k)
    q = Y if isinstance(Y, GaussianTable) else GaussianTable.of(Y, diagonal=diagonal)
    p = X if isinstance(X, GaussianTable) else GaussianTable.of(X, like=q)
    check_enough("k", k, len(q))
    propose = _faiss_proposals if index == "faiss" else _blocked_proposals
    distances, neighbours = np.empty((len(p), k)), np.empty((len(p), k), np.intp)
    for rows, few in propose(p, q, k, block):
        i = np.repeat(np.arange(rows.start, rows.stop), few.shape[1])
        exact = distances_of_pairs(p, i, q, few.ravel()).reshape(few.shape)
        order = np.lexsort((few, exact), axis=-1)[:, :k]
        distances[rows] = _taken(exact, order)
        neighbours[rows] = _taken(few, order)
    return distances, neighbours


def _blocked_proposals(
    p: GaussianTable, q: GaussianTable, k: int, block: int
) -> Iterator[tuple[slice, Integers]]:
    """Yield for each block of songs slightly more neighbours than requested, in no order."""
    n = min(k + SPARE, len(q))
    rights = [(part, q.right(part)) for part in blocks(len(q), block)]
    for rows in blocks(len(p), block):
        left = p.left(rows)
        best, few = np.empty((len(left[0]), 0)), np.empty((len(left[0]), 0), np.intp)
        for columns, right in rights:
            found = distances_of_block(p, rows, q, columns, (left, right))
            near = _least(found, n)
            best = np.hstack([best, _taken(found, near)])
            few = np.hstack([few, near + columns.start])
            near = _least(best, n)
            best, few = _taken(best, near), _taken(few, near)
        # A distance above the k-th by more than rounding errors cannot be among the first k.
        order = np.argsort(best, axis=1)
        best, few = _taken(best, order), _taken(few, order)
        limit = best[:, k - 1 : k] + 4 * TOLERANCE * np.maximum(best[:, k - 1 : k], 1.0)
        yield rows, few[:, : int((best <= limit).sum(axis=1).max())]


def _taken(values: NDArray[Any], places: Integers) -> NDArray[Any]:
    return np.take_along_axis(values, places, axis=1)


def _least(values: Floats, n: int) -> Integers:
    if n >= values.shape[1]:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(values, n - 1, axis=1)[:, :n]


def _faiss_proposals(
    p: GaussianTable, q: GaussianTable, k: int, block: int
) -> Iterator[tuple[slice, Integers]]:
    """Like `_blocked_proposals`, from an exact index of inner products."""
    faiss = import_faiss()
    n = min(4 * k + 32, len(q))
    right = q.right(slice(0, len(q)))[0]
    index = faiss.IndexFlatIP(right.shape[1])
    index.add(np.ascontiguousarray(-right, np.float32))
    for rows in blocks(len(p), block):
        left = p.left(rows)[0]
        left[:, -2] = 0  # the same for all neighbours, and often large
        yield rows, index.search(np.ascontiguousarray(left, np.float32), n)[1].astype(np.intp)


def import_faiss() -> Any:
    """Import the package faiss.

    Raises
    ------
    InputError
        It is not installed.
    """
    return import_extra("faiss", "index = 'faiss'", error=InputError)
