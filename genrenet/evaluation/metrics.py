"""Metrics of scores: accuracy with its interval, F1, top-k, calibration, the confusion matrix.

Conventions
-----------
``target`` holds the index of each song's true label; -1 marks a song without a prediction, which is
left out everywhere. ``scores`` has one row per song and one column per label; the largest entry of
a row is the prediction (the first of equals). Rows may be songs or frames. Confusion matrices are
counted here, not by scikit-learn: its functions need individual predictions, while for frames,
folds and seeds only summed counts are available.

Sources
-------
Interval: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
Journal of the American Statistical Association 22, 1927. Calibration: C. Guo, G. Pleiss, Y. Sun,
K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genrenet.plugins.manager import contributions
from genrenet.utils.errors import GenrenetError

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class MetricError(GenrenetError):
    """Targets and scores that do not fit together, or a setting out of range."""


@dataclass(frozen=True)
class Metric:
    """A metric of the predictions for songs; plugins may add some.

    Parameters
    ----------
    name : str
        Its key in results, such as "macro_f1".
    title : str
        Its heading in reports.
    summary : str
        Description in one line.
    compute : callable
        Function of targets (n,), each in [0, labels), and scores (n, labels), n >= 1, that returns
        a finite number, or None if it is undefined, as with too few labels.
    """

    name: str
    title: str
    summary: str
    compute: Callable[[Integers, Floats], float | None]

    def __call__(self, target: Integers, scores: Floats) -> float | None:
        """Return the figure; None, with a warning, if a plugin's function fails."""
        try:
            value = self.compute(target, scores)
            if value is None or np.isfinite(value):
                return None if value is None else float(value)
            error = f"found {value}, wanted a finite number"
        except Exception as raised:  # a third-party function may raise anything
            error = repr(raised)
        warnings.warn(f"the metric '{self.name}' is left out: {error}", stacklevel=2)
        return None


def song_metrics() -> dict[str, Metric]:
    """Return all metrics by name: the package's own and those of plugins."""
    return {name: entry.item for name, entry in contributions("register_metrics").items()}


def validate(target: ArrayLike, scores: ArrayLike) -> tuple[Integers, Floats]:
    """Check targets and scores, and leave out the songs without a prediction.

    Parameters
    ----------
    target : array_like of int, shape (n,)
        In [-1, labels).
    scores : array_like of float, shape (n, labels)
        Finite.

    Returns
    -------
    target : ndarray of int64, shape (m,), m >= 1
        In [0, labels).
    scores : ndarray of float64, shape (m, labels)

    Raises
    ------
    MetricError
        Shapes or values that do not fit, or no song left.
    """
    rows, table = np.asarray(target), np.asarray(scores, dtype=np.float64)
    if rows.ndim != 1 or table.ndim != 2 or len(rows) != len(table):
        raise MetricError(
            "targets and scores do not fit",
            found=f"shapes {rows.shape} and {table.shape}",
            wanted="(n,) and (n, labels)",
        )
    if not np.issubdtype(rows.dtype, np.integer) or not np.isfinite(table).all():
        raise MetricError(
            "targets and scores must be numbers",
            found=f"targets of type {rows.dtype}, {int((~np.isfinite(table)).sum())} bad scores",
            wanted="integers and finite scores",
        )
    if len(rows) and not -1 <= rows.min() <= rows.max() < table.shape[1]:
        raise MetricError(
            "targets out of range",
            found=f"{rows.min()} to {rows.max()}",
            wanted=f"0 to {table.shape[1] - 1}, or -1 for a song that was not decided",
        )
    known = rows >= 0
    if not known.any():
        raise MetricError("nothing to measure", found=f"{len(rows)} songs, none of them decided")
    return rows[known].astype(np.int64), table[known]


def accuracy(target: ArrayLike, scores: ArrayLike) -> float:
    """Return the share of correct predictions, in [0, 1]."""
    truth, table = validate(target, scores)
    return float((table.argmax(axis=1) == truth).mean())


def top_k_accuracy(target: ArrayLike, scores: ArrayLike, k: int = 2) -> float:
    """Return the share of songs whose true label is among the ``k`` >= 1 highest scores
    (first of equals).
    """
    truth, table = validate(target, scores)
    if k < 1:
        raise MetricError("top-k", found=f"k = {k}", wanted="k at least 1")
    best = np.argsort(-table, axis=1, kind="stable")[:, :k]
    return float((best == truth[:, None]).any(axis=1).mean())


