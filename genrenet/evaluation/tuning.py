"""Search for a model's settings within the training songs, evaluated on test songs.

The search is part of the model: `Tuned` is a contender that searches on inner folds of its training
songs, then trains on all of them with the best settings. The harness evaluates it on outer folds,
as any other contender (nested cross-validation: Cawley and Talbot, 2010). The inner score of the
best trial is the maximum of many, hence biased: it is not reported.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from genrenet.data.splits import Split, k_fold, song_names, with_validation
from genrenet.evaluation.baseline_methods import BaselineContender
from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.methods import Contender, FoldResult
from genrenet.evaluation.network_methods import NetworkContender
from genrenet.evaluation.runner import contenders
from genrenet.evaluation.search_space import Setting, TuningError, choices
from genrenet.evaluation.tasks import reason
from genrenet.utils import atomic
from genrenet.utils.extras import import_extra


class Tuned(Contender):
    """A model whose settings are searched for with Optuna.

    Parameters
    ----------
    name : str
        Name of the model; see `genrenet.evaluation.methods`.
    space : mapping of str to Setting, optional
        Settings of a baseline, or options of ``genrenet fit`` without their dashes; by default the
        baseline's own grid.
    trials : int > 0
        Number of settings to try; poor ones are stopped after an inner fold (median rule).
    inner : int > 1
        Number of inner folds, by artist if artists are known.
    options : sequence of str
        More options of ``genrenet fit``.
    tell : callable
        Called with a line for every trial.

    Raises
    ------
    TuningError
        Optuna is not installed, or there is nothing to choose from.
    GenrenetError
        No such model, or no such setting.
    """

    def __init__(
        self,
        name: str,
        space: Mapping[str, Setting] | None = None,
        *,
        trials: int = 30,
        inner: int = 3,
        options: Sequence[str] = (),
        tell: Callable[[str], None] = print,
    ) -> None:
        super().__init__(name)
        _optuna()
        (self.model,) = contenders([name], options)
        self.uses_gpu = self.model.uses_gpu
        if space is None and isinstance(self.model, BaselineContender):
            space = choices(self.model.method.grid)
        if not space:
            raise TuningError(
                f"no search space for '{name}'",
                wanted="a YAML file of settings with their values",
                remedy="pass --space FILE",
            )
        self.space = dict(space)
        self.trials, self.inner = trials, inner
        self._tell, self._process = tell, os.getpid()
        first = self.made({key: setting.first() for key, setting in self.space.items()})
        if isinstance(first, BaselineContender):
            first.method.make(0, **first.settings)  # raises an error for an unknown setting

    def made(self, settings: Mapping[str, Any]) -> Contender:
        """Return the model with settings."""
        if isinstance(self.model, BaselineContender):
            return self.model.with_settings(settings)
        assert isinstance(self.model, NetworkContender)
        given = [f"--{key}={json.dumps(value)}" for key, value in settings.items()]
        return self.model.with_options(given)

    def about(self) -> dict[str, Any]:
        """Return the description of the model and of the search for its settings."""
        return {**self.model.about(), **self._search(), "trials": self.trials}

    def _search(self) -> dict[str, Any]:
        space = {key: str(setting) for key, setting in self.space.items()}
        return {"search": space, "inner": self.inner}

    def check(self, dataset: Dataset) -> None:
        """See `Contender.check`; trials are compared by accuracy: one genre per song."""
        if dataset.multi_label:
            raise TuningError(
                f"'{self.name}' cannot be tuned on '{dataset.name}'",
                found="several genres a song",
                wanted="one genre a song",
            )
        self.model.check(dataset)

    def prepare(self, dataset: Dataset, folder: Path) -> float:
        """Prepare the model, with one of the settings: unknown names raise an error here."""
        first = self.made({key: setting.first() for key, setting in self.space.items()})
        return first.prepare(dataset, folder)

    def judge(
        self, dataset: Dataset, split: Split, seed: int, folder: Path, *, own_validation: bool
    ) -> FoldResult:
        """Search, train with the best settings, predict; see `Contender.judge`.

        Trials are stored next to ``folder``, so that a search that was interrupted, or is given
        more trials, continues.
        """
        about = [self.model.about(), self._search(), split.parts.sort_index().to_csv(), seed]
        key = hashlib.sha256(json.dumps(about, default=str).encode()).hexdigest()[:12]
        place = folder.parent / f"search-{key}"
        place.mkdir(parents=True, exist_ok=True)
        inner = inner_splits(dataset, split, self.inner, seed, own_validation)
        best = self._best(dataset, inner, seed, place)
        found = self.made(best).judge(dataset, split, seed, folder, own_validation=own_validation)
        return replace(found, settings={**found.settings, **best})

    def _best(
        self, dataset: Dataset, inner: Sequence[Split], seed: int, place: Path
    ) -> dict[str, Any]:
        """Return the settings with the best score over inner folds."""
        optuna = _optuna()
        backend = optuna.storages.journal.JournalFileBackend(str(place / "trials.journal"))
        storage = optuna.storages.JournalStorage(backend)
        study = optuna.create_study(
            study_name="tune", storage=storage, direction="maximize", load_if_exists=True
        )
        over = [trial for trial in study.trials if trial.state.is_finished()]
        # A resumed search must not repeat the random numbers of its first part.
        study.sampler = optuna.samplers.TPESampler(seed=seed + 1000 * len(over))
        study.pruner = optuna.pruners.MedianPruner(n_startup_trials=5)

        def tried(trial: Any) -> float:
            settings = {name: setting.draw(trial, name) for name, setting in self.space.items()}
            trial.set_user_attr("settings", json.dumps(settings))
            shares: list[float] = []
            for number, split in enumerate(inner):
                work = place / f"trial{trial.number}" / f"inner{number}"
                shares.append(self._share(dataset, split, seed, work, settings))
                trial.report(float(np.mean(shares)), number)
                if number + 1 < len(inner) and trial.should_prune():
                    raise optuna.TrialPruned
            return float(np.mean(shares))

        def told(study: Any, trial: Any) -> None:
            _write_trials(study, place / "trials.csv")
            if os.getpid() == self._process:
                state = {"COMPLETE": "done", "PRUNED": "given up", "FAIL": "failed"}
                why = trial.user_attrs.get("error", "")
                self._tell(
                    f"{self.name}: trial {trial.number + 1}, {_shown(trial)}: "
                    f"{state[trial.state.name]}{f': {why}' if why else ''}"
                )

        def guarded(trial: Any) -> float:
            try:
                return tried(trial)
            except optuna.TrialPruned:
                raise
            except Exception as error:  # a trial's error must not end the search
                trial.set_user_attr("error", reason(error)[:500])
                raise _TrialFailed from error

        study.optimize(
            guarded, n_trials=max(0, self.trials - len(over)), catch=_TrialFailed, callbacks=[told]
        )
        complete = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
        if not complete:
            errors = [t.user_attrs.get("error", "") for t in study.trials]
            raise TuningError(
                f"no trial of '{self.name}' succeeded",
                found=next(filter(None, errors), "no error"),
                remedy=f"see {place / 'trials.csv'}",
            )
        settings: dict[str, Any] = json.loads(study.best_trial.user_attrs["settings"])
        return settings

    def _share(
        self, dataset: Dataset, split: Split, seed: int, work: Path, settings: Mapping[str, Any]
    ) -> float:
        """Return the share of an inner fold's songs that are predicted correctly."""
        if self.uses_gpu:  # trained in separate processes, which only see these songs
            known = dataset.table["track_id"].isin(split.parts.index).to_numpy()
            dataset = replace(dataset, table=dataset.table[known].reset_index(drop=True))
        model = self.made(settings)
        result = model.judge(dataset, split, seed, work, own_validation=False)
        tracks, scores = dataset.decide(result.track_ids, result.scores)
        truth = dataset.songs.set_index("track_id")["genre"].loc[tracks]
        # A song without a prediction counts as wrong.
        asked = song_names(dataset.table.iloc[split.indices(dataset.table, "test")])
        right = (np.array(dataset.labels)[scores.argmax(axis=1)] == truth.to_numpy()).sum()
        return float(right / len(set(asked)))


