"""Nested search for settings in one call, with a report, and the best settings as a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from genrenet.baselines.settings import write_settings
from genrenet.evaluation.baseline_methods import BaselineContender
from genrenet.evaluation.datasets import Dataset, read_dataset
from genrenet.evaluation.network_methods import NetworkContender
from genrenet.evaluation.protocols import Fold, Protocol, protocols
from genrenet.evaluation.report.run_files import write_run
from genrenet.evaluation.results import predictions, summarise
from genrenet.evaluation.runner import judge
from genrenet.evaluation.search_space import Setting, TuningError
from genrenet.evaluation.tuning import Tuned
from genrenet.utils import atomic


@dataclass(frozen=True)
class Tuning:
    """The results of `tune`.

    Attributes
    ----------
    best : dict
        Settings that were found on the training songs of the first outer fold.
    file : Path
        File with ``best``, for ``genrenet evaluate --models config:FILE``, and for
        ``genrenet baseline --settings FILE`` or ``genrenet fit --config FILE``.
    results : dict
        Results of the outer folds, as from `genrenet.evaluate`: the performance of the search, with
        the settings that it finds, on test songs.
    page : Path
        Path of the report.
    """

    best: dict[str, Any]
    file: Path
    results: dict[str, Any]
    page: Path


@dataclass(frozen=True)
class _FirstFolds(Protocol):
    """A protocol restricted to its first folds."""

    most: int = 1

    def folds(self, table: pd.DataFrame, seed: int) -> list[Fold]:
        return super().folds(table, seed)[: self.most]


def tune(
    data: str | os.PathLike[str],
    model: str,
    *,
    space: Mapping[str, Setting] | None = None,
    trials: int = 30,
    inner: int = 3,
    protocol: str = "artist-5fold",
    outer: int = 1,
    out: str | os.PathLike[str] = "runs/tune",
    segments: str = "auto",
    labels: str = "auto",
    fit_options: Sequence[str] = (),
    jobs: int = 1,
    tell: Callable[[str], None] = print,
) -> Tuning:
    """Search for a model's hyperparameters on training songs, and test them on other songs.

    Parameters
    ----------
    data : path
        A collection of songs, or a table of features.
    model : str
        As in `genrenet.evaluate`.
    space : mapping of str to Setting, optional
        See `genrenet.evaluation.search_space.read_space`; a baseline's own grid by default.
    trials, inner : int
        See `genrenet.evaluation.tuning.Tuned`.
    protocol : str
        Protocol of the outer folds; see `genrenet.evaluation.protocols.protocols`.
    outer : int > 0
        Number of outer folds, each with its own search.
    out : path
        Folder of the run. An interrupted run is resumed.
    segments, labels, fit_options, jobs, tell
        See `genrenet.evaluate`; with ``jobs`` outer folds are searched in parallel.

    Returns
    -------
    Tuning

    Raises
    ------
    GenrenetError
        Unknown names, data that cannot be used, or no trial that succeeds.
    """
    tuned = Tuned(model, space, trials=trials, inner=inner, options=fit_options, tell=tell)
    (named,) = protocols([protocol], 1)
    judges = [_FirstFolds(named.name, named.seeds, outer)]
    dataset = read_dataset(data, segments=segments, labels=labels)
    for problem in dataset.problems[:20]:
        tell(f"left out: {problem}")
    judged = judge(dataset, [tuned], judges, out, jobs=jobs, tell=tell)
    for (_, name), why in judged.errors.items():
        raise TuningError(f"'{name}' cannot be tuned", found=why)
    decided = predictions(judged)
    results = summarise(judged, decided)
    page = write_run(Path(out), {**results, "reference": []}, decided)
    found: dict[str, Any] = judged.folds[0]["settings"]
    best = {name: found[name] for name in tuned.space}
    return Tuning(best, _write_best(tuned, best, dataset, Path(out)), results, page)


def _write_best(tuned: Tuned, best: Mapping[str, Any], dataset: Dataset, out: Path) -> Path:
    """Write a model with its settings in the format of other commands."""
    file, made = out / "best.yaml", tuned.made(best)
    if isinstance(made, BaselineContender):
        write_settings(file, made.method.name, made.asked, made.settings)
        return file
    assert isinstance(made, NetworkContender)
    settings = made.configuration(dataset, out / "work")
    for name in ("source", "segments"):  # specific to this run
        settings["data"].pop(name, None)
    atomic.write_text(file, yaml.safe_dump(settings, sort_keys=False))
    return file
