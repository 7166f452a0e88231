"""Metrics of recommendations: precision, recall, NDCG, coverage and novelty.

Conventions
-----------
``items`` has a row per user with the columns of the recommended items, the best first, and -1 where
there are no more. ``held`` is a CSR matrix, a row per user and a column per item, with an entry for
each held-out item; every user has at least one. Recommendations beyond ``k`` do not count.
Functions for individual users return a value for each, so that means, intervals and paired
comparisons can be computed from them.

Definitions
-----------
With ``hits`` the number of a user's held-out items among the first ``k``:

- precision: hits / k, even where fewer than k were recommended;
- recall: hits / all held-out items of the user, *not* the smaller of these and k, so that a user
  with more than k held-out items cannot reach 1;
- NDCG: the sum of 1 / log2(1 + place) over hits, over what the best order would reach, which has
  min(k, held-out items) hits on top (K. Järvelin, J. Kekäläinen, ACM TOIS 20, 2002; hits count 1);
- coverage: the share of all items that are recommended to any user (M. Ge et al., RecSys 2010);
- novelty: the mean self-information of the recommended items, -log2(users with the item / users),
  in bits (T. Zhou et al., PNAS 107, 2010); an item without users counts as if it had one.

Intervals: bootstrap over users (B. Efron, 1979); for the coverage, which a bootstrap would
underestimate as it draws fewer different users, the jackknife (B. Efron, C. Stein, 1981).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from genrenet.evaluation.metrics import MetricError

Floats = NDArray[np.float64]
RESAMPLES = 2000
CELLS = 1 << 22  # users times resamples that are drawn at once


def validate(
    items: ArrayLike, held: sparse.csr_matrix, k: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Check recommendations, and find the hits among the first ``k``.

    Returns
    -------
    items : ndarray of int64, shape (users, k)
    hits : ndarray of bool, shape (users, k)

    Raises
    ------
    MetricError
        Shapes or values that do not fit, or a user without a held-out item.
    """
    table = np.asarray(items)
    if k < 1 or table.ndim != 2 or table.shape[1] < k or table.shape[0] != held.shape[0]:
        raise MetricError(
            "recommendations and held-out items do not fit",
            found=f"shapes {table.shape} and {held.shape} at k = {k}",
            wanted="as many rows, and k columns or more",
        )
    if not len(table) or (np.diff(held.indptr) == 0).any():
        raise MetricError("nothing to measure", found="a user without a held-out item, or no user")
    if table.min() < -1 or table.max() >= held.shape[1]:
        raise MetricError(
            "items out of range",
            found=f"{table.min()} to {table.max()}",
            wanted=f"-1 to {held.shape[1] - 1}",
        )
    first = table[:, :k].astype(np.int64)
    # The positions of all entries in one sorted list.
    width = held.shape[1]
    rows = np.repeat(np.arange(held.shape[0]), np.diff(held.indptr))
    wanted = np.sort(rows * width + held.indices)
    asked = np.arange(len(first))[:, None] * width + np.maximum(first, 0)
    hits = np.isin(asked, wanted) & (first >= 0)
    return first, hits


def precision(items: ArrayLike, held: sparse.csr_matrix, k: int) -> Floats:
    """Return hits over ``k``, of shape (users,), in [0, 1]."""
    _, hits = validate(items, held, k)
    return np.asarray(hits.sum(axis=1) / k, np.float64)


def recall(items: ArrayLike, held: sparse.csr_matrix, k: int) -> Floats:
    """Return hits over held-out items, of shape (users,), in [0, 1]."""
    _, hits = validate(items, held, k)
    return np.asarray(hits.sum(axis=1) / np.diff(held.indptr), np.float64)


def ndcg(items: ArrayLike, held: sparse.csr_matrix, k: int) -> Floats:
    """Return the normalised discounted cumulative gain, of shape (users,), in [0, 1].

    Examples
    --------
    >>> held = sparse.csr_matrix([[0, 1, 1, 0]])
    >>> ndcg([[1, 2]], held, 2).tolist()
    [1.0]
    """
    _, hits = validate(items, held, k)
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(gains)[np.minimum(np.diff(held.indptr), k) - 1]
    found: Floats = hits @ gains / ideal
    return found


