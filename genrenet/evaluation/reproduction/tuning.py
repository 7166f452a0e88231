"""Fine-tuning study: which stages of a published network to train, and with which optimiser.

Every network starts from its backbone and trains {the head, the last convolution and the head, the
recurrent layers and the head, everything} with {Adam, SGD with Nesterov momentum}. The weights of
the epoch with the lowest validation loss are evaluated on test songs. ``results.json`` in the
study's folder has every run; a run stored there with the same settings is not repeated.
"""

from __future__ import annotations

import logging
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from genrenet.data.datamodule import GenreDataModule
from genrenet.evaluation.datasets import read_dataset
from genrenet.evaluation.metrics import evaluate
from genrenet.evaluation.stored_json import read_json, write_json
from genrenet.models.checkpoints import load_model
from genrenet.models.networks import GenreNetwork
from genrenet.training.finetuning import LayerFreezing, Pretrained
from genrenet.training.module import GenreClassifier
from genrenet.training.schedules import OneCycle
from genrenet.training.stage_logger import StageLogger
from genrenet.utils.atomic import write_text
from genrenet.utils.errors import GenrenetError

STAGES = {
    "head": "head",
    "last-conv": "last convolution + head",
    "recurrent": "recurrent layers + head",
    "all": "all stages",
}
OPTIMISERS = {"adam": "Adam", "sgd": "SGD Nesterov"}
MAKERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
}
BACKBONES = {"cnn": "msd-cnn", "crnn": "msd-crnn"}
RATES = {"adam": 1e-3, "sgd": 1e-2}
FIGURES = ("n_songs", "song_accuracy", "song_ci95", "n_frames", "frame_accuracy", "frame_ci95")


class TuningError(GenrenetError):
    """A study with nothing to compare."""


@dataclass(frozen=True)
class Study:
    """The settings and songs of a study.

    Parameters
    ----------
    data : str
        A collection; see `genrenet.data.datamodule.GenreDataModule`.
    backbones : mapping of str to str
        Names of the networks, and the checkpoint each starts from.
    stages : sequence of str
        Some of `STAGES`; a network without such a stage is skipped there.
    optimisers : sequence of str
        Some of `OPTIMISERS`.
    epochs : int > 0
    split : str
        See `genrenet.data.datamodule.GenreDataModule`.
    max_songs : int > 0, optional
        Maximum number of songs of each part of the split.
    labels : {"auto", "folders", "tags"}
        Where genres are taken from.
    batch_size : int > 0
    seed : int
    """

    data: str
    backbones: Mapping[str, str] = field(default_factory=lambda: dict(BACKBONES))
    stages: Sequence[str] = tuple(STAGES)
    optimisers: Sequence[str] = tuple(OPTIMISERS)
    epochs: int = 30
    split: str = "auto"
    max_songs: int | None = None
    labels: str = "auto"
    batch_size: int = 16
    seed: int = 0


class History(pl.Callback):
    """Metrics and seconds of every epoch."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self._started: float | None = None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Close the last epoch, whose metrics are complete only now, and start the timer."""
        self._close(trainer)
        self._started = time.perf_counter()

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Close the last epoch."""
        self._close(trainer)

    def _close(self, trainer: pl.Trainer) -> None:
        if self._started is not None:
            found = {name: float(value) for name, value in trainer.callback_metrics.items()}
            self.epochs.append({"seconds": time.perf_counter() - self._started, **found})


def stages_of(network: GenreNetwork, kind: str) -> list[str] | None:
    """Return names of the trainable stages; None if the network has no such stage."""
    if kind in ("head", "all"):
        return [kind]
    start = "conv" if kind == "last-conv" else "gru"
    found = [name for name in network.stages() if name.startswith(start)]
    return [found[-1], "head"] if found else None


def run_study(
    study: Study, folder: Path, tell: Callable[[str], None] = print
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Train and evaluate all combinations that are not in ``results.json`` yet.

    Parameters
    ----------
    study : Study
    folder : Path
        Folder of ``results.json``, the curves in ``tensorboard`` and the weights in
        ``checkpoints``.
    tell : callable
        Called with a line for every combination.

    Returns
    -------
    rows : list of dict
        ``network``, ``stages``, ``optimiser``, `FIGURES`, ``split_name``, ``best_epoch`` (from 1),
        ``epoch_seconds``, ``seconds``, ``cache_seconds`` and ``history``: a dict per epoch, with
        ``train/loss``, ``train/frame_accuracy``, ``val/loss``, ``val/frame_accuracy`` and
        ``seconds``.
    failed : dict of str to str
        Combinations that could not be trained, and why.

    Raises
    ------
    TuningError
        No network has any of the stages, or a name is unknown.
    """
    for given, known in ((study.stages, STAGES), (study.optimisers, OPTIMISERS)):
        if unknown := [name for name in given if name not in known]:
            raise TuningError("fine-tuning", found=", ".join(unknown), wanted=", ".join(known))
    file = folder / "results.json"
    rows: dict[str, Any] = read_json(file) or {}
    digest = read_dataset(study.data, labels=study.labels).digest
    folder.mkdir(parents=True, exist_ok=True)
    found, failed = [], {}
    for network, backbone in study.backbones.items():
        try:
            source = load_model(backbone).network
        except GenrenetError as error:
            failed[network] = str(error)
            tell(f"{network} cannot be fine-tuned: {error}")
            continue
        for stages, kind in product(study.stages, study.optimisers):
            learning = stages_of(source, stages)
            if learning is None:
                continue
            name = f"{network}-{stages}-{kind}"
            plan = {key: value for key, value in asdict(study).items() if key not in _LISTS}
            plan |= {"songs": digest, "backbone": backbone, "rate": RATES[kind]}
            if rows.get(name, {}).get("settings") == plan:
                tell(f"{name}: already done")
                found.append(rows[name])
                continue
            try:
                with _calm():
                    measured = _train(study, folder, name, backbone, learning, kind)
            except Exception as error:  # one failure must not affect the others
                failed[name] = str(error) if isinstance(error, GenrenetError) else repr(error)
                text = traceback.format_exc()
                write_text(folder / f"{name}.log", text, errors="backslashreplace")
                tell(f"{name}: failed: {failed[name]}")
                continue
            about = {"network": network, "stages": stages, "optimiser": kind, "settings": plan}
            rows[name] = {**about, **measured}
            found.append(rows[name])
            write_json(file, rows)
            right = f"{100 * measured['song_accuracy']:.1f} % of {measured['n_songs']} test songs"
            tell(f"{name}: {right}, {measured['seconds']:.0f} s")
    if not found and not failed:
        raise TuningError(
            "nothing to fine-tune",
            found=f"none of the stages {', '.join(study.stages)} in {', '.join(study.backbones)}",
            wanted="stages that a network has",
        )
    return found, failed


