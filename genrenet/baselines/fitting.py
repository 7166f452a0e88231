"""Fit baselines: choose settings on the training songs, then fit on all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.baselines.base import Baseline, BaselineError
from genrenet.baselines.fitted import FittedBaseline
from genrenet.models.rankings import rankings
from genrenet.models.thresholds import choose_thresholds

INNER_FOLDS = 5


def fit_baseline(
    method: Baseline,
    rows: NDArray[np.float64],
    genres: Sequence[str],
    *,
    labels: Sequence[str] | None = None,
    groups: Sequence[object] | None = None,
    validation: NDArray[np.bool_] | None = None,
    features: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> FittedBaseline:
    """Choose settings within the training songs, then train on all of them.

    Parameters
    ----------
    method : Baseline
    rows : ndarray of float64, shape (songs, features)
        Finite.
    genres : sequence of str, length songs
    labels : sequence of str, optional
        All labels; those of the songs by default.
    groups : sequence, optional
        Groups (artists) that must not be in two parts of an inner fold.
    validation : ndarray of bool, shape (songs,), optional
        Songs for choosing settings, instead of inner folds; they are used for training afterwards.
    features : str, optional
        Names of the features in ``rows``; the method's own by default.
    settings : mapping, optional
        Fixed settings; the rest of the method's grid is chosen by the accuracy over inner folds.
    seed : int
        Seed of the method and of the inner folds.

    Returns
    -------
    FittedBaseline

    Raises
    ------
    BaselineError
        Only one genre, or data that the method cannot be trained on.
    """
    truth = np.asarray(genres, dtype=object).astype(str)
    if len(set(truth)) < 2:
        raise BaselineError(
            f"the baseline '{method.name}' needs training songs of at least two genres",
            found=f"{len(truth)} songs of {', '.join(sorted(set(truth))) or 'none'}",
        )
    fixed = dict(settings or {})
    grid = {key: list(values) for key, values in method.grid.items() if key not in fixed}

    def merit(candidate: Mapping[str, Any], train: Any, test: Any) -> float:
        estimator = method.make(seed, **fixed, **candidate).fit(rows[train], truth[train])
        return float((estimator.predict(rows[test]) == truth[test]).mean())

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of single candidates, which are skipped
            inner = inner_folds(truth, groups, validation, seed)
            chosen = choose_settings(grid, inner, merit) if grid else {}
            estimator = method.make(seed, **fixed, **chosen).fit(rows, truth)
    except (ValueError, TypeError, np.linalg.LinAlgError) as error:
        why = " ".join(str(error).split())
        given = ", ".join(f"{key}={value}" for key, value in fixed.items())
        what = f"the baseline '{method.name}' cannot learn this" + (
            f" with {given}" if given else ""
        )
        raise BaselineError(f"{what}: {why}") from error
    return FittedBaseline(
        method.name,
        estimator,
        sorted(set(labels) if labels is not None else set(truth)),
        features or method.features,
        {**fixed, **chosen},
    )


def fit_multi_label(
    method: Baseline,
    rows: NDArray[np.float64],
    target: NDArray[np.bool_],
    *,
    labels: Sequence[str],
    strata: Sequence[str],
    validation: NDArray[np.bool_],
    own_validation: bool = False,
    groups: Sequence[object] | None = None,
    features: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> FittedBaseline:
    """Choose settings and thresholds on the training songs, then fit on all of them.

    Parameters
    ----------
    method : Baseline
    rows : ndarray of float64, shape (songs, features)
        Finite.
    target : ndarray of bool, shape (songs, labels)
        Which genres each song has.
    labels : sequence of str
    strata : sequence of str, length songs
        What inner folds are stratified by.
    validation : ndarray of bool, shape (songs,)
        Songs for choosing each genre's threshold, with an estimator fitted on the other songs; they
        are used for training afterwards. If there are none, the inner folds are used instead.
    own_validation : bool
        Choose settings on the validation songs as well, instead of inner folds.
    groups, features, settings, seed
        See `genrenet.baselines.fit_baseline`. Settings are chosen by the mean average precision.

    Returns
    -------
    FittedBaseline
        With ``thresholds``.

    Raises
    ------
    BaselineError
        A method without genre scores, or data that it cannot be trained on.
    """
    from genrenet.baselines.multi_label import SeveralGenres, way_of  # imports scikit-learn

    fixed = dict(settings or {})
    grid = {key: list(values) for key, values in method.grid.items() if key not in fixed}
    names = list(labels)
    way = way_of(method, seed, fixed)

    def learnt(chosen: Mapping[str, Any], some: Any) -> SeveralGenres:
        machine = SeveralGenres(method.make(seed, **fixed, **chosen), names, way)
        return machine.fit(rows[some], target[some])

    def merit(candidate: Mapping[str, Any], train: Any, test: Any) -> float:
        return _map(target[test], learnt(candidate, train).predict_proba(rows[test]))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of genres that are missing in a training fold
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
            f"the baseline '{method.name}' cannot be trained on several genres per song: {why}"
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


def inner_folds(
    truth: NDArray[np.str_],
    groups: Sequence[object] | None,
    validation: NDArray[np.bool_] | None,
    seed: int,
) -> list[tuple[Any, Any]]:
    """Return training rows and rows for the choice; empty if there are too few songs."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if validation is not None and validation.any():
        return [(np.flatnonzero(~validation), np.flatnonzero(validation))]
    parts: Any = None
    if groups is not None:
        names = {name: row for row, name in enumerate(dict.fromkeys(groups))}
        parts = np.array([names[group] for group in groups])
        pairs = {*zip(truth, parts.tolist(), strict=True)}
        counts = np.unique([genre for genre, _ in pairs], return_counts=True)[1]
    else:
        counts = np.unique(truth, return_counts=True)[1]
    # A genre that is too small to be in every fold must not prevent the choice.
    enough = counts[counts > 1]
    if not len(enough):
        return []
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = kind(min(INNER_FOLDS, int(enough.min())), shuffle=True, random_state=seed)
    try:
        return list(folds.split(np.zeros(len(truth)), truth, parts))
    except ValueError:
        return []


def choose_settings(
    grid: Mapping[str, list[Any]],
    inner: Sequence[tuple[Any, Any]],
    merit: Callable[[Mapping[str, Any], Any, Any], float],
) -> dict[str, Any]:
    """Return the settings with the best result over inner folds; the first ones without folds.

    Parameters
    ----------
    grid : mapping of str to list
        Values to choose among.
    inner : sequence of (ndarray, ndarray)
        Training rows and rows for the choice.
    merit : callable
        Function of settings and such a pair that returns a figure of merit >= 0.

    Notes
    -----
    Every candidate is created like the final estimator: by the method's own factory, which may be
    any function. scikit-learn's GridSearchCV would clone one estimator and set its parameters.
    """
    from sklearn.model_selection import ParameterGrid

    best, chosen = -1.0, {key: values[0] for key, values in grid.items()}
    for candidate in ParameterGrid(grid):
        shares = []
        for train, test in inner:
            try:
                shares.append(merit(candidate, train, test))
            except (ValueError, np.linalg.LinAlgError):
                shares.append(-1.0)  # a candidate that cannot be fitted is skipped
        if shares and np.mean(shares) > best and min(shares) >= 0:
            best, chosen = float(np.mean(shares)), candidate
    return dict(chosen)


def _map(target: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the mean average precision over the genres that some, but not all, songs have."""
    precision = rankings(target, scores)[0]
    if np.isnan(precision).all():
        raise ValueError("no genre to separate")
    return float(np.nanmean(precision))
