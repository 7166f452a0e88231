"""The harness: every contender on the same folds of the same songs, resumable, failure by failure.

Layout of a run's folder
------------------------
``run.json``
    What is judged on what: a later run with the same folder must ask for the same songs.
``folds/<protocol>/seed<s>-fold<f>/<model>.json``
    What a model said of a fold's songs. Finished folds are never repeated, unless what made them
    (songs, split, settings) has changed.
``folds/<protocol>/seed<s>-fold<f>/<model>.log``
    Why a model failed on a fold, with the traceback.
``work/...``
    What networks need to go on after an interruption, and how long preparing took.
The rest is written by `genrenet.evaluation.results`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from genrenet.data.splits import Split, SplitError
from genrenet.evaluation.baseline_methods import BaselineContender, FeatureBank
from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.leakage import leaks
from genrenet.evaluation.methods import Contender, FoldResult
from genrenet.evaluation.network_methods import NETWORKS, NetworkContender
from genrenet.evaluation.protocols import Fold, Protocol
from genrenet.evaluation.protocols.curves import learnt_from
from genrenet.evaluation.stored_json import read_json, write_json
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.hardware import fast_half

VERSION = 1
"""Part of what makes a fold's result: goes up when the same settings would give another one."""


PREPARED = Path("work", "prepared.json")


class EvaluationError(GenrenetError):
    """A run that cannot be started, or whose folder is another run's."""


@dataclass
class Judged:
    """What a run found.

    Attributes
    ----------
    dataset : Dataset
    protocols : list of Protocol
    folds : list of dict
        A fold of a model each: ``protocol``, ``seed``, ``fold``, ``model`` and what
        `genrenet.evaluation.methods.FoldResult` holds.
    errors : dict of (str, str) to str
        Protocol and model that could not be judged, and why.
    learnt : dict of str to dict
        How much each protocol learns from; see `genrenet.evaluation.protocols.curves.learnt_from`.
    leaks : dict of str to str
        What the leakage check found, by protocol.
    meanings : dict of str to dict
        What each model is, by its name.
    prepared : dict of str to float
        Seconds that decoding or computing features once, for all folds, took each model. What
        another model had prepared already is not in them.
    machine : dict of str to str
        torch's version, the kind of device and its fast half precision; a fold's result holds for
        these alone.
    """

    dataset: Dataset
    protocols: list[Protocol]
    folds: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[tuple[str, str], str] = field(default_factory=dict)
    learnt: dict[str, dict[str, Any]] = field(default_factory=dict)
    leaks: dict[str, str] = field(default_factory=dict)
    meanings: dict[str, dict[str, Any]] = field(default_factory=dict)
    prepared: dict[str, float] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=lambda: machine())


def machine() -> dict[str, str]:
    """Return what else decides the numbers of the same settings."""
    import torch

    device = "cpu"
    if torch.cuda.is_available():
        device = "cuda"
    elif torch.backends.mps.is_available():
        device = "mps"
    version = ".".join(torch.__version__.split(".")[:2])
    return {"torch": version, "device": device, "half_precision": str(fast_half(device))}


def contenders(names: Iterable[str], options: Sequence[str] = ()) -> list[Contender]:
    """Return contenders by their names; see `genrenet.evaluation.methods`.

    Parameters
    ----------
    names : iterable of str
    options : sequence of str
        More options of ``genrenet fit``, for the networks.

    Raises
    ------
    GenrenetError
        A name that stands for nothing; it says what there is.
    """
    bank = FeatureBank()
    found: list[Contender] = []
    for name in dict.fromkeys(name.strip() for name in names):
        if name in NETWORKS or name.startswith(("transfer:", "config:")):
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
    tell: Callable[[str], None] = print,
) -> Judged:
    """Judge models; what was judged before, in the same folder, is not judged again.

    Parameters
    ----------
    dataset : Dataset
    models : sequence of Contender
    protocols : sequence of Protocol
    folder : path
        Made if need be.
    tell : callable
        Gets a line about every fold.

    Returns
    -------
    Judged

    Raises
    ------
    EvaluationError
        The folder holds a run on other songs, or no model can be judged at all.
    SplitError
        The songs do not allow a protocol.
    """
    folder = Path(folder)
    judged = Judged(dataset, list(protocols))
    folds: dict[tuple[Protocol, int], list[Fold]] = {}
    impossible: list[SplitError] = []
    for protocol in protocols:
        try:
            found = {(protocol, s): protocol.folds(dataset.table, s) for s in protocol.seeds}
        except SplitError as error:
            impossible.append(error)
            judged.errors |= {(protocol.name, model.name): str(error) for model in models}
            tell(f"{protocol.name} cannot be carried out: {error}")
        else:
            folds |= found
    if not folds:
        raise impossible[0]
    able = []
    for model in models:
        judged.meanings[model.name] = model.about()
        try:
            model.check(dataset)
        except GenrenetError as error:
            judged.errors |= {(protocol.name, model.name): str(error) for protocol in protocols}
            tell(f"{model.name} cannot be judged: {error}")
        else:
            able.append(model)
    if not able:
        raise EvaluationError(
            f"no model can be judged on '{dataset.name}'", found="; ".join(judged.errors.values())
        )
    _claim(folder, dataset)
    for name in dict.fromkeys(protocol.name for protocol, _ in folds):
        dealt = [fold for (p, _), found in folds.items() if p.name == name for fold in found]
        judged.learnt[name] = learnt_from(dataset.table, dealt)
    splits: dict[str, list[Split]] = {}
    for (protocol, _), dealt in folds.items():
        splits.setdefault(protocol.name, []).extend(fold.split for fold in dealt)
    judged.leaks = leaks(dataset, splits, folder / "folds")
    for (protocol, seed), dealt in folds.items():
        for number, fold in enumerate(dealt):
            for model in able:
                if (protocol.name, model.name) not in judged.errors:
                    _one(judged, model, protocol, seed, number, fold, folder, tell)
    judged.prepared = {**(read_json(folder / PREPARED) or {}), **judged.prepared}
    return judged