_LISTS = ("backbones", "stages", "optimisers")


@contextmanager
def _calm() -> Iterator[None]:
    """Suppress messages of Lightning that are expected here."""
    known = "many workers|smaller than the logging|directory .* exists|LeafSpec"
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", f".*({known})")
        logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            logger.setLevel(level)


def _train(
    study: Study, folder: Path, name: str, backbone: str, stages: list[str], kind: str
) -> dict[str, Any]:
    frames = load_model(backbone).frames
    data = GenreDataModule(
        study.data,
        labels=study.labels,
        split=study.split,
        split_seed=study.seed,
        frame_seconds=frames.seconds,
        sample_rate=frames.sample_rate,
        crops="fixed",
        batch_size=study.batch_size,
        max_songs=study.max_songs,
        seed=study.seed,
    )
    model = GenreClassifier(
        data.labels,
        network=Pretrained(backbone, seed=study.seed),
        optimizer=partial(MAKERS[kind], lr=RATES[kind]),
        lr_scheduler=OneCycle,
        seed=study.seed,
    )
    freezing, history = LayerFreezing(stages), History()
    best = ModelCheckpoint(
        folder / "checkpoints", name, monitor="val/loss", enable_version_counter=False
    )
    trainer = pl.Trainer(
        max_epochs=study.epochs,
        callbacks=[freezing, history, best],
        logger=StageLogger(folder, "tensorboard", name),
        gradient_clip_val=5.0,
        log_every_n_steps=5,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    started = time.perf_counter()
    trainer.fit(model, data)
    seconds = time.perf_counter() - started
    trainer.test(model, data, ckpt_path=best.best_model_path, verbose=False, weights_only=True)
    test: Any = model.stage_metrics["test"]
    scores, target = test.songs.compute()
    found = evaluate(target.cpu(), scores.cpu(), data.labels, test.frame_confusion.compute().cpu())
    warm = history.epochs[1:] or history.epochs  # the first one also warms up
    losses = [epoch["val/loss"] for epoch in history.epochs]
    return {
        **{key: found[key] for key in FIGURES},
        "split_name": data.split.name,
        "n_train": len(data.part("train")),
        "n_validation": len(data.part("validation")),
        "best_epoch": int(np.argmin(losses)) + 1,
        "epoch_seconds": float(np.median([epoch["seconds"] for epoch in warm])),
        "seconds": seconds,
        "cache_seconds": freezing.cache_seconds,
        "history": history.epochs,
    }


def overfitting_start(history: Sequence[Mapping[str, float]]) -> int | None:
    """Return the epoch, counted from 1, after which a network overfits; None if it does not.

    That is the epoch with the lowest validation loss, if the final validation loss is higher and
    the final training loss is lower.

    Parameters
    ----------
    history : sequence of mapping
        ``val/loss`` and ``train/loss`` of every epoch.

    Examples
    --------
    >>> epochs = [(2.0, 2.0), (1.0, 1.5), (0.5, 1.8)]
    >>> overfitting_start([{"train/loss": train, "val/loss": val} for train, val in epochs])
    2
    """
    best = min(range(len(history)), key=lambda epoch: history[epoch]["val/loss"])
    rose = history[-1]["val/loss"] > history[best]["val/loss"]
    fell = history[-1]["train/loss"] < history[best]["train/loss"]
    return best + 1 if rose and fell else None