class _TrialFailed(Exception):
    """Raised within a trial for any error."""


def inner_splits(
    dataset: Dataset, split: Split, inner: int, seed: int, own_validation: bool
) -> list[Split]:
    """Return splits of the training songs of a fold; its test songs are in none.

    If the split has its own validation songs, these are used to evaluate settings instead of inner
    folds.

    Raises
    ------
    SplitError
        Too few songs, or artists, for so many folds.
    """
    learnt = split.parts[split.parts != "test"]
    table = dataset.table[dataset.table["track_id"].isin(learnt.index)].reset_index(drop=True)
    by = "artist" if dataset.artists else "genre"
    if own_validation:
        given = Split(split.name, learnt.replace({"validation": "test"}))
        return [with_validation(table, given, 0.1, seed)]
    return k_fold(table, inner, seed, by)


def _shown(trial: Any) -> str:
    settings = json.loads(trial.user_attrs.get("settings", "{}"))
    return ", ".join(f"{key} {_rounded(value)}" for key, value in settings.items())


def _rounded(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _write_trials(study: Any, file: Path) -> None:
    """Write the trials as a table; ``inner_score`` is only for comparing them."""
    with atomic.replacing(file) as part, open(part, "w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["trial", "state", "inner_score", "inner_folds", "settings", "error"])
        for trial in study.trials:
            scores = trial.intermediate_values
            last = scores[max(scores)] if scores else ""
            about = [trial.user_attrs.get(key, "") for key in ("settings", "error")]
            rows.writerow([trial.number + 1, trial.state.name.lower(), last, len(scores), *about])


def _optuna() -> Any:
    optuna = import_extra("optuna", "the search for settings", error=TuningError)
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    return optuna
