"""Average precision and ROC-AUC of scores for each label, also of weighted samples.

Sources
-------
Average precision: as scikit-learn's `average_precision_score`, with its treatment of equal scores.
ROC-AUC: J. Hanley, B. McNeil, "The meaning and use of the area under a receiver operating
characteristic (ROC) curve", Radiology 143, 1982.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

AT_ONCE = 4_000_000
"""Maximum number of values in a block of weighted samples, to bound memory."""


def rankings(
    target: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Return average precision and ROC-AUC of each label.

    Parameters
    ----------
    target : array_like of bool, shape (songs, labels)
    scores : array_like of float, shape (songs, labels)
    weights : array_like of float, shape (draws, songs), optional
        How often each draw contains each song; once by default.

    Returns
    -------
    average_precision, roc_auc : ndarray of float64, shape (draws, labels)
        NaN where all or none of a draw's songs have a label. Without weights the shape is
        (labels,).

    Examples
    --------
    >>> precision, auc = rankings([[1], [0], [1]], [[0.9], [0.6], [0.4]])
    >>> [round(float(value), 3) for value in (*precision, *auc)]
    [0.833, 0.5]
    """
    truth, table = np.asarray(target, bool), np.asarray(scores, np.float64)
    drawn = np.ones((1, len(truth))) if weights is None else np.asarray(weights, np.float64)
    precision, auc = np.full((2, len(drawn), truth.shape[1]), np.nan)
    for label in range(truth.shape[1]):
        order = np.argsort(-table[:, label], kind="stable")
        ranked, has = table[order, label], truth[order, label]
        if not has.any() or has.all():
            continue
        # Songs with equal scores form one step.
        ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
        step = max(1, AT_ONCE // len(order))
        for first in range(0, len(drawn), step):
            some = slice(first, first + step)
            mine = drawn[some][:, order]
            met = np.cumsum(mine, axis=1)[:, ends]
            right = np.cumsum(mine * has, axis=1)[:, ends]
            gained, wrong = np.diff(right, prepend=0.0), met - right
            positives, negatives = right[:, -1], wrong[:, -1]
            with np.errstate(invalid="ignore", divide="ignore"):
                found = (gained * (right / np.maximum(met, 1e-300))).sum(axis=1) / positives
                below = negatives[:, None] - wrong + 0.5 * np.diff(wrong, prepend=0.0)
                area = (gained * below).sum(axis=1) / (positives * negatives)
            told = (positives > 0) & (negatives > 0)
            precision[some, label] = np.where(told, found, np.nan)
            auc[some, label] = np.where(told, area, np.nan)
    return (precision[0], auc[0]) if weights is None else (precision, auc)
