"""Lightning callbacks that write to TensorBoard: images, audio, embeddings, settings.

Losses, learning rate and metrics are logged by the classifier and by Lightning; these callbacks add
what is not a number. They do nothing if the logger is not TensorBoard's, nor during Lightning's
sanity check. Results are gathered from all processes; the first writes.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor

from genrenet.data.batches import to_float
from genrenet.data.datamodule import data_of
from genrenet.training.run_description import settings_of, settings_text, split_text
from genrenet.training.stage_logger import StageLogger
from genrenet.utils import figures
from genrenet.utils.errors import printable

Item = dict[str, Tensor]


def _tensorboard(trainer: pl.Trainer) -> TensorBoardLogger | None:
    """Return the trainer's TensorBoard writer, unless nothing is to be written now."""
    if trainer.sanity_checking:
        return None
    return next((log for log in trainer.loggers if isinstance(log, TensorBoardLogger)), None)


class StageImages(pl.Callback):
    """Confusion matrices after each validation and test; log-mels and audio of a few clips.

    Parameters
    ----------
    n_clips : int >= 0
        Number of validation clips: the same in every epoch, from as many genres as there are.
    every_n_epochs : int > 0
        Number of epochs between sets of images.

    Notes
    -----
    Tags: ``val/confusion_frames``, ``val/confusion_songs``, ``val/logmels``, ``val/clip_<n>``,
    ``test/confusion_frames``, ``test/confusion_songs``.
    """

    def __init__(self, n_clips: int = 4, every_n_epochs: int = 1) -> None:
        self.n_clips, self.every_n_epochs = n_clips, every_n_epochs
        self._wanted: dict[int, list[int]] = {}
        self._clips: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        self._heard = False

    def _due(self, trainer: pl.Trainer) -> TensorBoardLogger | None:
        fitting = trainer.state.fn == TrainerFn.FITTING
        skip = fitting and trainer.current_epoch % self.every_n_epochs
        return None if skip else _tensorboard(trainer)

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Choose the clips."""
        self._clips = []
        due = self._due(trainer) is not None and trainer.is_global_zero
        self._wanted = _choose_clips(trainer, self.n_clips) if due and self.n_clips else {}

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Item,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Store the chosen clips of a batch, on their device."""
        # With a cached trunk there are no waveforms to show.
        for row in self._wanted.get(batch_idx, ()) if "waveform" in batch else ():
            if row < len(batch["label"]):
                waveform = to_float(batch["waveform"][row : row + 1], batch["scale"][row : row + 1])
                clip = (outputs["logmel"][row], outputs["scores"][row], batch["label"][row])
                self._clips.append((waveform[0], *clip))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Write the images of an epoch."""
        # The classifier computes song predictions in on_validation_epoch_end, after its callbacks'.
        self._write_confusion(trainer, pl_module, "validation", "val")
        logger, clips, self._clips = self._due(trainer), self._clips, []
        if logger is None or not clips:
            return
        writer, step, labels = logger.experiment, trainer.global_step, pl_module.labels
        rate = pl_module.frontend.sample_rate
        logmels = torch.stack([logmel for _, logmel, _, _ in clips]).float().cpu().numpy()
        titles = [_verdict(scores, label, labels) for _, _, scores, label in clips]
        figure = figures.logmel_images(logmels, titles, len(clips[0][0]) / rate)
        writer.add_image("val/logmels", figures.to_array(figure), step, dataformats="HWC")
        if not self._heard:
            for number, (waveform, _, _, label) in enumerate(clips, 1):
                tag = f"val/clip_{number}_{'_'.join(_true(label, labels))}"
                writer.add_audio(tag, waveform.clamp(-1, 1).cpu()[None], step, sample_rate=rate)
            self._heard = True

    def on_test_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Write the confusion matrices of a test."""
        self._write_confusion(trainer, pl_module, "test", "test")

    def _write_confusion(self, trainer: pl.Trainer, model: Any, stage: str, prefix: str) -> None:
        logger = self._due(trainer)
        if logger is None or stage not in model.stage_metrics or model.multi_label:
            return
        for unit in ("frame", "song"):
            counts = getattr(
                model.stage_metrics[stage], f"{unit}_confusion"
            ).compute()  # on all processes
            if trainer.is_global_zero:
                table = counts.cpu().numpy()
                share = 100 * np.trace(table) / max(1, table.sum())
                title = f"{unit.capitalize()}s: {share:.1f} % of {table.sum()} right"
                image = figures.to_array(figures.confusion_matrix(table, model.labels, title))
                tag = f"{prefix}/confusion_{unit}s"
                logger.experiment.add_image(tag, image, trainer.global_step, dataformats="HWC")