def _one(
    judged: Judged,
    model: Contender,
    protocol: Protocol,
    seed: int,
    number: int,
    given: Fold,
    folder: Path,
    tell: Callable[[str], None],
) -> None:
    """One fold of one model, from its file if it is there and still holds."""
    place = Path(protocol.name, f"seed{seed}-fold{number}")
    file = folder / "folds" / place / f"{_safe(model.name)}.json"
    split, own = given.split, given.own_validation
    parts = split.parts.sort_index().to_csv()
    made_of = [
        VERSION,
        own,
        judged.dataset.digest,
        parts,
        seed,
        model.about(),
        judged.machine,
    ]
    key = hashlib.sha256(json.dumps(made_of, default=str).encode()).hexdigest()
    where = {"protocol": protocol.name, "seed": seed, "fold": number, "model": model.name}
    known = read_json(file)
    if known is not None and known.get("key") == key:
        judged.folds.append({**known, **where})
        return
    log = file.with_suffix(".log")
    log.unlink(missing_ok=True)
    try:
        _prepare(judged, model, folder, tell)
        work = folder / "work" / place / key[:12]
        result = model.judge(judged.dataset, split, seed, work, own_validation=own)
        _check(result, model, judged.dataset, split)
    except Exception as error:  # one model's failure, of whatever kind, must not lose the others
        why = str(error) if isinstance(error, GenrenetError) else repr(error)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc(), "utf-8", "backslashreplace")
        why = f"{why} (traceback: {printable(log)})"
        judged.errors[protocol.name, model.name] = f"seed {seed}, fold {number + 1}: {why}"
        tell(f"{protocol.name}, {model.name}: failed in seed {seed}, fold {number + 1}: {why}")
        return
    found = {"key": key, **result.as_dict()}
    write_json(file, found)
    judged.folds.append({**found, **where})
    tracks, scores = judged.dataset.decide(result.track_ids, result.scores)
    truth = judged.dataset.songs.set_index("track_id")["genre"].loc[tracks]
    right = int((np.array(judged.dataset.labels)[scores.argmax(axis=1)] == truth).sum())
    tell(
        f"{protocol.name}, seed {seed}, fold {number + 1}: {model.name} {right} of "
        f"{len(tracks)} right ({result.fit_seconds:.1f} s to learn)"
    )


def _prepare(judged: Judged, model: Contender, folder: Path, tell: Callable[[str], None]) -> None:
    """Let a model do once what all folds need, before any fold's time is taken."""
    if model.name in judged.prepared:
        return
    file = folder / PREPARED
    before = read_json(file) or {}
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    seconds = model.prepare(judged.dataset, work)
    # A run that goes on finds most of it done: what it took the first time is what counts.
    judged.prepared[model.name] = max(seconds, float(before.get(model.name, 0.0)))
    write_json(file, {**before, model.name: judged.prepared[model.name]})
    tell(f"{model.name}: prepared once for all folds in {seconds:.1f} s")


def _check(result: FoldResult, model: Contender, dataset: Dataset, split: Split) -> None:
    """Refuse an answer that is none before it is kept."""
    asked = set(dataset.table["track_id"].to_numpy()[split.indices(dataset.table, "test")])
    scores = np.asarray(result.scores, np.float64)
    wanted = (len(result.track_ids), len(dataset.labels))
    decided = set(result.track_ids)
    if not result.track_ids:
        raise EvaluationError(
            f"'{model.name}' decided no song of {len(asked)}",
            found="; ".join(sorted(set(result.skipped.values()))[:3]) or "nothing",
        )
    if scores.shape != wanted or not np.isfinite(scores).all():
        raise EvaluationError(
            f"'{model.name}' gave scores that cannot be used",
            found=f"shape {scores.shape}, {int((~np.isfinite(scores)).sum())} no numbers",
            wanted=f"finite numbers of shape {wanted}",
        )
    if not decided <= asked or len(decided) != len(result.track_ids):
        raise EvaluationError(f"'{model.name}' decided songs that it was not asked about, or twice")


def _safe(name: str) -> str:
    """Return a model's name as a file's."""
    return (
        re.sub(r"[^\w.+@-]", "_", name)
        if re.fullmatch(r"[\w.+@:,-]+", name)
        else (hashlib.sha256(name.encode()).hexdigest()[:16])
    )


def _claim(folder: Path, dataset: Dataset) -> None:
    """Make the folder this run's, or find that it is."""
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
            f"'{printable(folder)}' holds a run on other songs",
            found=f"{known.get('dataset')}, {known.get('digest')}",
            wanted=f"{about['dataset']}, {about['digest']}",
            remedy="pass another --out, or remove it",
        )
