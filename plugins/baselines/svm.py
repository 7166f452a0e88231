"""Support vector machines for several genres: one-vs-one, one-vs-rest, or as a DAG.

Sources
-------
DAG: J. Platt, N. Cristianini, J. Shawe-Taylor, "Large margin DAGs for multiclass classification",
NIPS 2000. Calibration: J. Platt, "Probabilistic outputs for support vector machines and comparisons
to regularized likelihood methods", Advances in Large Margin Classifiers 2000. The machines and
their calibration are scikit-learn's.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import check_random_state, compute_sample_weight

from ..shared import (
    Floats,
    InputError,
    Integers,
    check_choice,
    song_rows,
    training_rows,
)

UNSURE = "unsure"
STRATEGIES = ("one-vs-one", "one-vs-rest", "dag")
FOLDS = 5


class GenreSVM(ClassifierMixin, BaseEstimator):
    """Support vector machine on standardised features, with calibrated scores.

    Every feature is standardised to mean 0 and variance 1 over the training songs (also within the
    folds of the calibration): no other scaler is needed.

    Parameters
    ----------
    kernel : {"rbf", "linear", "poly"}
    C : float > 0
        Inverse strength of the regularisation.
    gamma : {"scale", "auto"} or float > 0
        Of "rbf" and "poly".
    degree : int >= 0
        Of "poly".
    strategy : {"one-vs-one", "one-vs-rest", "dag"}
        Strategy for more than two labels: the votes of a machine for each pair of labels; the
        largest margin of a machine for each label against all others; or a directed acyclic graph
        of the pairs' machines, where each node excludes the first or the last of the remaining
        labels. The latter has the machines of "one-vs-one", but each song only uses one less than
        there are labels.
    calibration : {"sigmoid", "none"}
        How margins become scores: by a sigmoid for each label, fitted on the held-out songs of five
        inner folds (fewer if a label has fewer songs), or by their softmax. If a label has only one
        song, the softmax is used, see ``calibrated_``.
    threshold : float in [0, 1], optional
        `predict` returns "unsure" if the largest score is smaller. 0.5 is a good value. Off by
        default. Scores are not changed.
    class_weight : mapping, "balanced" or None
        Factors of C by label; 1 for missing ones.
    random_state : int, RandomState or None
        Random numbers of the inner folds.

    Attributes
    ----------
    classes_ : ndarray, shape (labels,)
        Without "unsure".
    n_features_in_ : int
    machine_ : Pipeline
        The fitted scaler and machines; their labels are indices in ``classes_``.
    calibrated_ : bool

    Notes
    -----
    Scores and the strategy may disagree on the best label of a song, as calibration uses each
    label's margins separately. If they do, the scores of the two labels are exchanged: the largest
    score is always the strategy's decision.
    """

    def __init__(
        self,
        *,
        kernel: Literal["rbf", "linear", "poly"] = "rbf",
        C: float = 1.0,
        gamma: Literal["scale", "auto"] | float = "scale",
        degree: int = 3,
        strategy: Literal["one-vs-one", "one-vs-rest", "dag"] = "one-vs-one",
        calibration: Literal["sigmoid", "none"] = "sigmoid",
        threshold: float | None = None,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.degree = degree
        self.strategy = strategy
        self.calibration = calibration
        self.threshold = threshold
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> GenreSVM:
        """Fit to songs.

        Parameters
        ----------
        X : array_like of float, shape (songs, features)
        y : array_like, shape (songs,)
            Labels, at least two different ones.

        Raises
        ------
        InputError
            A setting out of range, only one label, or a label named "unsure".
        """
        self._check_settings()
        rows, self.classes_, codes = training_rows(self, X, y)
        counts = np.bincount(codes)
        if len(self.classes_) < 2:
            raise InputError(
                "a support vector machine needs at least two classes",
                found=f"one class, {self.classes_[0]!r}, n_samples = {len(rows)}",
            )
        if self.threshold is not None and UNSURE in self.classes_.astype(str):
            raise InputError(
                f"a label is called '{UNSURE}'", remedy="rename it, or set no threshold"
            )
        folds = min(FOLDS, int(counts.min()))
        self.calibrated_ = self.calibration == "sigmoid" and folds > 1
        self.machine_ = self._machine()
        if self.calibrated_:
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
            calibrator = CalibratedClassifierCV(self.machine_, cv=parts, ensemble=False)
            self.calibrator_ = calibrator.fit(rows, codes)
            self.machine_ = calibrator.calibrated_classifiers_[0].estimator
        else:
            self.machine_.fit(rows, codes)
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the scores of songs.

        Parameters
        ----------
        X : array_like of float, shape (songs, features)

        Returns
        -------
        ndarray of float64, shape (songs, labels)
            Rows sum to one; the largest is the prediction.
        """
        rows = song_rows(self, X)
        margins = np.asarray(self.machine_.decision_function(rows), np.float64)
        if self.calibrated_:
            scores = np.asarray(self.calibrator_.predict_proba(rows), np.float64)
        else:
            scores = softmax(np.stack([-margins, margins], 1) if margins.ndim == 1 else margins, 1)
        every = np.arange(len(rows))
        decided, best = self._decide(rows, margins), scores.argmax(axis=1)
        scores[every, best], scores[every, decided] = scores[every, decided], scores[every, best]
        # Of equal scores the first would be the prediction.
        tied = (scores[every, decided] == scores.max(axis=1)) & (scores.argmax(axis=1) != decided)
        scores[every[tied], decided[tied]] += 1e-9
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the label of each song, of shape (songs,), or "unsure" (in an array of
        objects).
        """
        scores = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[scores.argmax(axis=1)]
        if self.threshold is None:
            return labels
        return np.where(scores.max(axis=1) < self.threshold, UNSURE, labels.astype(object))

    def _check_settings(self) -> None:
        check_choice("kernel", self.kernel, ("rbf", "linear", "poly"))
        check_choice("strategy", self.strategy, STRATEGIES)
        check_choice("calibration", self.calibration, ("sigmoid", "none"))
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InputError("threshold", found=repr(self.threshold), wanted="0 to 1, or none")

    def _machine(self) -> Any:
        machine = SVC(
            kernel=self.kernel,
            C=self.C,
            gamma=self.gamma,
            degree=self.degree,
            class_weight=self._weights(),
        )
        rest = self.strategy == "one-vs-rest" and len(self.classes_) > 2
        return make_pipeline(StandardScaler(), OneVsRestMachines(machine) if rest else machine)

    def _weights(self) -> Any:
        """Return class weights by the indices of the labels, which the machines use."""
        if self.class_weight is None or isinstance(self.class_weight, str):
            return self.class_weight
        places = {label: place for place, label in enumerate(self.classes_.tolist())}
        if unknown := [label for label in self.class_weight if label not in places]:
            raise InputError(
                "class_weight names labels that no song has",
                found=", ".join(map(repr, unknown)),
                wanted=", ".join(map(repr, places)),
            )
        return {places[label]: float(weight) for label, weight in self.class_weight.items()}

    def _decide(self, rows: Floats, margins: Floats) -> Integers:
        """Return the indices of the labels that the strategy decides on."""
        if margins.ndim == 1:
            return (margins > 0).astype(np.intp)
        if self.strategy == "one-vs-rest":
            return np.asarray(margins.argmax(axis=1))
        scaler, machine = self.machine_[0], copy.copy(self.machine_[-1])
        scaled = scaler.transform(rows)
        if self.strategy == "one-vs-one":
            return np.asarray(machine.predict(scaled))
        machine.set_params(decision_function_shape="ovo")
        return walk_dag(machine.decision_function(scaled), len(self.classes_))


class OneVsRestMachines(ClassifierMixin, BaseEstimator):
    """One-vs-rest machines for three or more labels, with support for class weights.

    scikit-learn's own passes only two labels to its machines, so class weights are lost.

    Parameters
    ----------
    machine : SVC
        Its class weights apply to all labels.
    """

    def __init__(self, machine: SVC) -> None:
        self.machine = machine

    def fit(self, X: Floats, y: NDArray[Any]) -> OneVsRestMachines:
        """Fit to standardised features of shape (songs, features)."""
        self.classes_ = np.unique(y)
        weights = compute_sample_weight(self.machine.class_weight, y)
        single = clone(self.machine).set_params(class_weight=None)
        self.machines_ = [
            clone(single).fit(X, y == label, sample_weight=weights) for label in self.classes_
        ]
        return self

    def decision_function(self, X: Floats) -> Floats:
        """Return the margins, of shape (songs, labels)."""
        return np.stack([machine.decision_function(X) for machine in self.machines_], axis=1)

    def predict(self, X: Floats) -> NDArray[Any]:
        """Return the label with the largest margin, of shape (songs,)."""
        labels: NDArray[Any] = self.classes_[self.decision_function(X).argmax(axis=1)]
        return labels


def walk_dag(margins: Floats, labels: int) -> Integers:
    """Return the decisions of a directed acyclic graph of the machines of pairs.

    Parameters
    ----------
    margins : ndarray of float64, shape (songs, labels (labels - 1) / 2)
        For the pairs (0, 1), (0, 2) ... (1, 2) ...; positive for the first of a pair.
    labels : int > 2

    Returns
    -------
    ndarray of int, shape (songs,)
        In [0, labels).
    """
    pair = np.zeros((labels, labels), np.intp)
    pair[np.triu_indices(labels, 1)] = np.arange(labels * (labels - 1) // 2)
    songs = np.arange(len(margins))
    first, last = np.zeros(len(margins), np.intp), np.full(len(margins), labels - 1, np.intp)
    for _ in range(labels - 1):
        keeps_first = margins[songs, pair[first, last]] > 0
        first, last = np.where(keeps_first, first, first + 1), np.where(keeps_first, last - 1, last)
    return first
