"""Common parts of several methods: checks of rows and settings, and votes of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from genrenet.utils.errors import GenrenetError

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Learnt = tuple[Floats, NDArray[Any], Integers]

TIE_BREAK = 1e-9


class InputError(GenrenetError, ValueError):
    """Rows or settings that a method cannot use."""


def check_choice(setting: str, value: object, choices: Sequence[object]) -> None:
    """Check a setting with a few valid values.

    Raises
    ------
    InputError
        Any other value.
    """
    if value not in choices:
        raise InputError(setting, found=repr(value), wanted=" or ".join(map(repr, choices)))


def check_at_least(setting: str, value: int, least: int = 1) -> None:
    """Check a number.

    Raises
    ------
    InputError
        It is too small, or not an integer.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(setting, found=repr(value), wanted=f"a whole number of at least {least}")


def check_enough(setting: str, wanted: int, songs: int) -> None:
    """Check that there are enough songs for training.

    Raises
    ------
    InputError
        Fewer than needed; both numbers are in the message.
    """
    if wanted > songs:
        raise InputError(
            f"{setting} = {wanted} needs as many songs to learn from",
            found=f"n_samples = {songs}",
            wanted=f"at least {wanted}",
            remedy=f"give more songs, or a smaller {setting}",
        )


def training_rows(estimator: BaseEstimator, X: ArrayLike, y: ArrayLike) -> Learnt:
    """Check the training data of an estimator, and store the number of columns in it.

    Parameters
    ----------
    estimator : BaseEstimator
    X : array_like of float, shape (songs, features)
        Finite.
    y : array_like, shape (songs,)
        Labels.

    Returns
    -------
    rows : ndarray of float64, shape (songs, features)
    classes : ndarray, shape (labels,)
        The different labels, sorted.
    codes : ndarray of int, shape (songs,)
        Each song's label as an index in ``classes``.

    Raises
    ------
    ValueError
        From scikit-learn: invalid rows or labels.
    """
    rows, labels = validate_data(estimator, X, y, dtype=np.float64)
    check_classification_targets(labels)
    classes, codes = np.unique(labels, return_inverse=True)
    return np.asarray(rows), classes, codes.astype(np.intp)


def song_rows(estimator: BaseEstimator, X: ArrayLike) -> Floats:
    """Check rows for prediction by an estimator, which must be fitted.

    Raises
    ------
    ValueError
        From scikit-learn: not fitted, or rows that do not fit the training data.
    """
    check_is_fitted(estimator)
    return np.asarray(validate_data(estimator, X, dtype=np.float64, reset=False))


class Scorer(ClassifierMixin, BaseEstimator):
    """A classifier whose largest score is its prediction: it has ``predict_proba``."""

    classes_: NDArray[Any]

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the label of each song, of shape (songs,)."""
        places = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[places]
        return labels


def vote(distances: Floats, codes: Integers, labels: int, weights: str = "votes") -> Floats:
    """Return the scores of songs from the labels of their neighbours.

    Parameters
    ----------
    distances : ndarray of float, shape (songs, k)
        At least 0; the nearest first.
    codes : ndarray of int, shape (songs, k)
        The neighbours' labels, in [0, labels).
    labels : int > 0
    weights : {"votes", "distance"}
        Uniform votes, or votes weighted by 1 / distance; if neighbours are at distance 0, only
        these count.

    Returns
    -------
    ndarray of float64, shape (songs, labels)
        Rows sum to one. A tie goes to the label with the nearest neighbour, by a difference of at
        most 1e-9, so that the largest score of a row is always the prediction.
    """
    n, k = codes.shape
    if weights == "distance":
        # Relative to the nearest: neither very small nor very large distances overflow.
        nearest = distances[:, :1]
        same = distances == 0
        share = np.divide(nearest, distances, out=np.zeros_like(distances), where=~same)
        counts = np.where(nearest == 0, same, share)
    else:
        counts = np.ones((n, k))
    scores, first = np.zeros((n, labels)), np.full((n, labels), k)
    rows = np.arange(n)
    for rank in range(k - 1, -1, -1):
        scores[rows, codes[:, rank]] += counts[:, rank]
        first[rows, codes[:, rank]] = rank
    scores /= scores.sum(axis=1, keepdims=True)
    scores += TIE_BREAK * (k - first) / k
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))
