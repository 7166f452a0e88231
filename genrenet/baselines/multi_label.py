"""Baselines where songs have several genres each: how any method learns them, and is fitted.

Three ways, which a `genrenet.baselines.Baseline` chooses by its ``multi_label``:

``each``
    A machine of the method's own for each genre against all others (binary relevance), by
    scikit-learn's `OneVsRestClassifier`.
``sets``
    One machine whose classes are the sets of genres that songs have; a genre's score is the sum of
    those of the sets that it is in. For methods that share out the votes of songs, such as nearest
    neighbours, this is the mean of the neighbours' genres.
``native``
    One machine that takes several genres a song itself, as scikit-learn's trees and forests do.

Scores are one for each genre, from 0 to 1; they do not sum to one.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.multiclass import OneVsRestClassifier

from genrenet.baselines.base import Baseline, BaselineError
from genrenet.baselines.fitted import FittedBaseline, choose_settings, inner_folds
from genrenet.models.rankings import rankings
from genrenet.models.thresholds import choose_thresholds

Floats = NDArray[np.float64]
Targets = NDArray[np.bool_]

TRUSTED = ("genrenet.baselines.multi_label.SeveralGenres", "sklearn.multiclass._ConstantPredictor")
"""Types in files of fitted baselines with several genres, beyond the method's own."""


class SeveralGenres(BaseEstimator):
    """A method's estimator, made to learn several genres a song.

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
        Those that songs have; of the way ``sets`` alone.
    """

    def __init__(
        self, estimator: Any, labels: Sequence[str], way: Literal["each", "sets", "native"] = "each"
    ) -> None:
        self.estimator = estimator
        self.labels = labels
        self.way = way

    def fit(self, X: Floats, Y: Targets) -> SeveralGenres:
        """Learn from songs.

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


def fit_multi_label(
    method: Baseline,
    rows: Floats,
    target: Targets,
    *,
    labels: Sequence[str],
    strata: Sequence[str],
    validation: Targets,
    own_validation: bool = False,
    groups: Sequence[object] | None = None,
    features: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> FittedBaseline:
    """Choose settings and thresholds inside the training songs, then learn from all of them.

    Parameters
    ----------
    method : Baseline
    rows : ndarray of float64, shape (songs, features)
        Finite.
    target : ndarray of bool, shape (songs, labels)
        Which genres each song has.
    labels : sequence of str
    strata : sequence of str, length songs
        What inner folds are balanced by.
    validation : ndarray of bool, shape (songs,)
        Songs that each genre's threshold is chosen on, by a machine that has learnt from the
        others; they are learnt from afterwards. Where there are none, the inner folds take their
        place.
    own_validation : bool
        Choose settings on the validation songs, too, instead of inner folds.
    groups, features, settings, seed
        See `genrenet.baselines.fit_baseline`. Settings are chosen by the mean average precision.

    Returns
    -------
    FittedBaseline
        With ``thresholds``.

    Raises
    ------
    BaselineError
        A method that has no scores for genres, or something that it cannot learn from.
    """
    fixed = dict(settings or {})
    grid = {key: list(values) for key, values in method.grid.items() if key not in fixed}
    names = list(labels)
    way = _way(method, seed, fixed)

    def learnt(chosen: Mapping[str, Any], some: Any) -> SeveralGenres:
        machine = SeveralGenres(method.make(seed, **fixed, **chosen), names, way)
        return machine.fit(rows[some], target[some])

    def merit(candidate: Mapping[str, Any], train: Any, test: Any) -> float:
        return _map(target[test], learnt(candidate, train).predict_proba(rows[test]))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of genres that some songs to learn from have not
            own = validation if own_validation else None
            truth = np.asarray(strata, dtype=object).astype(str)
            inner = inner_folds(truth, groups, own, seed)
            chosen = choose_settings(grid, inner, merit) if grid else {}
            held_out = [(np.flatnonzero(~validation), np.flatnonzero(validation))]
            said = [
                (target[test], learnt(chosen, train).predict_proba(rows[test]))
                for train, test in (held_out if validation.any() else inner)
            ]
            estimator = learnt(chosen, slice(None))
    except (ValueError, TypeError, np.linalg.LinAlgError) as error:
        why = " ".join(str(error).split())
        raise BaselineError(
            f"the baseline '{method.name}' cannot learn several genres a song here: {why}"
        ) from error
    nothing = np.zeros((0, len(names)))
    true = np.concatenate([nothing, *(mine for mine, _ in said)])
    thresholds = choose_thresholds(true, np.concatenate([nothing, *(one for _, one in said)]))
    return FittedBaseline(
        method.name,
        estimator,
        names,
        features or method.features,
        {**fixed, **chosen},
        thresholds=dict(zip(names, thresholds.tolist(), strict=True)),
    )


def _way(
    method: Baseline, seed: int, fixed: Mapping[str, Any]
) -> Literal["each", "sets", "native"]:
    """Return how a method learns several genres.

    Raises
    ------
    BaselineError
        It does not.
    """
    if method.multi_label == "no" or not hasattr(method.make(seed, **fixed), "predict_proba"):
        raise BaselineError(
            f"the baseline '{method.name}' cannot judge songs with several genres",
            found="no scores of genres, only decisions for one",
            wanted="a method with predict_proba",
            remedy="leave this model out, or give each song one genre (a column genre)",
        )
    return method.multi_label


def _map(target: Targets, scores: Floats) -> float:
    """Return the mean average precision over the genres that some songs have and some have not."""
    precision = rankings(target, scores)[0]
    if np.isnan(precision).all():
        raise ValueError("no genre to tell apart")
    return float(np.nanmean(precision))
