"""Fitted baselines: scores, and files without pickle."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.baselines.base import BaselineError, baselines
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


@dataclass
class FittedBaseline(SongScorer):
    """A fitted baseline.

    Attributes
    ----------
    name : str
        Name of the baseline.
    estimator : object
        The fitted scikit-learn classifier.
    labels : list of str
        All labels, sorted, whether or not there were training songs of each.
    features : str
        Names of its features.
    settings : dict
        Settings that were given or chosen.
    about : dict
        Its training set; plain values.
    thresholds : dict of str to float
        Score threshold of each genre, if songs have several; see `genrenet.baselines.multi_label`.
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
        """Return the label of each song, or the method's own answer where it is not sure."""
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
                    # Where the method is not sure, this is its score for the most likely genre.
                    result.confidence = result.scores.get(result.genre, max(result.scores.values()))
                    result.unsure |= result.genre not in result.scores
                    result.frames = 1
                elif result.error is None:
                    result.error = f"'{printable(path)}' gave no finite features"
                yield result

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a ``.skops`` file atomically.

        Raises
        ------
        BaselineError
            Features from a table, which cannot be computed from songs, or a file that cannot be
            written.
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
    """Read a fitted baseline; no code in the file is run, and only known types are created.

    Parameters
    ----------
    path : path
        A ``.skops`` file.

    Raises
    ------
    BaselineError
        No such file, one that is damaged or from another program, or types that neither
        scikit-learn, numpy nor an installed plugin trusts.
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
                f"'{name}' contains types that are not trusted",
                found=", ".join(sorted(foreign)),
                wanted="those of scikit-learn, numpy and the plugins that are installed",
                remedy="install the plugin that it was written with",
            )
        entries: Any = skops.io.load(path, trusted=held)
    except BaselineError:
        raise
    except Exception as error:  # skops raises many types of errors for invalid bytes
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
