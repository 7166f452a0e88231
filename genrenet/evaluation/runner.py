"""The evaluation harness: every contender on the same folds of the same songs, resumable.

Layout of a run's folder
------------------------
``run.json``
    Models and data of the run: a later run in the same folder must use the same songs.
``folds/...``
    Predictions of models; see `genrenet.evaluation.tasks`. Finished folds are never repeated,
    unless their inputs (songs, split, settings) have changed.
``work/...``
    Files for resuming the training of networks, preparation times, and failures.

The rest is written by `genrenet.evaluation.results`.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from genrenet.baselines.settings import read_settings
from genrenet.data.splits import Split, SplitError
from genrenet.evaluation.baseline_methods import BaselineContender, FeatureBank
from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.leakage import leaks
from genrenet.evaluation.methods import Contender
from genrenet.evaluation.network_methods import NETWORKS, NetworkContender
from genrenet.evaluation.protocols import Fold, Protocol
from genrenet.evaluation.protocols.curves import learnt_from
from genrenet.evaluation.spreading import spread
from genrenet.evaluation.stored_json import read_json, write_json
from genrenet.evaluation.tasks import (
    EvaluationError,
    Shared,
    Task,
    machine,
    reason,
    safe_name,
    task_key,
)
from genrenet.models.rankings import rankings
from genrenet.utils.errors import GenrenetError, printable

PREPARED = Path("work", "prepared.json")


@dataclass
class Judged:
    """The results of a run.

    Attributes
    ----------
    dataset : Dataset
    protocols : list of Protocol
    folds : list of dict
        One per fold of a model: ``protocol``, ``seed``, ``fold``, ``model`` and the fields of
        `genrenet.evaluation.methods.FoldResult`.
    errors : dict of (str, str) to str
        Protocol and model that could not be evaluated, and why.
    learnt : dict of str to dict
        Training set size of each protocol; see `genrenet.evaluation.protocols.curves.learnt_from`.
    leaks : dict of str to str
        Result of the leakage check, by protocol.
    meanings : dict of str to dict
        Description of each model, by its name.
    prepared : dict of str to float
        Seconds for decoding or computing features once, for all folds, by model. Work shared with
        an earlier model is not included.
    machine : dict of str to str
        torch's version, the kind of device and its fast half precision; a fold's result is only
        valid for these.
    """

    dataset: Dataset
    protocols: list[Protocol]
    folds: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[tuple[str, str], str] = field(default_factory=dict)
    learnt: dict[str, dict[str, Any]] = field(default_factory=dict)
    leaks: dict[str, str] = field(default_factory=dict)
    meanings: dict[str, dict[str, Any]] = field(default_factory=dict)
    prepared: dict[str, float] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=machine)


def contenders(names: Iterable[str], options: Sequence[str] = ()) -> list[Contender]:
    """Return contenders by their names; see `genrenet.evaluation.methods`.

    Parameters
    ----------
    names : iterable of str
    options : sequence of str
        Options of ``genrenet fit`` for the networks.

    Raises
    ------
    GenrenetError
        An unknown name; the message lists the known ones.
    """
    bank = FeatureBank()
    found: list[Contender] = []
    for name in dict.fromkeys(name.strip() for name in names):
        kind, _, file = name.partition(":")
        if kind == "config" and (tuned := read_settings(file)) is not None:
            method, settings = tuned
            found.append(BaselineContender(method, bank, name).with_settings(settings))
        elif name in NETWORKS or name.startswith(("transfer:", "config:")):
            found.append(NetworkContender(name, options))
        else:
            found.append(BaselineContender(name, bank))
    return found


def judge(
    dataset: Dataset,
    models: Sequence[Contender],
    protocols: Sequence[Protocol],
    folder: str | os.PathLike[str],
    *,
    jobs: int = 1,
    dask: str | None = None,
    tell: Callable[[str], None] = print,
) -> Judged:
    """Evaluate models; results stored in the same folder are reused.

    Parameters
    ----------
    dataset : Dataset
    models : sequence of Contender
    protocols : sequence of Protocol
    folder : path
        Created if missing.
    jobs, dask : int and str, optional
        Number of processes on this machine, or a Dask cluster, for folds, seeds and models; see
        `genrenet.evaluation.spreading.spread`. The results are the same.
    tell : callable
        Called with a line for every fold.

    Returns
    -------
    Judged

    Raises
    ------
    EvaluationError
        The folder has a run on other songs, no model can be evaluated at all, or the processes
        cannot run the tasks.
    SplitError
        The songs do not allow a protocol.
    """
    folder = Path(folder)
    judged = Judged(dataset, list(protocols))
    folds: dict[tuple[Protocol, int], list[Fold]] = {}
    impossible: dict[str, SplitError] = {}
    for protocol in protocols:
        try:
            found = {(protocol, s): protocol.folds(dataset.table, s) for s in protocol.seeds}
        except SplitError as error:
            impossible[protocol.name] = error
            judged.errors |= {(protocol.name, model.name): str(error) for model in models}
        else:
            folds |= found
    if not folds:
        raise next(iter(impossible.values()))
    for name, unsplit in impossible.items():
        tell(f"{name} cannot be used: {unsplit}")
    able = []
    for model in models:
        judged.meanings[model.name] = model.about()
        try:
            model.check(dataset)
        except GenrenetError as error:
            judged.errors |= {(protocol.name, model.name): str(error) for protocol in protocols}
            tell(f"{model.name} cannot be evaluated: {error}")
        else:
            able.append(model)
    if not able:
        raise EvaluationError(
            f"no model can be evaluated on '{dataset.name}'",
            found="; ".join(judged.errors.values()),
        )
    _claim(folder, dataset)
    for name in dict.fromkeys(protocol.name for protocol, _ in folds):
        dealt = [fold for (p, _), found in folds.items() if p.name == name for fold in found]
        judged.learnt[name] = learnt_from(dataset.table, dealt)
    splits: dict[str, list[Split]] = {}
    for (protocol, _), dealt in folds.items():
        splits.setdefault(protocol.name, []).extend(fold.split for fold in dealt)
    judged.leaks = leaks(dataset, splits, folder / "folds")
    tasks = [
        Task(protocol.name, seed, number, fold, model.name, key)
        for (protocol, seed), dealt in folds.items()
        for number, fold in enumerate(dealt)
        for model in able
        for key in [task_key(dataset, model, fold, seed, judged.machine)]
    ]
    deformed = {model.name: {one.name for one in model.deformations} for model in able}
    results = {
        task.file: known
        for task in tasks
        if (known := task.known(folder)) is not None
        and deformed[task.model] <= known.get("deformed", {}).keys()
    }
    missing = [task for task in tasks if task.file not in results]
    for model in able:
        if any(task.model == model.name for task in missing):
            _prepare(judged, model, folder, missing, tell)
    shared = Shared(dataset, {m.name: m for m in able}, folder.absolute(), judged.machine)
    failed = set(judged.errors)

    def left() -> Iterator[Task]:
        for task in missing:
            if (task.protocol, task.model) not in failed:
                yield task

    for task, result in spread(shared, left(), jobs, dask):
        if why := result.get("error"):
            failed.add((task.protocol, task.model))
            if (folder / task.log).exists():
                result["error"] = f"{why} (traceback: {printable(folder / task.log)})"
        results[task.file] = result
        tell(_line(dataset, task, result))
    _collect(judged, tasks, results)
    judged.prepared = {**(read_json(folder / PREPARED) or {}), **judged.prepared}
    return judged


def _collect(judged: Judged, tasks: Sequence[Task], results: dict[Path, dict[str, Any]]) -> None:
    """Collect results in the order of the tasks, whichever was done first.

    Results of a model after a failure are ignored: with one process they are not even computed.
    """
    for task in tasks:
        result = results.get(task.file)
        if result is None or (task.protocol, task.model) in judged.errors:
            continue
        if why := result.get("error"):
            where = f"seed {task.seed}, fold {task.number + 1}"
            judged.errors[task.protocol, task.model] = f"{where}: {why}"
            continue
        about = {"seed": task.seed, "fold": task.number, "model": task.model}
        judged.folds.append({**result, "protocol": task.protocol, **about})


def _line(dataset: Dataset, task: Task, result: dict[str, Any]) -> str:
    """Return a line on one fold of one model."""
    if why := result.get("error"):
        where = f"seed {task.seed}, fold {task.number + 1}"
        return f"{task.protocol}, {task.model}: failed in {where}: {why}"
    return (
        f"{task.protocol}, seed {task.seed}, fold {task.number + 1}: {task.model} "
        f"{_said(dataset, result)} ({result['fit_seconds']:.1f} s to learn)"
    )


def _said(dataset: Dataset, result: dict[str, Any]) -> str:
    """Return the result of a fold, as text."""
    tracks, scores = dataset.decide(result["track_ids"], result["scores"])
    if dataset.multi_label:
        precision = rankings(dataset.targets(tracks), scores)[0]
        return f"mAP {np.nanmean(precision):.3f}" if np.isfinite(precision).any() else "no mAP"
    truth = dataset.songs.set_index("track_id")["genre"].loc[tracks]
    right = int((np.array(dataset.labels)[scores.argmax(axis=1)] == truth).sum())
    return f"{right} of {len(tracks)} right"


def _prepare(
    judged: Judged,
    model: Contender,
    folder: Path,
    missing: Sequence[Task],
    tell: Callable[[str], None],
) -> None:
    """Let a model do the work shared by all folds once, before any fold is timed."""
    file, work = folder / PREPARED, folder / "work"
    before = read_json(file) or {}
    log = work / f"{safe_name(model.name)}.prepare.log"
    try:
        work.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        seconds = model.prepare(judged.dataset, work)
    except Exception as error:  # one model's failure must not affect the others
        log.write_text(traceback.format_exc(), "utf-8", "backslashreplace")
        why = f"{reason(error)} (traceback: {printable(log)})"
        lost = {(task.protocol, task.model) for task in missing if task.model == model.name}
        judged.errors |= dict.fromkeys(sorted(lost), why)
        tell(f"{model.name} cannot be prepared: {why}")
        return
    # A resumed run finds most of it done: the time of the first run is kept.
    judged.prepared[model.name] = max(seconds, float(before.get(model.name, 0.0)))
    write_json(file, {**before, model.name: judged.prepared[model.name]})
    tell(f"{model.name}: prepared once for all folds in {seconds:.1f} s")


def _claim(folder: Path, dataset: Dataset) -> None:
    """Claim the folder for this run, or check that it is this run's."""
    about = {"dataset": dataset.name, "digest": dataset.digest}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = read_json(folder / "run.json")
        if known is None:
            write_json(folder / "run.json", about)
    except OSError as error:
        raise EvaluationError(
            f"cannot write to '{printable(folder)}'", found=str(error), remedy="pass another --out"
        ) from error
    if known is not None and known != about:
        raise EvaluationError(
            f"'{printable(folder)}' contains a run on other songs",
            found=f"{known.get('dataset')}, {known.get('digest')}",
            wanted=f"{about['dataset']}, {about['digest']}",
            remedy="use another --out, or remove it",
        )
