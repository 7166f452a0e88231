"""Baselines for songs with several genres each: how any method is trained on them.

Three ways, which a `genrenet.baselines.Baseline` chooses by its ``multi_label``:

``each``
    One binary classifier for each genre against all others (binary relevance), by scikit-learn's
    `OneVsRestClassifier`.
``sets``
    One classifier whose classes are the sets of genres of songs; a genre's score is the sum of
    those of the sets that contain it. For methods whose scores are votes of songs, such as nearest
    neighbours, this is the mean of the neighbours' genres.
``native``
    One classifier that supports several genres per song itself, as scikit-learn's trees and forests
    do.

Scores are one for each genre, from 0 to 1; they do not sum to one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.multiclass import OneVsRestClassifier

from genrenet.baselines.base import Baseline, BaselineError

Floats = NDArray[np.float64]
Targets = NDArray[np.bool_]

TRUSTED = ("genrenet.baselines.multi_label.SeveralGenres", "sklearn.multiclass._ConstantPredictor")
"""Types in files of fitted baselines with several genres, beyond the method's own."""


class SeveralGenres(BaseEstimator):
    """A method's estimator, adapted to several genres per song.

    Parameters
    ----------
    estimator : object
        A scikit-learn classifier with ``predict_proba``.
    labels : sequence of str
    way : {"each", "sets", "native"}
        See the top of this module.

    Attributes
    ----------
    classes_ : ndarray of str, shape (labels,)
    fitted_ : object
    sets_ : ndarray of bool, shape (sets, labels)
        The sets that occur in training; only for the way ``sets``.
    """

    def __init__(
        self, estimator: Any, labels: Sequence[str], way: Literal["each", "sets", "native"] = "each"
    ) -> None:
        self.estimator = estimator
        self.labels = labels
        self.way = way

    def fit(self, X: Floats, Y: Targets) -> SeveralGenres:
        """Fit to songs.

        Parameters
        ----------
        X : ndarray of float64, shape (songs, features)
        Y : ndarray of bool, shape (songs, labels)
        """
        self.classes_ = np.array(list(self.labels))
        if self.way == "each":
            self.fitted_ = OneVsRestClassifier(self.estimator).fit(X, Y.astype(int))
        elif self.way == "native":
            self.fitted_ = clone(self.estimator).fit(X, Y.astype(int))
        else:
            self.sets_, codes = np.unique(Y, axis=0, return_inverse=True)
            self.fitted_ = clone(self.estimator).fit(X, codes.ravel())
        return self

    def predict_proba(self, X: Floats) -> Floats:
        """Return the scores of songs, of shape (songs, labels), from 0 to 1."""
        found: Any = self.fitted_.predict_proba(X)
        if self.way == "sets":
            found = found @ self.sets_[self.fitted_.classes_]
        elif self.way == "native":
            pairs = zip(found, self.fitted_.classes_, strict=True)
            found = np.stack([scores[:, kinds == 1].sum(axis=1) for scores, kinds in pairs], axis=1)
        return np.clip(np.asarray(found, np.float64), 0.0, 1.0)


def way_of(
    method: Baseline, seed: int, fixed: Mapping[str, Any]
) -> Literal["each", "sets", "native"]:
    """Return how a method is trained on several genres.

    Raises
    ------
    BaselineError
        It does not support them.
    """
    if method.multi_label == "no" or not hasattr(method.make(seed, **fixed), "predict_proba"):
        raise BaselineError(
            f"the baseline '{method.name}' cannot be used for songs with several genres",
            found="no scores of genres, only decisions for one",
            wanted="a method with predict_proba",
            remedy="omit this model, or give each song one genre (a column genre)",
        )
    return method.multi_label
