"""One fold of one model as a task for any process, on any machine that can access the run's folder.

A task writes its own files, so that finished work is kept whatever happens to the rest:

``folds/<protocol>/seed<s>-fold<f>/<model>.json``
    Predictions of a model for a fold's songs, under a key of all inputs.
``folds/<protocol>/seed<s>-fold<f>/<model>.log``
    Why a model failed on a fold, with the traceback.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import traceback
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genrenet.data.splits import Split
from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.methods import Contender, FoldResult
from genrenet.evaluation.protocols import Fold
from genrenet.evaluation.stored_json import read_json, write_json
from genrenet.utils.errors import GenrenetError
from genrenet.utils.hardware import fast_half, one_gpu

VERSION = 1
"""Part of the key of a fold's result: incremented when the same settings give another result."""


class EvaluationError(GenrenetError):
    """A run that cannot be started or resumed, or whose folder belongs to another run."""


@dataclass(frozen=True)
class Shared:
    """The data that all tasks of a run need; sent to every process once.

    Attributes
    ----------
    dataset : Dataset
    models : dict of str to Contender
        By name, prepared.
    folder : Path
        Absolute path of the run's folder.
    machine : dict of str to str
        See `machine`.
    """

    dataset: Dataset
    models: dict[str, Contender]
    folder: Path
    machine: dict[str, str]


@dataclass(frozen=True)
class Task:
    """One fold of one model.

    Attributes
    ----------
    protocol : str
    seed : int
    number : int
        Of the fold, from 0.
    fold : Fold
    model : str
    key : str
        Hash of all inputs of the result.
    """

    protocol: str
    seed: int
    number: int
    fold: Fold
    model: str
    key: str

    @property
    def place(self) -> Path:
        """Its folder below ``folds`` and ``work``."""
        return Path(self.protocol, f"seed{self.seed}-fold{self.number}")

    @property
    def file(self) -> Path:
        """Path of its result, in the run's folder."""
        return Path("folds", self.place, f"{safe_name(self.model)}.json")

    @property
    def log(self) -> Path:
        """Path of its error log, in the run's folder."""
        return self.file.with_suffix(".log")

    def known(self, folder: Path) -> dict[str, Any] | None:
        """Return its result from an earlier run, if that is still valid."""
        found = read_json(folder / self.file)
        return found if found is not None and found.get("key") == self.key else None


def task_key(
    dataset: Dataset, model: Contender, fold: Fold, seed: int, machine: Mapping[str, str]
) -> str:
    """Return the key that identifies a fold's result by songs, settings and versions."""
    parts = fold.split.parts.sort_index().to_csv()
    made_of = [VERSION, fold.own_validation, dataset.digest, parts, seed, model.about(), machine]
    return hashlib.sha256(json.dumps(made_of, default=str).encode()).hexdigest()


def carry_out(shared: Shared, task: Task, *, alone: bool = True) -> dict[str, Any]:
    """Train and test a model on one fold, and store the result.

    Parameters
    ----------
    shared : Shared
    task : Task
    alone : bool
        Whether no other process runs tasks of the run; otherwise models that use a GPU take turns
        on it.

    Returns
    -------
    dict
        The stored result, or ``{"error": why}``. A model's failure, of any kind, is returned
        instead of raised: it must not affect the others.
    """
    model, dataset, split = shared.models[task.model], shared.dataset, task.fold.split
    file, log = shared.folder / task.file, shared.folder / task.log
    log.unlink(missing_ok=True)
    # Predictions of an earlier run for deformed songs are still valid.
    before = (task.known(shared.folder) or {}).get("deformed", {})
    model = copy.copy(model)
    model.deformations = [one for one in model.deformations if one.name not in before]
    try:
        with one_gpu() if model.uses_gpu and not alone else nullcontext():
            result = model.judge(
                dataset,
                split,
                task.seed,
                shared.folder / "work" / task.place / task.key[:12],
                own_validation=task.fold.own_validation,
            )
        _check(result, model, dataset, split)
    except Exception as error:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc(), "utf-8", "backslashreplace")
        return {"error": reason(error)}
    found = {"key": task.key, **result.as_dict(), "deformed": {**before, **result.deformed}}
    write_json(file, found)
    return found


def reason(error: BaseException) -> str:
    """Return an error's message: this package's errors as they are, others with their type."""
    return str(error) if isinstance(error, GenrenetError) else repr(error)


def machine() -> dict[str, str]:
    """Return the other inputs that affect the results of the same settings."""
    import torch

    device = "cpu"
    if torch.cuda.is_available():
        device = "cuda"
    elif torch.backends.mps.is_available():
        device = "mps"
    version = ".".join(torch.__version__.split(".")[:2])
    return {"torch": version, "device": device, "half_precision": str(fast_half(device))}


def _check(result: FoldResult, model: Contender, dataset: Dataset, split: Split) -> None:
    """Raise an error for an invalid result before it is stored."""
    asked = set(dataset.table["track_id"].to_numpy()[split.indices(dataset.table, "test")])
    scores = np.asarray(result.scores, np.float64)
    wanted = (len(result.track_ids), len(dataset.labels))
    decided = set(result.track_ids)
    if not result.track_ids:
        raise EvaluationError(
            f"'{model.name}' gave no prediction for any of {len(asked)} songs",
            found="; ".join(sorted(set(result.skipped.values()))[:3]) or "nothing",
        )
    if scores.shape != wanted or not np.isfinite(scores).all():
        raise EvaluationError(
            f"'{model.name}' gave scores that cannot be used",
            found=f"shape {scores.shape}, {int((~np.isfinite(scores)).sum())} no numbers",
            wanted=f"finite numbers of shape {wanted}",
        )
    if not decided <= asked or len(decided) != len(result.track_ids):
        raise EvaluationError(f"'{model.name}' gave predictions for other songs, or twice")


def safe_name(name: str) -> str:
    """Return a model's name as a file name."""
    return (
        re.sub(r"[^\w.+@-]", "_", name)
        if re.fullmatch(r"[\w.+@:,-]+", name)
        else (hashlib.sha256(name.encode()).hexdigest()[:16])
    )
