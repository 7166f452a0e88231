"""Fitted baselines: choosing settings, fitting, scores, and files that hold no pickle."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.baselines.base import Baseline, BaselineError, baselines
from genrenet.baselines.song_features import FeatureMatrix, current_features, song_features
from genrenet.inference.answers import SIGMOID, SOFTMAX
from genrenet.inference.result import SongResult, named_scores
from genrenet.inference.scorers import SongScorer
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import printable
from genrenet.utils.moved import new_name
from genrenet.version import __version__

FORMAT = 1
SUFFIX = ".skops"
INNER_FOLDS = 5


@dataclass
class FittedBaseline(SongScorer):
    """A baseline that has learnt from songs.

    Attributes
    ----------
    name : str
        The baseline's.
    estimator : object
        The fitted scikit-learn classifier.
    labels : list of str
        All labels, sorted, whether there were songs of each to learn from or not.
    features : str
        Names of the features it was fitted on.
    settings : dict
        Those that were given or chosen.
    about : dict
        What it learnt from; plain values.
    thresholds : dict of str to float
        The score from which on each genre is named, where songs have several; see
        `genrenet.baselines.multi_label`.
    """

    name: str
    estimator: Any
    labels: list[str]
    features: str
    settings: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores of songs from their features.

        Parameters
        ----------
        rows : ndarray of float, shape (songs, features)
            Finite.

        Returns
        -------
        ndarray of float64, shape (songs, labels)
            Rows sum to one, unless songs have several genres.
        """
        classes = list(self.estimator.classes_)
        found = np.zeros((len(rows), len(self.labels)))
        if hasattr(self.estimator, "predict_proba"):
            scores = np.asarray(self.estimator.predict_proba(rows), np.float64)
        else:
            scores = self.estimator.predict(rows)[:, None] == np.asarray(classes)
        found[:, [self.labels.index(label) for label in classes]] = scores
        return found

    def decisions(self, rows: NDArray[np.float64]) -> list[str]:
        """Return the label of each song, or what the method says where it is not sure."""
        return [str(label) for label in self.estimator.predict(rows)]

    def features_of(self, paths: Sequence[str], device: str | None = None) -> FeatureMatrix:
        """Compute the features of songs; see `song_features`."""
        return song_features(paths, self.features, device=device)

    def score_songs(
        self, paths: Iterable[str], checkpoint: str = "", device: str | None = None
    ) -> Iterator[SongResult]:
        """Score songs by their features, a few at a time; see `SongScorer.score_songs`."""
        todo = iter(paths)
        while some := list(islice(todo, 16)):
            found = self.features_of(some, device)
            usable = found.usable
            scores = iter(self.scores(found.rows[usable]) if usable.any() else ())
            one = usable.any() and not self.thresholds
            genres = iter(self.decisions(found.rows[usable]) if one else ())
            for path, good in zip(some, usable, strict=True):
                result = SongResult(path, checkpoint, error=found.errors.get(path))
                if good and self.thresholds:
                    rule = replace(SIGMOID, thresholds=self.thresholds)
                    result.decide(named_scores(self.labels, next(scores)), rule)
                    result.frames = 1
                elif good:
                    result.decide(named_scores(self.labels, next(scores)), SOFTMAX)
                    result.genre = next(genres)
                    # Where the method is not sure, this is how sure it is of the likeliest genre.
                    result.confidence = result.scores.get(result.genre, max(result.scores.values()))
                    result.unsure |= result.genre not in result.scores
                    result.frames = 1
                elif result.error is None:
                    result.error = f"'{printable(path)}' gave no finite features"
                yield result

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a ``.skops`` file, which appears only when it is whole.

        Raises
        ------
        BaselineError
            Features of a table, which no song can be turned into, or a file that cannot be written.
        """
        import skops.io

        path = Path(path)
        if path.suffix != SUFFIX:
            raise BaselineError(
                f"cannot write '{printable(path)}'", found=path.suffix, wanted=SUFFIX
            )
        entries = {
            "format": FORMAT,
            "genrenet": __version__,
            **{key: value for key, value in vars(self).items() if key != "estimator"},
            "estimator": self.estimator,
        }
        try:
            with replacing(path) as part:
                skops.io.dump(entries, part)
        except OSError as error:
            raise BaselineError(f"cannot write '{printable(path)}'", found=str(error)) from error
        return path


def load_baseline(path: str | os.PathLike[str]) -> FittedBaseline:
    """Read a fitted baseline; nothing in the file is run, and only known types are made.

    Parameters
    ----------
    path : path
        A ``.skops`` file.

    Raises
    ------
    BaselineError
        No such file, one that is damaged or another program's, or types that neither scikit-learn,
        numpy nor an installed plugin trusts.
    """
    import skops.io

    name = printable(path)
    if not Path(path).is_file():
        raise BaselineError(f"no fitted baseline '{name}'", wanted=f"a {SUFFIX} file")
    from genrenet.baselines.multi_label import TRUSTED

    trusted = {kind for known in baselines().values() for kind in known.trusted} | {*TRUSTED}
    try:
        held = skops.io.get_untrusted_types(file=path)
        foreign = {kind for kind in held if new_name(kind) not in trusted}
        if foreign:
            raise BaselineError(
                f"'{name}' holds types that are not trusted",
                found=", ".join(sorted(foreign)),
                wanted="those of scikit-learn, numpy and the plugins that are installed",
                remedy="install the plugin that it was written with",
            )
        entries: Any = skops.io.load(path, trusted=held)
    except BaselineError:
        raise
    except Exception as error:  # skops fails on foreign bytes in any way there is
        raise BaselineError(
            f"'{name}' is not a fitted baseline that can be read",
            found=(str(error).strip().splitlines() or [type(error).__name__])[0],
            wanted="a file written by 'genrenet baseline'",
        ) from error
    if not isinstance(entries, dict) or entries.get("format") != FORMAT:
        found = entries.get("format") if isinstance(entries, dict) else type(entries).__name__
        raise BaselineError(
            f"'{name}' has another format", found=str(found), wanted=f"format {FORMAT}"
        )
    entries.setdefault("thresholds", {})  # older files have none
    keys = ("name", "estimator", "labels", "features", "settings", "about", "thresholds")
    if missing := [key for key in keys if key not in entries]:
        raise BaselineError(f"'{name}' is damaged", found=f"no entry {', '.join(missing)}")
    entries["features"] = current_features(str(entries["features"]), warn=False)
    classes = getattr(entries["estimator"], "classes_", None)
    if classes is None or not {str(label) for label in classes} <= {*entries["labels"]}:
        raise BaselineError(
            f"'{name}' is damaged",
            found="an estimator that is not fitted, or that knows other labels",
            wanted="a fitted classifier",
        )
    return FittedBaseline(**{key: entries[key] for key in keys})


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
    """Choose settings inside the training songs, then learn from all of them.

    Parameters
    ----------
    method : Baseline
    rows : ndarray of float64, shape (songs, features)
        Finite.
    genres : sequence of str, length songs
    labels : sequence of str, optional
        All labels; those of the songs by default.
    groups : sequence, optional
        Of songs that must not stand on two sides of an inner fold: their artists.
    validation : ndarray of bool, shape (songs,), optional
        Songs that settings are chosen on, instead of inner folds; they are learnt from afterwards.
    features : str, optional
        Names of the features in ``rows``; the method's own by default.
    settings : mapping, optional
        Fixed settings; what the method's grid has beside them is chosen by the accuracy over inner
        folds.
    seed : int

    Returns
    -------
    FittedBaseline

    Raises
    ------
    BaselineError
        One genre only, or something that the method cannot learn from; it says why.
    """
    truth = np.asarray(genres, dtype=object).astype(str)
    if len(set(truth)) < 2:
        raise BaselineError(
            f"the baseline '{method.name}' needs songs of at least two genres to learn from",
            found=f"{len(truth)} songs of {', '.join(sorted(set(truth))) or 'none'}",
        )
    fixed = dict(settings or {})
    grid = {key: list(values) for key, values in method.grid.items() if key not in fixed}

    def merit(candidate: Mapping[str, Any], train: Any, test: Any) -> float:
        estimator = method.make(seed, **fixed, **candidate).fit(rows[train], truth[train])
        return float((estimator.predict(rows[test]) == truth[test]).mean())

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of single candidates, which the choice passes over
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


def inner_folds(
    truth: NDArray[np.str_],
    groups: Sequence[object] | None,
    validation: NDArray[np.bool_] | None,
    seed: int,
) -> list[tuple[Any, Any]]:
    """Return rows to learn from and rows to choose on; empty where there are too few songs."""
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
    # A genre that is too small to be in every fold must not keep the others from choosing.
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
    """Return the settings that do best over inner folds; the first ones where there are none.

    Parameters
    ----------
    grid : mapping of str to list
        Values to choose among.
    inner : sequence of (ndarray, ndarray)
        Rows to learn from and rows to choose on.
    merit : callable
        Gets settings and such a pair; how good they are, at least 0.

    Notes
    -----
    Every candidate is made as the final one will be: through the method's own factory, which may
    be any function. scikit-learn's GridSearchCV would clone one estimator and set its parameters.
    """
    from sklearn.model_selection import ParameterGrid

    best, chosen = -1.0, {key: values[0] for key, values in grid.items()}
    for candidate in ParameterGrid(grid):
        shares = []
        for train, test in inner:
            try:
                shares.append(merit(candidate, train, test))
            except (ValueError, np.linalg.LinAlgError):
                shares.append(-1.0)  # a candidate that cannot learn this is passed over
        if shares and np.mean(shares) > best and min(shares) >= 0:
            best, chosen = float(np.mean(shares)), candidate
    return dict(chosen)
