"""Rank the best items of each user, in blocks of users.

Items in a user's history are never recommended, nor are items with a score that is zero, negative
or not finite: the method has no evidence for them. So there may be fewer items than requested. Of
items with equal scores, the first in the history comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from genrenet.library.similarity import top as best
from genrenet.recommend.errors import RecommendError

CELLS = 1 << 24  # users times items that are scored at once: 64 MB


class Block(NamedTuple):
    """Recommendations of some users.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        The users, as rows of the given histories.
    items : ndarray of int64, shape (n, top)
        Columns, the best first; -1 where there are no more.
    scores : ndarray of float32, shape (n, top)
        Scores of the items, above zero; NaN where there is no item.
    sources : list of str
        Basis of the scores of each user; empty if the method does not report it.
    """

    rows: NDArray[np.int64]
    items: NDArray[np.int64]
    scores: NDArray[np.float32]
    sources: list[str]


def recommend(
    estimator: Any,
    histories: sparse.csr_matrix,
    top: int,
    *,
    rows: NDArray[np.int64] | None = None,
) -> Iterator[Block]:
    """Recommend items to users, in blocks.

    Parameters
    ----------
    estimator : object
        Fitted; see `genrenet.recommend.base`.
    histories : csr_matrix of float32, shape (users, items)
    top : int > 0
        Maximum number of items per user.
    rows : ndarray of int64, shape (n,), optional
        Users that get recommendations; all by default.

    Raises
    ------
    RecommendError
        The estimator's scores have a wrong shape.
    """
    wanted = np.arange(histories.shape[0]) if rows is None else rows
    items = histories.shape[1]
    size = max(1, CELLS // max(1, items))
    for first in range(0, len(wanted), size):
        part = wanted[first : first + size]
        some = histories[part]
        scores = np.asarray(estimator.score(some), np.float32)
        if scores.shape != some.shape:
            raise RecommendError(
                f"{type(estimator).__name__} gave scores of another shape",
                found=str(scores.shape),
                wanted=str(some.shape),
            )
        sources = estimator.sources(some) if hasattr(estimator, "sources") else []
        yield Block(part, *_best(scores, some, top), sources)


def _best(
    scores: NDArray[np.float32], owned: sparse.csr_matrix, top: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    with np.errstate(invalid="ignore"):
        usable = np.where(np.isfinite(scores) & (scores > 0), scores, -np.inf).astype(np.float32)
    usable[owned.nonzero()] = -np.inf
    count = min(top, usable.shape[1])
    found = np.full((len(usable), top), -1, np.int64)
    held = np.full((len(usable), top), np.nan, np.float32)
    columns = best(usable, count)
    values = np.take_along_axis(usable, columns, axis=1)
    there = values > 0
    found[:, :count] = np.where(there, columns, -1)
    held[:, :count] = np.where(there, values, np.nan)
    return found, held