def _choose_clips(trainer: pl.Trainer, count: int) -> dict[int, list[int]]:
    """Return rows of validation batches to store: first frames of songs, the genres in turn."""
    data = data_of(trainer)
    if data is None:
        return {0: list(range(count))}
    dataset = data.dataset("validation")
    # The first process sees every world_size-th frame, in order.
    songs = dataset.songs[:: trainer.world_size]
    limit = trainer.num_val_batches[0] * data.batch_size
    seen, rows = np.unique(songs[: int(min(limit, len(songs)))], return_index=True)
    kinds = np.unique(dataset.labels[seen], axis=0, return_inverse=True)[1].ravel()
    turn = pd.Series(kinds).groupby(kinds).cumcount().to_numpy()
    wanted: dict[int, list[int]] = {}
    for row in sorted(rows[np.argsort(turn, kind="stable")][:count].tolist()):
        wanted.setdefault(row // data.batch_size, []).append(row % data.batch_size)
    return wanted


def _true(label: Tensor, labels: list[str]) -> list[str]:
    """Return the genres of a song: one by its index, or several by a vector."""
    if label.ndim == 0:
        return [labels[int(label)]]
    return [name for name, has in zip(labels, label.tolist(), strict=True) if has]


def _verdict(scores: Tensor, label: Tensor, labels: list[str]) -> str:
    best, true = int(scores.argmax()), _true(label, labels)
    verdict = "recognised" if labels[best] in true else f"taken for {labels[best]}"
    return f"{', '.join(true)}, {verdict} ({100 * float(scores[best]):.0f} %)"


class SongProjector(pl.Callback):
    """The validation songs' embeddings, in TensorBoard's projector, at the end of training.

    A song is a tile in the colour of its genre, framed in that of the predicted genre.

    Parameters
    ----------
    max_songs : int > 0
        Maximum number of songs, spread over the validation part: the projector runs in a browser.
    """

    def __init__(self, max_songs: int = 5000) -> None:
        self.max_songs = max_songs
        self._sums: Tensor | None = None
        self._counts = torch.zeros(0)

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Reset at each epoch: it is not known beforehand which one is the last."""
        data = data_of(trainer)
        self._sums = None
        shown = pl_module.network.has_embedding and _tensorboard(trainer) is not None
        if data is not None and shown:
            n_songs, size = data.n_songs("validation"), pl_module.network.embedding_size
            self._sums = torch.zeros(n_songs, size, device=pl_module.device)
            self._counts = torch.zeros(n_songs, device=pl_module.device)

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Item,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Add a batch of frames to their songs."""
        if self._sums is not None:
            weight = batch["counted"].to(self._sums.dtype)
            embedding = outputs["embedding"].flatten(1).to(self._sums.dtype)
            self._sums.index_add_(0, batch["song"], embedding * weight[:, None])
            self._counts.index_add_(0, batch["song"], weight)

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Gather from all processes; write on the first."""
        logger, data, sums = _tensorboard(trainer), data_of(trainer), self._sums
        if logger is None or data is None or sums is None:
            return
        # Reduction works in place, and outside the inference mode in which the sums were made.
        sums, counts = (
            trainer.strategy.reduce(tensor.clone(), reduce_op="sum")
            for tensor in (sums, self._counts)
        )
        scores, _ = pl_module.stage_metrics["validation"].songs.compute()
        self._sums = None
        rows = torch.nonzero(counts).squeeze(1).cpu()
        if not trainer.is_global_zero or not len(rows):
            return
        if len(rows) > self.max_songs:
            rows = rows[torch.linspace(0, len(rows) - 1, self.max_songs).long()]
        means = (sums.cpu()[rows] / counts.cpu()[rows, None]).numpy()
        named = [pl_module.labels[i] for i in scores.argmax(dim=1).cpu()[rows].tolist()]
        songs = data.part("validation").iloc[rows.numpy()]
        files, names = songs["path"], zip(songs["title"], songs["path"], strict=True)
        titles = [title or os.path.basename(path) for title, path in names]
        true = songs["genres" if pl_module.multi_label else "genre"]
        # Each point is a tile in the colour of the song's genre: the projector shows no other
        # colours by default.
        tiles = figures.genre_tiles(list(songs["genre"]), named, pl_module.labels)
        cells = zip(true, named, titles, files, strict=True)
        lines = [[_cell(text) for text in row] for row in cells]
        header = ["genre", "predicted", "title", "path"]
        logger.experiment.add_embedding(
            means,
            lines,
            torch.from_numpy(tiles.transpose(0, 3, 1, 2)) / 255,
            global_step=trainer.global_step,
            tag="songs",
            metadata_header=header,
        )


def _cell(text: str) -> str:
    """Return text for a tab-separated table."""
    return " ".join("".join(c if c.isprintable() else " " for c in printable(text)).split())


MEASURED = ("song_accuracy", "frame_accuracy", "song_map", "song_roc_auc")
"""Metrics of the validation songs that are recorded for the best epoch, if available."""


class HyperParameters(pl.Callback):
    """The run's settings and songs as text, and the settings with their metrics in the HPARAMS tab.

    Tag: ``run`` in the TEXT tab, at the start. The HPARAMS tab shows, at the end, the last loss and
    `MEASURED` of the validation songs, and among the settings ``best_epoch`` with its metrics.

    Attributes
    ----------
    best : dict of str to float
        ``epoch``, ``loss`` and the available ones of `MEASURED`, of the epoch with the lowest loss
        on the validation songs; empty before the first.
    """

    def __init__(self) -> None:
        self._best = math.inf
        self.best: dict[str, float] = {}

    def state_dict(self) -> dict[str, Any]:
        """Return the best loss so far, for runs that are resumed."""
        return {"best": self._best, "figures": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a checkpoint."""
        self._best = float(state_dict["best"])
        self.best = dict(state_dict.get("figures", {}))  # older checkpoints have none

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Set Lightning's ``hparams.yaml``, and write what is known at the start."""
        logger, data = _tensorboard(trainer), data_of(trainer)
        if logger is None:
            return
        settings = settings_of(trainer, pl_module)
        logger.hparams.update(settings)
        told = settings_text(settings)
        if data is not None:
            told = f"{split_text(data)}\n\n{told}"
        logger.experiment.add_text("run", told, trainer.global_step)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Record the best loss."""
        loss = float(trainer.callback_metrics.get("val/loss", math.inf))
        if loss < self._best and not trainer.sanity_checking:
            self._best, self.best = loss, {"epoch": trainer.current_epoch, "loss": loss}
            for name in MEASURED:
                if f"val/{name}" in trainer.callback_metrics:
                    self.best[name] = float(trainer.callback_metrics[f"val/{name}"])

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Write settings and metrics."""
        logger, found = _tensorboard(trainer), trainer.callback_metrics
        if logger is None or not trainer.is_global_zero:
            return
        names = [f"val/{name}" for name in ("loss", *MEASURED) if f"val/{name}" in found]
        best = {
            f"best_{'' if name == 'epoch' else 'val_'}{name}": value
            for name, value in self.best.items()
        }
        if names:
            _write_settings(logger, {**settings_of(trainer, pl_module), **best}, names)


def _write_settings(logger: TensorBoardLogger, settings: dict[str, Any], names: list[str]) -> None:
    """Write settings for the HPARAMS tab, which takes metrics from the existing curves."""
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
    from torch.utils.tensorboard.summary import hparams

    places = [logger.place(n) if isinstance(logger, StageLogger) else ("", n) for n in names]
    summaries = hparams(settings, dict.fromkeys((tag for _, tag in places), 0.0))
    about = summaries[0].value[0].metadata.plugin_data
    content = HParamsPluginData.FromString(about.content)
    for info, (run, _) in zip(content.experiment.metric_infos, places, strict=True):
        info.name.group = run  # a run below this one
    about.content = content.SerializeToString()
    for summary in summaries:
        logger.experiment._get_file_writer().add_summary(summary)
