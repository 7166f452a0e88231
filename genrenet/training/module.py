"""The LightningModule around a model: loss, optimiser, metrics, and content of checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Parameter
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from genrenet.data.batches import to_float
from genrenet.data.datasets import Item
from genrenet.data.frames import Aggregation
from genrenet.models.description import CheckpointMismatchError, compare
from genrenet.models.frontend import LogMel
from genrenet.models.model import GenreModel, NetworkMaker
from genrenet.models.networks import CNN
from genrenet.models.outputs import Activation, frame_losses, log_scores
from genrenet.models.plain import ModelError
from genrenet.training.augmentation import Mixup, SpecAugment, WaveformAugment
from genrenet.training.batch_norm import fixed_norms
from genrenet.training.metric_logging import Measured
from genrenet.training.parameter_groups import check_groups, decays, parameter_groups
from genrenet.training.several_genres import output_for_several, several_losses
from genrenet.utils.finite import NonFiniteError, non_finite

Scheduler = LRScheduler | ReduceLROnPlateau


class ClassifierError(ModelError):
    """Training settings that do not fit together."""


class GenreClassifier(GenreModel, Measured):
    """Train a `GenreModel`.

    Parameters
    ----------
    labels, network, frontend, activation, aggregation, channels_last
        See `genrenet.models.model.GenreModel`. Where songs have several genres each, ``softmax``
        becomes ``sigmoid``.
    optimizer : callable
        Returns the optimiser for the parameters.
    lr_scheduler : callable, optional
        Returns the schedule for the optimiser. One with ``set_total_steps`` receives the number of
        steps; its ``interval`` is "step" or (the default) "epoch".
    label_smoothing : float in [0, 1)
        Share of the target spread over all labels; for several genres per song, over yes and no.
    class_weights : {"none", "balanced"} or sequence of float
        Weights of the labels in the loss; ``balanced`` gives each label the same total weight.
    waveform_augment, spec_augment, mixup : modules, optional
        Augmentation during training; None leaves it out.
    seed : int
        Seed of dropout and augmentation, per step, so that a resumed run has the same random
        numbers as an uninterrupted one.

    Attributes
    ----------
    frozen : list of Module
        Modules that stay in eval mode while the others are trained: without dropout, and with the
        running statistics of their batch-norms.
    stage_rates : dict of str to float, optional
        Factor of the learning rate of each of the trained `stages`; None puts all parameters in one
        group.
    trunk_end : str, optional
        The stage whose output is in a batch's entry ``hidden``; see `genrenet.training.finetuning`.
    before_optimizers : callable, optional
        Called when the weights are loaded, before the loaders are used.

    Raises
    ------
    ModelError
        Fewer than two labels, or arguments that are not modules.
    ClassifierError
        Settings out of range.
    """

    def __init__(
        self,
        labels: Sequence[str],
        network: Callable[[int], nn.Module] | NetworkMaker = CNN,
        # Options without a class are those of LogMel.
        frontend: LogMel | nn.Module | Callable[[], nn.Module] | None = None,
        optimizer: Callable[[Iterable[Parameter]], Optimizer] = AdamW,
        lr_scheduler: Callable[[Optimizer], Scheduler] | None = None,
        activation: Activation = "softmax",
        label_smoothing: float = 0.0,
        class_weights: Literal["none", "balanced"] | Sequence[float] = "none",
        waveform_augment: WaveformAugment | None = None,
        spec_augment: SpecAugment | None = None,
        mixup: Mixup | None = None,
        aggregation: Aggregation = "mean",
        channels_last: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(labels, network, frontend, activation, aggregation, channels_last)
        if not 0 <= label_smoothing < 1:
            raise ClassifierError(
                "label_smoothing", found=f"{label_smoothing:g}", wanted="a share from 0 to below 1"
            )
        self.waveform_augment, self.spec_augment, self.mixup = waveform_augment, spec_augment, mixup
        self._make_optimizer, self._make_scheduler = optimizer, lr_scheduler
        self.label_smoothing, self.seed = label_smoothing, seed
        self._class_weights = class_weights
        self.frozen: list[torch.nn.Module] = []
        self.stage_rates: dict[str, float] | None = None
        self.trunk_end: str | None = None
        self._loaded_states: list[dict[str, Any]] = []
        self.before_optimizers: Callable[[], None] | None = None
        self.label_weights: Tensor
        self.register_buffer("label_weights", torch.ones(len(self.labels)), persistent=False)
        if not isinstance(class_weights, str):
            self._set_weights(class_weights)

    # --- batches ----------------------------------------------------------------------------------

    def frame_scores(self, batch: Item) -> dict[str, Tensor]:
        """Return ``logits``, ``scores`` and, if available, ``embedding`` and ``logmel``."""
        found = {}
        if "hidden" in batch:
            found["embedding"] = self._embed_hidden(batch["hidden"])
        else:
            found["logmel"] = self.frontend(to_float(batch["waveform"], batch["scale"]))
            if self.network.has_embedding:
                found["embedding"] = self.network.embed(found["logmel"])
        if self.network.is_headed or "hidden" in batch:
            logits = self.network.head(found["embedding"]).float()
        else:
            logits = self.network(found["logmel"]).float()
        found = {name: value.float() for name, value in found.items()}
        return {"logits": logits, "scores": log_scores(logits, self.activation).exp(), **found}

    def _embed_hidden(self, hidden: Tensor) -> Tensor:
        """Return the embedding of frames from the output of the trunk at ``trunk_end``."""
        features = self.network.forward_features(hidden, after=self.trunk_end)
        return self.network.forward_head(features, pre_logits=True)

    # --- set-up -----------------------------------------------------------------------------------

    def setup(self, stage: str) -> None:
        """Set up for the data module's data, and check that it fits the network."""
        data: Any = getattr(self.trainer, "datamodule", None)
        self.multi_label = getattr(data, "multi_label", False)
        if self.multi_label:
            self.activation = output_for_several(self.activation)
        if stage == "fit" and self.trainer.checkpoint_callbacks:
            self.description()  # fail before the training if it cannot be stored
        if data is None:
            return
        self._check(data)
        self.frames = data.frames
        self.check_parts()
        backbone = {key: self.provenance[key] for key in ("backbone",) if key in self.provenance}
        if stage != "predict":
            # A model for inference was not trained on these songs, which need no split.
            self.provenance = {**backbone, "dataset": data.catalog.name, "split": data.split.name}
        if self._class_weights == "balanced":
            counts = torch.tensor(data.label_counts, dtype=torch.float)
            self._set_weights((counts.sum() / (len(counts) * counts.clamp_min(1))).tolist())
        parts = {"fit": ["train", "validation"], "validate": ["validation"], "test": ["test"]}
        self.make_metrics(
            self.labels,
            {name: data.n_songs(name) for name in parts.get(stage, [])},
            self.aggregation,
            multi_label=self.multi_label,
        )

    def _check(self, data: Any) -> None:
        n_stft_frames = self.frontend.n_stft_frames(data.frames.n_samples)
        wanted = self.network.settings.get("n_stft_frames", n_stft_frames)
        mels = self.frontend.n_mels
        pairs = {
            "labels": (data.labels, self.labels),
            "sample rate": (data.frames.sample_rate, self.frontend.sample_rate),
            "STFT frames of a frame": (n_stft_frames, wanted),
            "mel bands": (mels, self.network.settings.get("n_mels", mels)),
        }
        options = (
            f"--data.sample_rate {self.frontend.sample_rate} "
            f"--data.frame_seconds {self.network.frame_seconds:g}"
        )
        for what, (found, expected) in pairs.items():
            if found != expected:
                heard = what in ("sample rate", "columns of a frame")
                raise ClassifierError(
                    f"the data and the network differ in {what}",
                    found=f"{found} in the data",
                    wanted=f"{expected}",
                    remedy=f"use the settings the network was made with{heard * f': {options}'}",
                )

    def _set_weights(self, weights: Sequence[float]) -> None:
        if len(weights) != len(self.labels) or min(weights) < 0:
            raise ClassifierError(
                "class_weights", found=str(list(weights)), wanted=f"{len(self.labels)} weights >= 0"
            )
        self.label_weights.copy_(torch.tensor(weights))

    def configure_optimizers(self) -> Any:
        """Create the optimiser and its schedule."""
        if self.before_optimizers is not None:
            self.before_optimizers()
        optimizer = self._optimizer()
        if self._make_scheduler is None:
            return optimizer
        scheduler = self._make_scheduler(optimizer)
        if hasattr(scheduler, "set_total_steps"):
            scheduler.set_total_steps(self.trainer.estimated_stepping_batches)
        settings = {
            "scheduler": scheduler,
            "interval": getattr(scheduler, "interval", "epoch"),
            "monitor": "val/loss",
        }
        return {"optimizer": optimizer, "lr_scheduler": settings}

    def _optimizer(self) -> Optimizer:
        """Create the optimiser; biases and batch-norms have no weight decay."""
        decay = decays(self._make_optimizer)
        if self.stage_rates is None and not decay:  # some optimisers, such as LBFGS, take no groups
            return self._make_optimizer(p for p in self.parameters() if p.requires_grad)
        optimizer = self._make_optimizer(self._parameter_groups(decay))  # type: ignore[arg-type]
        for group in optimizer.param_groups:  # before a schedule uses the rates as its peaks
            group["lr"] *= group.pop("rate")
        return optimizer

    def _parameter_groups(self, decay: bool) -> list[dict[str, Any]]:
        if self.stage_rates is None:
            learning = [p for p in self.parameters() if p.requires_grad]
            return parameter_groups({"weights": learning}, {"weights": 1.0}, decay=decay)
        # Stages that are unfrozen later are included from the start: schedules have the groups that
        # existed when they were created, and an optimiser skips parameters without gradients.
        stages = {name: list(stage.parameters()) for name, stage in self.stages().items()}
        return parameter_groups(stages, self.stage_rates, decay=decay)

    def stages(self) -> dict[str, torch.nn.Module]:
        """Return named parts from input to output; a trainable front end is ``frontend``."""
        frontend = {"frontend": self.frontend} if self.frontend.trainable else {}
        return {**frontend, **self.network.stages()}

    def train(self, mode: bool = True) -> GenreClassifier:
        """Set the mode of all modules except the frozen ones, which stay in eval mode."""
        super().train(mode)
        for module in self.frozen:
            module.training = False
        return self

    # --- steps ------------------------------------------------------------------------------------

    def on_fit_start(self) -> None:
        """Check that a checkpoint's model has not changed, and that its optimiser fits.

        Callbacks have been restored by now: their errors are more specific.
        """
        self.check_response_of(str(self.trainer.ckpt_path))
        states, self._loaded_states = self._loaded_states, []
        for optimizer in self.trainer.optimizers[:1]:
            check_groups(states, optimizer)

    def on_validation_start(self) -> None:
        """Check that a checkpoint's model has not changed."""
        self.check_response_of(str(self.trainer.ckpt_path))

    on_test_start = on_predict_start = on_validation_start

    def on_train_batch_start(self, batch: Item, batch_idx: int) -> None:
        """Seed this step's dropout and augmentation."""
        step = self.trainer.fit_loop.total_batch_idx
        seed = (self.seed * 1_000_003 + step) * 1_009 + self.global_rank
        torch.manual_seed(seed % 2**63)

    def training_step(self, batch: Item, batch_idx: int) -> Tensor:
        """Return the loss of a batch of frames, as its share of the loss of all processes."""
        with fixed_norms(self, "idle" in batch, len(batch["label"])):
            return self._training_step(batch)

    def _training_step(self, batch: Item) -> Tensor:
        target = self._target(batch)
        if "hidden" in batch:
            logits = self.network.head(self._embed_hidden(batch["hidden"])).float()
        else:
            logmel, target = self._augmented(batch, target)
            logits = self.network(logmel).float()
        return self._learn(logits, *self._loss(logits, target, batch["counted"]), batch)

    def _target(self, batch: Item) -> Tensor:
        """Return the targets of frames, shape (batch, labels)."""
        if self.multi_label:
            return batch["label"].float()
        return F.one_hot(batch["label"], len(self.labels)).float()

    def _augmented(self, batch: Item, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return augmented log-mels, and the targets mixed accordingly."""
        waveform = to_float(batch["waveform"], batch["scale"])
        if self.waveform_augment is not None:
            waveform = self.waveform_augment(waveform)
        logmel = self.frontend(waveform)
        if self.spec_augment is not None:
            logmel = self.spec_augment(logmel)
        return (logmel, target) if self.mixup is None else self.mixup(logmel, target)

    def _learn(self, logits: Tensor, total: Tensor, weight: Tensor, batch: Item) -> Tensor:
        """Log a batch, and return its loss from the sums of the frames' losses and of their
        weights.
        """
        loss = total / weight.clamp_min(1e-8)
        self.watch_loss(loss)
        self.log_loss("train/loss", loss, weight, on_step=True)
        scores = log_scores(logits.detach(), self.activation).exp()
        self.measure("train", scores, batch)
        processes = 1 if self._trainer is None else self._trainer.world_size
        if processes == 1:
            return loss
        # Gradients are averaged over the processes, whose batches may have fewer counted frames.
        everywhere = self.trainer.strategy.reduce(weight.detach().clone(), reduce_op="sum")
        return total * processes / everywhere.clamp_min(1e-8)

    def _loss(self, logits: Tensor, target: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum of the counted frames' cross-entropies with soft targets, and the sum of
        their weights.
        """
        if self.multi_label:
            losses = several_losses(logits, target, self.label_weights, self.label_smoothing)
            return (losses * counted).sum(), counted.sum().float()
        smoothed = (1 - self.label_smoothing) * target + self.label_smoothing / len(self.labels)
        losses = frame_losses(logits, smoothed, self.activation)
        weights = (target * self.label_weights).sum(dim=-1) * counted
        return (losses * weights).sum(), weights.sum()

    def _evaluate(self, name: str, batch: Item) -> dict[str, Tensor]:
        outputs = self.frame_scores(batch)
        logits = outputs["logits"]
        losses = frame_losses(logits, self._target(batch), self.activation) * batch["counted"]
        count = batch["counted"].sum()
        loss = losses.sum() / count.clamp_min(1)
        self.log_loss(f"{'val' if name == 'validation' else name}/loss", loss, count)
        self.measure(name, outputs["scores"], batch)
        return outputs

    def validation_step(self, batch: Item, batch_idx: int) -> dict[str, Tensor]:
        """Return logits, scores, embeddings and log-mels of validation frames; see
        `frame_scores`.
        """
        return self._evaluate("validation", batch)

    def test_step(self, batch: Item, batch_idx: int) -> dict[str, Tensor]:
        """Return logits, scores, embeddings and log-mels of test frames."""
        return self._evaluate("test", batch)

    def predict_step(self, batch: Item, batch_idx: int) -> dict[str, Tensor]:
        """Return the scores of frames, with the song and the start in seconds of each."""
        found = self.frame_scores(batch)
        kept = {key: batch[key] for key in ("song", "start", "counted")}
        return {**kept, **{key: found[key] for key in ("scores", "embedding") if key in found}}

    # --- checkpoints ------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the description and the latest metrics to a Lightning checkpoint."""
        self.check_loss()
        if broken := non_finite(checkpoint["state_dict"]):
            raise self.not_finite(
                "weights or the statistics of batch-norms are",
                f"in {broken[0]}" + (f" and {len(broken) - 1} more" if broken[1:] else ""),
            )
        found = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
        metrics = {name: value for name, value in found.items() if math.isfinite(value)}
        checkpoint["genrenet"] = {**self.saved_description(), "metrics": metrics}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Raise an error for a checkpoint whose settings differ from this model's."""
        found = checkpoint.get("genrenet")
        if found is None:
            raise CheckpointMismatchError(
                "the checkpoint was not written by genrenet",
                found=f"entries {sorted(checkpoint)}",
                wanted="an entry 'genrenet'",
            )
        compare(found, self.description())
        self._loaded_states = checkpoint.get("optimizer_states", [])
        if broken := non_finite(checkpoint["state_dict"]):
            raise NonFiniteError(
                "the checkpoint holds weights that are not finite numbers",
                found=f"{len(broken)} tensors, the first {broken[0]}",
                remedy="use an earlier checkpoint of the run",
            )
        self.wanted_response = found.get("probe")
        kept = ("backbone", "answers") if self.multi_label else ("backbone",)
        self.provenance |= {key: found[key] for key in kept if key in found}
