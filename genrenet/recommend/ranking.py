"""The best items of each user, a block of users at a time.

What a user has is never recommended, and neither is an item whose score is zero, below it or not
finite: the method knows nothing that speaks for it. So there may be fewer items than asked for. Of
items with equal scores the one that comes first in the history is first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from genrenet.library.similarity import top as best
from genrenet.recommend.errors import RecommendError

CELLS = 1 << 24  # of users times items that are scored at once: 64 MB


class Block(NamedTuple):
    """Recommendations of some users.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        The users, as rows of the histories that were given.
    items : ndarray of int64, shape (n, top)
        Columns, the best first; -1 where there is no more.
    scores : ndarray of float32, shape (n, top)
        Theirs, above zero; NaN where there is no item.
    sources : list of str
        What the scores of each user rest on; empty where the method does not say.
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
    """Recommend to users, a block of them at a time.

    Parameters
    ----------
    estimator : object
        Fitted; see `genrenet.recommend.base`.
    histories : csr_matrix of float32, shape (users, items)
    top : int > 0
        Items a user, at most.
    rows : ndarray of int64, shape (n,), optional
        The users to recommend to; all of them by default.

    Raises
    ------
    RecommendError
        The estimator's scores are of another shape than it was asked for.
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