def novelty(items: ArrayLike, users: ArrayLike, total: int, k: int) -> Floats:
    """Return the mean self-information of each user's recommendations.

    Parameters
    ----------
    items : array_like of int, shape (users, m >= k)
    users : array_like of int, shape (items,)
        Number of users with each item in training.
    total : int > 0
        Number of users.
    k : int > 0

    Returns
    -------
    ndarray of float64, shape (users,)
        Bits; NaN for a user without recommendations.
    """
    first = np.asarray(items)[:, :k]
    bits = -np.log2(np.maximum(np.asarray(users), 1) / max(1, total))
    there = first >= 0
    sums = np.where(there, bits[np.maximum(first, 0)], 0).sum(axis=1)
    count = there.sum(axis=1)
    found: Floats = np.divide(sums, count, out=np.full(len(first), np.nan), where=count > 0)
    return found


def coverage(items: ArrayLike, total: int, k: int) -> tuple[float, Floats]:
    """Return the share of all items that are recommended to any user.

    Parameters
    ----------
    items : array_like of int, shape (users, m >= k)
    total : int > 0
        Number of items.
    k : int > 0

    Returns
    -------
    share : float in [0, 1]
    without : ndarray of float64, shape (users,)
        Its value without each of the users, for `jackknife_interval`.
    """
    first = np.asarray(items)[:, :k]
    named = np.bincount(first[first >= 0], minlength=total)
    alone = ((named == 1)[np.maximum(first, 0)] & (first >= 0)).sum(axis=1)
    share = float((named > 0).sum() / total)
    return share, share - alone / total


def jackknife_interval(value: float, without: ArrayLike) -> list[float]:
    """Return the 95 % interval of a figure from its values without each user, inside [0, 1]."""
    left = np.asarray(without, np.float64)
    n = len(left)
    half = 1.96 * float(np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum()))
    return [max(0.0, value - half), min(1.0, value + half)]


def bootstrap_means(values: ArrayLike, seed: int = 0, resamples: int = RESAMPLES) -> Floats:
    """Return the means of several figures over bootstrap samples of the users.

    Parameters
    ----------
    values : array_like of float, shape (users, figures)
        NaN for a user without a value: left out of the mean.
    seed : int
        Equal seeds draw equal samples for equal numbers of users, so that draws of two models are
        paired.
    resamples : int > 0

    Returns
    -------
    ndarray of float64, shape (resamples, figures)
    """
    table = np.asarray(values, np.float64)
    there = np.isfinite(table)
    sums, ones = np.where(there, table, 0), there.astype(np.float64)
    rng = np.random.default_rng(seed)
    n = len(table)
    found = np.empty((resamples, table.shape[1]))
    size = max(1, CELLS // n)
    for first in range(0, resamples, size):
        count = min(size, resamples - first)
        # Only the number of times that each user is drawn matters, not the order.
        times = rng.multinomial(n, np.full(n, 1 / n), count).astype(np.float64)
        drawn = times @ ones
        found[first : first + count] = times @ sums / np.where(drawn > 0, drawn, 1)
    return found


def interval(draws: ArrayLike) -> list[float]:
    """Return the 95 % interval from draws of shape (resamples,)."""
    low, high = np.quantile(np.asarray(draws, np.float64), [0.025, 0.975])
    return [float(low), float(high)]


def evaluate(
    items: ArrayLike, held: sparse.csr_matrix, training: sparse.csr_matrix, ks: tuple[int, ...]
) -> dict[str, Floats]:
    """Return all figures for individual users, by name and ``k``.

    Parameters
    ----------
    items : array_like of int, shape (users, m)
        m at least the largest of ``ks``.
    held : csr_matrix, shape (users, items)
    training : csr_matrix, shape (all users, items)
        Training data of the recommender.
    ks : tuple of int
        Numbers of recommendations to evaluate, each > 0.

    Returns
    -------
    dict of str to ndarray of float64, shape (users,)
        ``precision@k``, ``recall@k``, ``ndcg@k`` and ``novelty@k`` for each k.
    """
    users = np.bincount(training.indices, minlength=training.shape[1])
    found: dict[str, Floats] = {}
    for k in ks:
        found[f"precision@{k}"] = precision(items, held, k)
        found[f"recall@{k}"] = recall(items, held, k)
        found[f"ndcg@{k}"] = ndcg(items, held, k)
        found[f"novelty@{k}"] = novelty(items, users, training.shape[0], k)
    return found