def wilson_interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson interval of a share of correct predictions.

    Parameters
    ----------
    correct, n : int >= 0
        Number of correct predictions, and of all.
    confidence : float in (0, 1)
        Confidence level of the interval.

    Returns
    -------
    lower, upper : float in [0, 1]
        (0, 1) if ``n`` is 0.

    Notes
    -----
    Wilson (1927). Unlike the normal approximation it keeps its coverage for small ``n`` and for
    shares near 0 and 1. It assumes independent songs; frames of one song are not independent.

    Examples
    --------
    >>> [round(end, 3) for end in wilson_interval(8, 10)]
    [0.49, 0.943]
    """
    if not 0 <= correct <= n or not 0 < confidence < 1:
        raise MetricError(
            "Wilson interval",
            found=f"{correct} of {n} at {confidence:g}",
            wanted="0 <= correct <= n and a confidence between 0 and 1",
        )
    if not n:
        return 0.0, 1.0
    from scipy.stats import binomtest

    low, high = binomtest(correct, n).proportion_ci(confidence, method="wilson")
    return float(low), float(high)


def confusion_matrix(target: ArrayLike, scores: ArrayLike) -> Integers:
    """Return the counts, shape (labels, labels): rows are true labels, columns predicted ones."""
    truth, table = validate(target, scores)
    n = table.shape[1]
    cells = np.bincount(truth * n + table.argmax(axis=1), minlength=n * n)
    return cells.reshape(n, n).astype(np.int64)


def per_class(confusion: ArrayLike) -> dict[str, NDArray[Any]]:
    """Return precision, recall, F1 and support of every label.

    Parameters
    ----------
    confusion : array_like of int, shape (labels, labels)
        As returned by `confusion_matrix`.

    Returns
    -------
    dict of ndarray, each of shape (labels,)
        ``precision``, ``recall``, ``f1`` (0 where undefined), ``support`` (true songs) and
        ``predicted`` (songs given the label).
    """
    table = np.asarray(confusion)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise MetricError("confusion matrix", found=f"shape {table.shape}", wanted="a square")
    right, support, predicted = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return {
        "precision": right / np.maximum(predicted, 1),
        "recall": right / np.maximum(support, 1),
        "f1": 2 * right / np.maximum(support + predicted, 1),
        "support": support,
        "predicted": predicted,
    }


def macro_f1(confusion: ArrayLike) -> float:
    """Mean F1 over the labels that occur, as truth or as prediction (as scikit-learn has it)."""
    table = per_class(confusion)
    occurs = (table["support"] + table["predicted"]) > 0
    return float(table["f1"][occurs].mean()) if occurs.any() else 0.0


def majority_share(confusion: ArrayLike) -> float:
    """Return the accuracy of always predicting the most frequent true label, the baseline for any
    accuracy.
    """
    support = per_class(confusion)["support"]
    return float(support.max() / max(1, support.sum()))


def calibration_error(target: ArrayLike, scores: ArrayLike, bins: int = 10) -> float:
    """Return the expected calibration error: the mean absolute gap of confidence and accuracy.

    Parameters
    ----------
    target : array_like of int, shape (n,)
    scores : array_like of float, shape (n, labels)
        Rows that sum to one.
    bins : int > 0
        Number of equal-width bins of confidence.

    Returns
    -------
    float in [0, 1]
        0 if 70 % of the songs predicted with a confidence of 0.7 are correct, and so on.
    """
    truth, table = validate(target, scores)
    if bins < 1:
        raise MetricError("calibration", found=f"{bins} bins", wanted="at least 1")
    confidence, right = table.max(axis=1), table.argmax(axis=1) == truth
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def class_table(confusion: ArrayLike, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return `per_class` as plain values, a dictionary per label, with the 95 % interval of the
    recall.
    """
    table = per_class(confusion)
    if len(labels) != len(table["support"]):
        raise MetricError("labels", found=str(len(labels)), wanted=str(len(table["support"])))
    right = np.diag(np.asarray(confusion))
    return [
        {
            "label": label,
            **{name: float(table[name][i]) for name in ("precision", "recall", "f1")},
            # Rounded, as counts of songs are fractional for several seeds.
            "recall_ci95": list(wilson_interval(round(right[i]), round(table["support"][i]))),
            **{name: round(table[name][i]) for name in ("support", "predicted")},
        }
        for i, label in enumerate(labels)
    ]


def evaluate(
    target: ArrayLike,
    scores: ArrayLike,
    labels: Sequence[str],
    frame_confusion: ArrayLike | None = None,
) -> dict[str, Any]:
    """Return all metrics of this module, as plain values for JSON.

    Parameters
    ----------
    target : array_like of int, shape (n,)
    scores : array_like of float, shape (n, labels)
        Of songs.
    labels : sequence of str
    frame_confusion : array_like of int, shape (labels, labels), optional
        `confusion_matrix` of the frames, for methods that have them.

    Returns
    -------
    dict
        ``labels``, ``n_songs``, ``song_accuracy``, ``song_ci95`` [lower, upper], ``song_<name>``
        of each of `song_metrics` (``song_macro_f1``, ``song_calibration_error``, with three labels
        or more ``song_top2``, and those of plugins), ``majority_share``; with frames ``n_frames``,
        ``frame_accuracy``, ``frame_ci95`` and ``frame_macro_f1``; then ``per_class`` (a dictionary
        per label), ``confusion_songs`` and ``confusion_frames``.
    """
    truth, table = validate(target, scores)
    confusion = confusion_matrix(truth, table)
    measured = {f"song_{name}": metric(truth, table) for name, metric in song_metrics().items()}
    measured = {name: value for name, value in measured.items() if value is not None}
    results: dict[str, Any] = {"labels": list(labels), **measured, **_counted("song", confusion)}
    results["majority_share"] = majority_share(confusion)
    matrices = {"confusion_songs": confusion.tolist()}
    if frame_confusion is not None:
        counts = np.asarray(frame_confusion).astype(np.int64)
        results |= {**_counted("frame", counts), "frame_macro_f1": macro_f1(counts)}
        matrices["confusion_frames"] = counts.tolist()
    return {**results, "per_class": class_table(confusion, labels), **matrices}


def _counted(unit: str, confusion: Integers) -> dict[str, Any]:
    right, n = int(np.trace(confusion)), int(confusion.sum())
    return {
        f"n_{unit}s": n,
        f"{unit}_accuracy": right / max(1, n),
        f"{unit}_ci95": list(wilson_interval(right, n)),
    }
