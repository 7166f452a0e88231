"""Baselines as contenders: features computed once for all folds, settings chosen in each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genrenet.audio.deforming import Deformation
from genrenet.baselines import (
    Baseline,
    FeatureMatrix,
    FittedBaseline,
    baseline,
    fit_baseline,
    known_features,
    origin,
)
from genrenet.baselines.fitting import fit_multi_label
from genrenet.baselines.song_features import (
    backbone_and_layers,
    check_features,
    current_features,
    song_features,
)
from genrenet.data.splits import Split, song_groups
from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.deformed_songs import deformed_songs
from genrenet.evaluation.methods import Contender, ContenderError, FoldResult, validation_rows
from genrenet.models.checkpoints.finding import content_of, has_own_content
from genrenet.utils.progress import progress_bar


class FeatureBank:
    """Features of a dataset's songs, computed once for all methods that use them."""

    def __init__(self) -> None:
        self._held: dict[str, FeatureMatrix] = {}

    def matrix(self, dataset: Dataset, features: str) -> FeatureMatrix:
        """Return features by name, or those of the table that is the dataset."""
        if dataset.features is not None:
            return FeatureMatrix(dataset.features)
        if features not in self._held:
            with progress_bar(f"features {features}") as show:
                paths = list(dataset.table["path"])
                self._held[features] = song_features(paths, features, progress=show)
        return self._held[features]


