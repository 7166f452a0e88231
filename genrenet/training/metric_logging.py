"""The part of the LightningModule that computes and logs metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor

from genrenet.data.datasets import Item
from genrenet.data.frames import Aggregation
from genrenet.training.metrics import StageMetrics
from genrenet.training.multi_label_metrics import MultiLabelMetrics
from genrenet.utils.finite import NonFiniteError

STAGES = {"train": "fitting", "validation": "validation", "test": "test"}
"""Keys of a classifier's ``stage_metrics`` for the parts of a split."""


CHECK_EVERY = 50
"""Number of training steps between checks that the loss is finite."""


class Measured(pl.LightningModule):
    """A LightningModule with metrics per frame and per song for each part of a split.

    Attributes
    ----------
    stage_metrics : ModuleDict of StageMetrics, or of MultiLabelMetrics
        By ``fitting``, ``validation`` and ``test``; empty until the parts are known.
    multi_label : bool
        Whether songs have several genres each: targets are vectors then, and the loss is the
        weighted sum of the labels' binary cross-entropies. The best thresholds on the validation
        songs are chosen in every epoch and stored in checkpoints.
    provenance : dict
        See `genrenet.models.model.GenreModel`.
    """

    provenance: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.stage_metrics = torch.nn.ModuleDict()
        self.multi_label = False
        # Not a buffer: several processes would overwrite it with the first one's.
        self._first_bad: Tensor | None = None

    # --- losses that are not finite ---------------------------------------------------------------

    def watch_loss(self, loss: Tensor) -> None:
        """Record, on the device, the first training step whose loss is not finite."""
        if self._trainer is not None:
            step = self._trainer.fit_loop.total_batch_idx
            before = self._first_bad
            if before is None:
                before = torch.full((), -1, device=loss.device)
            first = (before < 0) & ~loss.detach().isfinite()
            self._first_bad = torch.where(first, step, before)

    def check_loss(self) -> None:
        """Stop the training if the loss of any process has been non-finite.

        Raises
        ------
        NonFiniteError
        """
        if self._first_bad is None:
            return
        step = int(self.trainer.strategy.reduce(self._first_bad.clone(), reduce_op="max"))
        if step >= 0:
            raise self.not_finite("the training loss is", f"in step {step}")

    def on_train_start(self) -> None:
        """Reset the record of an earlier training."""
        self._first_bad = None

    def not_finite(self, what: str, where: str) -> NonFiniteError:
        """Return the error that ends a training, with common remedies."""
        kept = [getattr(c, "_last_checkpoint_saved", "") for c in self.trainer.checkpoint_callbacks]
        saved = next((file for file in kept if file), "")
        return NonFiniteError(
            f"training stopped in epoch {self.trainer.current_epoch}: {what} not finite",
            found=f"NaN or infinity {where}",
            remedy="lower the learning rate (--model.optimizer.init_args.lr), clip gradients "
            "(--trainer.gradient_clip_val 1) or compute in full precision (--trainer.precision "
            f"32-true); {f'the weights before are in {saved}' if saved else 'nothing was saved'}",
        )

    def on_train_batch_end(self, outputs: Any, batch: Item, batch_idx: int) -> None:
        """Check the loss at intervals: each check waits for the device."""
        if batch_idx % CHECK_EVERY == 0:
            self.check_loss()

    # --- metrics ----------------------------------------------------------------------------------

    def make_metrics(
        self,
        labels: Sequence[str],
        n_songs: Mapping[str, int],
        aggregation: Aggregation,
        *,
        multi_label: bool = False,
    ) -> None:
        """Create metrics for the parts in ``n_songs``, with their numbers of songs."""
        kind = MultiLabelMetrics if multi_label else StageMetrics
        self.stage_metrics = torch.nn.ModuleDict(
            {STAGES[name]: kind(labels, count, aggregation) for name, count in n_songs.items()}
        )

    def log_loss(self, name: str, value: Tensor, weight: Tensor, *, on_step: bool = False) -> None:
        """Log a batch's loss, and its mean over the epoch and all processes.

        The weight of a batch is the number of its counted frames, or the sum of their weights.
        """
        self.log(
            name,
            value,
            on_step=on_step,
            on_epoch=True,
            prog_bar=True,
            sync_dist=True,
            batch_size=weight.detach().float(),  # type: ignore[arg-type]
        )

    def measure(self, name: str, scores: Tensor, batch: Item) -> None:
        """Update the metrics of a part with a batch's scores, if it has metrics."""
        if STAGES[name] in self.stage_metrics:
            metrics: Any = self.stage_metrics[STAGES[name]]
            metrics.update(scores, batch["label"], batch["song"], batch["counted"])

    def _log_metrics(self, name: str) -> None:
        if STAGES[name] not in self.stage_metrics:
            return
        metrics: Any = self.stage_metrics[STAGES[name]]
        prefix = "val" if name == "validation" else name
        for metric, value in metrics.compute().items():
            shown = metric in ("song_accuracy", "song_map") and name == "validation"
            self.log(f"{prefix}/{metric}", value, prog_bar=shown)

    def on_train_epoch_start(self) -> None:
        """Reset the last epoch's metrics."""
        self._reset("train")

    def on_validation_epoch_start(self) -> None:
        """Reset the last epoch's metrics; stop if the loss was not finite."""
        if self.trainer.state.fn == TrainerFn.FITTING:
            self.check_loss()
        self._reset("validation")

    def on_test_epoch_start(self) -> None:
        """Reset an earlier test's metrics."""
        self._reset("test")

    def _reset(self, name: str) -> None:
        if STAGES[name] in self.stage_metrics:
            metrics: Any = self.stage_metrics[STAGES[name]]
            metrics.reset()

    def on_train_epoch_end(self) -> None:
        """Log the training metrics, and stop if the loss was not finite."""
        self.check_loss()
        self._log_metrics("train")

    def on_validation_epoch_end(self) -> None:
        """Log validation metrics; during training, stop if the loss is not finite, and choose the
        thresholds for several genres.
        """
        loss = self.trainer.callback_metrics.get("val/loss")
        fitting = self.trainer.state.fn == TrainerFn.FITTING
        if fitting and loss is not None and not bool(loss.isfinite()):
            raise self.not_finite("the validation loss is", "over the validation frames")
        self._log_metrics("validation")
        if self.multi_label and fitting and self.trainer.validating:
            stage: Any = self.stage_metrics["validation"]
            self.provenance["answers"] = {"thresholds": stage.thresholds()}

    def on_test_epoch_end(self) -> None:
        """Log test metrics."""
        self._log_metrics("test")
