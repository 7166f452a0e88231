"""Lightning callbacks that write the results of a test or a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from genrenet.data.datamodule import GenreDataModule, data_of
from genrenet.data.splits import song_names
from genrenet.evaluation import metrics
from genrenet.evaluation.report import multi_label_test
from genrenet.evaluation.report.test_report import (
    predictions_table,
    write_predictions,
    write_report,
)
from genrenet.training.metrics import SongScores
from genrenet.utils.errors import printable


def _folder(trainer: pl.Trainer) -> Path:
    """Return the run's folder; a collective operation, so every process must call it."""
    return Path(trainer.log_dir or trainer.default_root_dir)


def _gather(
    trainer: pl.Trainer, songs: SongScores, data: GenreDataModule, part: str
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return scores, targets and frames of all songs; a collective operation like `_folder`.

    A song with non-finite scores is skipped: it has no frames, and the target -1.
    """
    scores, target = songs.compute()
    # Reduction works in place, and outside the inference mode in which the counts were made.
    frames = trainer.strategy.reduce(songs.counts.clone(), reduce_op="sum")
    assert isinstance(frames, Tensor)
    found = scores.cpu().double().numpy(), target.cpu().numpy(), frames.cpu().numpy()
    bad = ~np.isfinite(found[0]).all(axis=1)
    for path in data.part(part)["path"].to_numpy()[bad]:
        data.skip(path, f"'{printable(path)}' was not scored: its scores are not finite")
    for values, nothing in zip(found, (0, -1, 0), strict=True):
        values[bad] = nothing
    return found


def gather_skipped(data: GenreDataModule) -> None:
    """Share the skipped songs of each process with all; collective like `_folder`."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        found: list[dict[str, str]] = [{}] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(found, data.skipped)
        data.skipped = {path: why for skipped in found for path, why in skipped.items()}


class TestReport(pl.Callback):
    """Writes the report of a test into the run's folder ``report``, and prints a summary.

    Files that are segments of songs are evaluated by song; ``predictions.csv`` has a row per file.
    Nothing is written under ``fast_dev_run``, or if the data come from another data module.

    Attributes
    ----------
    results : dict, optional
    page : Path, optional
        Path of the report, once it is written.
    """

    __test__ = False  # pytest: not a test class

    results: dict[str, Any] | None = None
    page: Path | None = None

    def on_test_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Gather from all processes; write on the first."""
        data = data_of(trainer)
        stages: Any = getattr(pl_module, "stage_metrics", {})
        if data is None or "test" not in stages or getattr(trainer, "fast_dev_run", False):
            return
        stage = stages["test"]
        confusion = None
        if not data.multi_label:
            confusion = stage.frame_confusion.compute().cpu().numpy()
        scores, target, frames = _gather(trainer, stage.songs, data, "test")
        gather_skipped(data)
        folder = _folder(trainer) / "report"
        if not trainer.is_global_zero:
            return
        table = data.part("test")
        if data.multi_label:
            about = _about(trainer, pl_module, data)
            limits = pl_module.provenance.get("answers", {}).get("thresholds", {})
            self._write_several(folder, about, data.labels, limits, (table, scores, target, frames))
            return
        files = predictions_table(table, scores, data.labels, frames)
        if "song" in table:
            table, scores, target, frames = _songs(table, scores, target, frames)
        results = {
            **_about(trainer, pl_module, data),
            **metrics.evaluate(target, scores, data.labels, confusion),
        }
        page = write_report(folder, results, predictions_table(table, scores, data.labels, frames))
        write_predictions(page.with_name("predictions.csv"), files)
        self.results, self.page = results, page
        print(summary(results))
        print(f"report: {printable(page)}")

    def _write_several(
        self,
        folder: Path,
        about: Mapping[str, Any],
        labels: Sequence[str],
        limits: Mapping[str, float],
        files: tuple[pd.DataFrame, NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]],
    ) -> None:
        """Write the report of songs with several genres."""
        table, scores, target, frames = _songs(*files) if "song" in files[0] else files
        part = multi_label_test.judged(table, scores, target, frames, labels, limits)
        results = {**about, **multi_label_test.results(part, table, labels)}
        page = multi_label_test.write_report(folder, results)
        limited = files[0], files[1], files[3]
        rows = multi_label_test.predictions(*limited, labels, part.thresholds)
        write_predictions(page.with_name("predictions.csv"), rows)
        self.results, self.page = results, page
        print(multi_label_test.summary(results))
        print(f"report: {printable(page)}")


def _songs(
    table: pd.DataFrame,
    scores: NDArray[np.float64],
    target: NDArray[np.int64],
    frames: NDArray[np.int64],
) -> tuple[pd.DataFrame, NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return songs instead of the segments cut from them; every frame has equal weight."""
    rows, songs = pd.factorize(table["song"])
    total = np.bincount(rows, weights=frames, minlength=len(songs))
    sums = np.zeros((len(songs), scores.shape[1]))
    np.add.at(sums, rows, scores * frames[:, None])
    truth = np.full((len(songs), *target.shape[1:]), -1)
    np.maximum.at(truth, rows, target)
    whole = table.drop_duplicates("song")
    return whole, sums / np.maximum(total, 1)[:, None], truth, total.astype(np.int64)


def _about(trainer: pl.Trainer, model: Any, data: GenreDataModule) -> dict[str, Any]:
    """Return the description of a test's data and model."""
    parts = {
        name: {"songs": len(set(song_names(data.part(name)))), "frames": None}
        for name in ("train", "validation", "test")
    }
    parts["test"]["frames"] = len(data.dataset("test"))
    description = dict(model.description())
    if data.catalog.notes:
        description["collection"] = "; ".join(data.catalog.notes)
    checkpoint = trainer.ckpt_path
    return {
        "method": description["network"]["name"],
        "dataset": data.catalog.name,
        "split": data.split.name,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "checkpoint": printable(checkpoint) if checkpoint else None,
        "parts": parts,
        "skipped": [{"path": printable(p), "reason": why} for p, why in data.skipped.items()],
        "truncated": [{"path": printable(p), "reason": why} for p, why in data.truncated.items()],
        "description": description,
    }


def summary(results: Mapping[str, Any]) -> str:
    """Return the summary of a test in one line.

    Examples
    --------
    >>> print(summary({"song_accuracy": 0.68, "song_ci95": [0.55, 0.79], "n_songs": 60,
    ...                "split": "stratified, seed 0"}))
    song accuracy 0.68 (95 % interval 0.55 to 0.79, n = 60); split: stratified, seed 0
    """
    units = [
        f"{unit} accuracy {results[f'{unit}_accuracy']:.2f} (95 % interval "
        f"{results[f'{unit}_ci95'][0]:.2f} to {results[f'{unit}_ci95'][1]:.2f}, "
        f"n = {results[f'n_{unit}s']})"
        for unit in ("song", "frame")
        if f"{unit}_accuracy" in results
    ]
    return f"{', '.join(units)}; split: {results['split']}"


class PredictionWriter(pl.Callback):
    """Writes ``predictions.csv``, one row per song, at the end of a prediction.

    Scores are summed per song as frames come, so memory does not grow with their number.

    Attributes
    ----------
    file : Path, optional
        Its path, once it is written.
    songs : int
        Number of songs in it.
    """

    def __init__(self) -> None:
        self._songs: SongScores | None = None
        self.file: Path | None = None
        self.songs = 0

    def on_predict_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Allocate a row for each song."""
        data = data_of(trainer)
        self._songs = None
        if data is not None and not getattr(trainer, "fast_dev_run", False):
            songs = SongScores(data.n_songs("all"), len(data.labels), pl_module.aggregation)
            self._songs = songs.to(pl_module.device)
            if pl_module.device.type != "mps":
                # Then no printed digit depends on the order of a sum, which varies between
                # processes.
                self._songs.totals = self._songs.totals.double()

    def on_predict_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Add a batch of frames."""
        if self._songs is not None:
            label, song, counted = batch["label"], outputs["song"], outputs["counted"]
            self._songs.update(outputs["scores"], label, song, counted)

    def on_predict_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Gather from all processes; write on the first."""
        data, songs = data_of(trainer), self._songs
        if data is None or songs is None:
            return
        scores, _, frames = _gather(trainer, songs, data, "all")
        folder = _folder(trainer)
        self._songs = None
        if trainer.is_global_zero:
            table: pd.DataFrame = data.part("all")
            predictions = predictions_table(table, scores, data.labels, frames)
            file = write_predictions(folder / "predictions.csv", predictions)
            self.file, self.songs = file, len(predictions)
            missing = len(table) - len(predictions)
            left_out = f" ({missing} could not be read)" if missing else ""
            print(f"predictions of {len(predictions)} songs{left_out}: {printable(file)}")
