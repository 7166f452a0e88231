"""Paired comparison of two models evaluated on the same songs.

Conventions
-----------
``first`` and ``second`` hold, for the same songs in the same order, each song's share of correct
predictions: 0 or 1, or a fraction for several seeds. A difference is the first's accuracy minus the
second's.

Sources
-------
Q. McNemar, "Note on the sampling error of the difference between correlated proportions",
Psychometrika 12, 1947 (exact: the binomial test on the songs that only one predicted correctly). S.
Holm, "A
simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
Permutation: R. A. Fisher, "The design of experiments", 1935. Bootstrap over groups: A. C. Davison,
D. V. Hinkley, "Bootstrap methods and their application", 1997, section 3.8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genrenet.evaluation.metrics import MetricError, wilson_interval

RESAMPLES = 10_000


def mcnemar(first: ArrayLike, second: ArrayLike) -> float:
    """Return the exact two-sided p-value of McNemar's test.

    Parameters
    ----------
    first, second : array_like of bool, shape (songs,)
        Which songs each model predicted correctly.

    Returns
    -------
    float in (0, 1]
        1 if both models are correct on the same songs.

    Examples
    --------
    >>> round(mcnemar([1] * 10, [0] * 9 + [1]), 4)
    0.0039
    """
    from scipy.stats import binomtest

    one, other = _paired(first, second)
    if set(np.unique([one, other])) - {0.0, 1.0}:
        raise MetricError("McNemar's test", found="shares of right decisions", wanted="0 or 1")
    only_first, only_second = int((one > other).sum()), int((other > one).sum())
    if not only_first + only_second:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[object] | None = None,
    *,
    times: ArrayLike | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """Return the difference of two accuracies, its 95 % interval, and its p-value.

    Parameters
    ----------
    first, second : array_like of float in [0, 1], shape (songs,)
    groups : sequence, length songs, optional
        Songs of one group (artist) are not independent: groups are drawn, not songs.
    times : array_like of int, shape (songs,), optional
        Number of predictions for each song; one by default.
    seed : int
        Seed of the bootstrap and of the permutation test.

    Returns
    -------
    dict
        ``difference``, ``lower`` and ``upper`` (bootstrap), ``p`` (two-sided; the permutation test
        that swaps the two models on whole groups, exact for up to 13 groups) and ``groups`` (their
        number).
    """
    one, other = _paired(first, second)
    weight = np.ones(len(one)) if times is None else np.asarray(times, np.float64)
    names = range(len(one)) if groups is None else groups
    place = {name: row for row, name in enumerate(dict.fromkeys(names))}
    rows = np.array([place[name] for name in names])
    gained = np.bincount(rows, weights=(one - other) * weight, minlength=len(place)).astype(float)
    songs = np.bincount(rows, weights=weight, minlength=len(place))
    rng = np.random.default_rng(seed)
    drawn = np.empty(RESAMPLES)
    for start in range(0, RESAMPLES, 500):  # bounds the memory for large collections
        picks = rng.integers(0, len(place), (500, len(place)))
        drawn[start : start + 500] = gained[picks].sum(axis=1) / songs[picks].sum(axis=1)
    lower, upper = np.quantile(drawn, [0.025, 0.975])
    return {
        "difference": float(gained.sum() / songs.sum()),
        "lower": float(lower),
        "upper": float(upper),
        "p": _swapped(gained, rng),
        "groups": len(place),
    }


def _swapped(gained: NDArray[np.float64], rng: np.random.Generator) -> float:
    """Return how often swapping the models on whole groups gives a difference at least as large,
    two-sided.
    """
    gained = gained[gained != 0]
    observed = abs(gained.sum()) - 1e-9
    if not len(gained):
        return 1.0
    if len(gained) <= 13:
        signs = 1 - 2 * ((np.arange(2 ** len(gained))[:, None] >> np.arange(len(gained))) & 1)
        return float((np.abs(signs @ gained) >= observed).mean())
    hits = 0
    for _ in range(RESAMPLES // 500):
        signs = rng.choice([-1.0, 1.0], (500, len(gained)))
        hits += int((np.abs(signs @ gained) >= observed).sum())
    return (hits + 1) / (RESAMPLES + 1)


def accuracy_interval(
    right: ArrayLike,
    groups: Sequence[object],
    *,
    times: ArrayLike | None = None,
    seed: int = 0,
) -> list[float]:
    """Return the 95 % interval of an accuracy if songs of one group are not independent.

    Parameters
    ----------
    right : array_like of float in [0, 1], shape (songs,)
    groups : sequence, length songs
    times : array_like of int, shape (songs,), optional
        Number of predictions for each song; one by default.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    list of float
        Lower and upper end of a bootstrap over groups, never narrower than Wilson's interval:
        resampling the same groups gives no information about other songs.
    """
    share = np.asarray(right, np.float64)
    found = paired_bootstrap(share, np.zeros_like(share), groups, times=times, seed=seed)
    n = len(share)
    low, high = wilson_interval(min(n, max(0, round(found["difference"] * n))), n)
    return [min(found["lower"], low), max(found["upper"], high)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for multiple comparisons, in the order given.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted: NDArray[np.float64] = np.empty(len(p_values))
    highest = 0.0
    for rank, row in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[row]))
        adjusted[row] = highest
    return [float(value) for value in adjusted]


def _paired(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != other.shape or one.ndim != 1 or not len(one):
        raise MetricError(
            "models cannot be compared",
            found=f"decisions of shapes {one.shape} and {other.shape}",
            wanted="decisions on the same songs, one at least",
        )
    return one, other
