"""The part of the LightningModule that measures: what is summed in which epoch, and logged when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from genrenet.data import Item
from genrenet.frames import Decision
from genrenet.metrics import StageMetrics

STAGES = {"train": "fitting", "validation": "validation", "test": "test"}
"""Keys of a classifier's ``stage_metrics`` for the parts of a split."""


class Measured(pl.LightningModule):
    """A LightningModule with metrics per frame and per song for each part of a split.

    Attributes
    ----------
    stage_metrics : ModuleDict of StageMetrics
        By ``fitting``, ``validation`` and ``test``; empty until the parts are known.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stage_metrics = torch.nn.ModuleDict()

    def make_metrics(
        self, labels: Sequence[str], n_songs: Mapping[str, int], decision: Decision
    ) -> None:
        """Start anew, with the parts in ``n_songs`` and their numbers of songs."""
        self.stage_metrics = torch.nn.ModuleDict(
            {STAGES[name]: StageMetrics(labels, count, decision) for name, count in n_songs.items()}
        )

    def log_loss(self, name: str, value: Tensor, batch: Item, *, on_step: bool = False) -> None:
        """Log a batch's loss, and its mean over the epoch and all processes."""
        self.log(
            name,
            value,
            on_step=on_step,
            on_epoch=True,
            prog_bar=True,
            sync_dist=True,
            # What only fills up the last batch of a process is no part of the mean.
            batch_size=batch["counted"].sum().float(),  # type: ignore[arg-type]
        )

    def measure(self, name: str, scores: Tensor, batch: Item) -> None:
        """Take a batch's scores into the measurements of a part, if it is measured."""
        if STAGES[name] in self.stage_metrics:
            metrics: Any = self.stage_metrics[STAGES[name]]
            metrics.update(scores, batch["label"], batch["song"], batch["counted"])

    def _log_metrics(self, name: str) -> None:
        if STAGES[name] not in self.stage_metrics:
            return
        metrics: Any = self.stage_metrics[STAGES[name]]
        prefix = "val" if name == "validation" else name
        for metric, value in metrics.compute().items():
            shown = metric == "song_accuracy" and name == "validation"
            self.log(f"{prefix}/{metric}", value, prog_bar=shown)

    def on_train_epoch_start(self) -> None:
        """Forget the last epoch's measurements."""
        self._reset("train")

    def on_validation_epoch_start(self) -> None:
        """Forget the last epoch's measurements."""
        self._reset("validation")

    def on_test_epoch_start(self) -> None:
        """Forget an earlier test's measurements."""
        self._reset("test")

    def _reset(self, name: str) -> None:
        if STAGES[name] in self.stage_metrics:
            metrics: Any = self.stage_metrics[STAGES[name]]
            metrics.reset()

    def on_train_epoch_end(self) -> None:
        """Log what was measured while training."""
        self._log_metrics("train")

    def on_validation_epoch_end(self) -> None:
        """Log validation metrics."""
        self._log_metrics("validation")

    def on_test_epoch_end(self) -> None:
        """Log test metrics."""
        self._log_metrics("test")
