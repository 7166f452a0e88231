"""Choose score thresholds for songs with several genres, on validation songs.

Source
------
Y. Yang, "A study of thresholding strategies for text categorization", SIGIR 2001: for each label,
the threshold that is best on songs outside the training set (SCut).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

USUAL = 0.5
"""The threshold where there is no data to choose one."""


def choose_thresholds(target: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Return the threshold of each label that gives the best F1.

    Parameters
    ----------
    target : array_like of bool, shape (songs, labels)
        Which labels each song has.
    scores : array_like of float, shape (songs, labels)
        In [0, 1], of a model that was not trained on these songs.

    Returns
    -------
    ndarray of float64, shape (labels,)
        Minimum score of each label to be named. It lies halfway between the scores that it
        separates. A label that no song has gets the threshold that is best for all labels together
        (micro F1), or `USUAL` if no song has any label.

    Examples
    --------
    >>> choose_thresholds([[1, 0], [0, 0], [1, 0]], [[0.8, 0.1], [0.2, 0.3], [0.6, 0.2]]).tolist()
    [0.4, 0.4]
    """
    truth, table = np.asarray(target, bool), np.asarray(scores, np.float64)
    known = np.asarray(truth.any(axis=0))
    rest = _best(truth[:, known].ravel(), table[:, known].ravel())
    found = [
        _best(has, score) if any_ else rest
        for has, score, any_ in zip(truth.T, table.T, known, strict=True)
    ]
    return np.array(found)


def _best(has: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return where F1 = 2 tp / (named + positives) is highest; of equal ones the highest."""
    if not has.any():
        return USUAL
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    # Equal scores share a threshold.
    ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
    f1 = 2 * np.cumsum(has[order])[ends] / (ends + 1 + has.sum())
    place = int(f1.argmax())
    last = float(ranked[ends[place]])
    following = float(ranked[ends[place] + 1]) if place + 1 < len(ends) else last
    return (last + following) / 2