class BaselineContender(Contender):
    """A baseline that a plugin registered.

    Parameters
    ----------
    name : str
        Such as ``svm`` or ``svm@spectral-stats``.
    bank : FeatureBank
        Shared by all contenders of a run.
    known_as : str, optional
        Name in the results, if different.

    Attributes
    ----------
    settings : dict
        Fixed settings; the others are chosen within each fold.

    Raises
    ------
    BaselineError
        No such baseline, or no such features.
    ContenderError
        The baseline does not accept features of this kind.
    """

    def __init__(self, name: str, bank: FeatureBank, known_as: str = "") -> None:
        super().__init__(known_as or name)
        self.settings: dict[str, Any] = {}
        method, _, asked = name.partition("@")
        features = current_features(asked) if asked else ""
        self.method: Baseline = baseline(method)
        self.asked = features
        self.features = features or current_features(self.method.features)
        self.bank = bank
        if features and (kind := check_features(features)) != self.method.kind:
            raise ContenderError(
                f"the baseline '{method}' does not accept the features '{features}'",
                found=kind,
                wanted=self.method.kind,
            )

    def with_settings(self, settings: Mapping[str, Any]) -> BaselineContender:
        """Return the same method with fixed settings.

        Raises
        ------
        BaselineError
            An unknown setting.
        """
        self.method.make(0, **settings)
        found = copy(self)
        found.settings = dict(settings)
        return found

    def about(self) -> dict[str, Any]:
        """Return the method with its settings and package, its features, and the settings to choose
        from.
        """
        fixed = {"settings": self.settings} if self.settings else {}
        return fixed | {
            "baseline": self.method.name,
            "package": origin(self.method.name),
            "parameters": {key: str(value) for key, value in self.method.parameters().items()},
            "grid": {key: list(map(str, values)) for key, values in self.method.grid.items()},
            "features": self.features,
            "extractors": self._extractors,
        }

    @cached_property
    def _extractors(self) -> list[str]:
        """Sources of each of the features: files and references are identified by their content."""
        found, known = [], known_features()
        for name in self.features.split("+"):
            backbone = backbone_and_layers(name)[0]
            if name in known:
                found.append(known[name].key)
            elif has_own_content(backbone):
                found.append(f"{name} {content_of(backbone)}")
            else:
                found.append(name)
        return found

    def check(self, dataset: Dataset) -> None:
        """Check that features exist; Gaussians need audio."""
        if dataset.features is not None and self.deformations:
            raise ContenderError(
                f"'{self.name}' cannot be evaluated on deformed songs",
                found=f"a table of {len(dataset.columns)} features, '{dataset.name}'",
                wanted="audio files",
                remedy="pass the folder of songs as DATA, or leave out --deform",
            )
        if dataset.features is None:
            check_features(self.features)
        elif self.asked:
            raise ContenderError(
                f"'{self.name}' needs features of its own",
                found=f"a table of {len(dataset.columns)} features, '{dataset.name}'",
                wanted=f"'{self.method.name}', which takes the features of the table",
            )
        elif self.method.kind == "gaussians":
            raise ContenderError(
                f"the baseline '{self.method.name}' compares Gaussians of songs",
                found=f"a table of {len(dataset.columns)} features, '{dataset.name}'",
                wanted="audio files",
                remedy="pass the music folder as DATA, or omit this model",
            )

    def prepare(self, dataset: Dataset, folder: Path) -> float:
        """Compute the features, once for all models that use them."""
        began = time.perf_counter()
        self.bank.matrix(dataset, self.features)
        return time.perf_counter() - began

    def judge(
        self, dataset: Dataset, split: Split, seed: int, folder: Path, *, own_validation: bool
    ) -> FoldResult:
        """See `Contender.judge`."""
        found = self.bank.matrix(dataset, self.features)
        table, usable = dataset.table, found.usable
        train, test = validation_rows(dataset, split)
        train = train[usable[train]]
        skipped = {
            table["track_id"][row]: found.errors.get(table["path"][row], "no finite features")
            for row in test[~usable[test]]
        }
        test = test[usable[test]]
        learnt_from = table.iloc[train]
        groups = None
        if dataset.artists or "song" in table:
            groups = song_groups(learnt_from)
        validation = np.isin(train, split.indices(table, "validation"))
        began = time.perf_counter()
        if dataset.multi_label:
            fitted = fit_multi_label(
                self.method,
                found.rows[train],
                dataset.row_targets[train],
                labels=dataset.labels,
                strata=list(learnt_from["genre"]),
                validation=validation,
                own_validation=own_validation,
                groups=groups,
                features=self.features,
                settings=self.settings,
                seed=seed,
            )
        else:
            fitted = fit_baseline(
                self.method,
                found.rows[train],
                list(learnt_from["genre"]),
                labels=dataset.labels,
                groups=groups,
                validation=validation if own_validation else None,
                features=self.features,
                settings=self.settings,
                seed=seed,
            )
        learnt = time.perf_counter()
        scores = fitted.scores(found.rows[test])
        answered = time.perf_counter()
        asked = table.iloc[test]
        return FoldResult(
            list(asked["track_id"]),
            scores.tolist(),
            learnt - began,
            answered - learnt,
            {key: _plain(value) for key, value in fitted.settings.items()},
            skipped=skipped,
            truncated={
                table["track_id"][row]: found.errors[table["path"][row]]
                for row in test
                if table["path"][row] in found.errors
            },
            deformed={one.name: self._deformed(fitted, asked, one) for one in self.deformations},
            thresholds=list(fitted.thresholds.values()) or None,
        )

    def _deformed(
        self, fitted: FittedBaseline, asked: pd.DataFrame, one: Deformation
    ) -> dict[str, Any]:
        """Return the scores for deformed songs."""
        files, errors = deformed_songs(asked["path"], one)
        rows = asked[asked["path"].isin(files)]
        found = song_features([files[path] for path in rows["path"]], self.features)
        usable = found.usable
        skipped = {
            track: errors[path]
            for track, path in zip(asked["track_id"], asked["path"], strict=True)
            if path in errors
        } | {
            track: found.errors.get(files[path], "no finite features")
            for track, path in zip(rows["track_id"][~usable], rows["path"][~usable], strict=True)
        }
        scores = fitted.scores(found.rows[usable]).tolist() if usable.any() else []
        return {"track_ids": list(rows["track_id"][usable]), "scores": scores, "skipped": skipped}


def _plain(value: Any) -> Any:
    """Return a setting as a JSON value."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
