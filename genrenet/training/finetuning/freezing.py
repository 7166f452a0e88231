"""Which stages of a network are trained, from which epoch on, and with what learning rate."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Literal

import pytorch_lightning as pl
from pytorch_lightning.callbacks import BaseFinetuning
from pytorch_lightning.trainer.states import TrainerFn
from torch import nn
from torch.optim import Optimizer

from genrenet.data.datamodule import GenreDataModule
from genrenet.training.finetuning.caching import CacheSizeError, cache_trunk
from genrenet.training.finetuning.errors import FinetuningError
from genrenet.training.module import GenreClassifier
from genrenet.utils.cache import CacheError
from genrenet.utils.progress import progress_bar

logger = logging.getLogger(__name__)

RENAMED = {"thaw": "unfreeze", "decay": "layer_decay"}
"""Former names of settings in checkpoints, and their present names."""


class LayerFreezing(BaseFinetuning):
    """Train some stages of a network, and keep the others frozen.

    Frozen stages get no gradient and stay in eval mode: their dropout is off and their batch-norms
    use the running statistics without updating them. All is reset at the end of the training.

    Parameters
    ----------
    train : sequence of str
        Stages trained from the start (``head``, ``conv5``, ``gru`` ...), ``last`` (the one before
        the head, whichever it is), or ``all``. See the network's ``stages``; a trainable front end
        is the stage ``frontend``.
    unfreeze : dict of int to list of str, optional
        Stages that are trained from the beginning of an epoch, counted from 0.
    rates : dict of str to float > 0, optional
        Factors of the learning rates of stages; others follow from ``layer_decay``.
    layer_decay : float in (0, 1]
        Ratio of a stage's learning rate to that of the stage above it; the head has the full rate.
    cache_trunk : bool or "auto"
        Compute the output of the stages below all that are ever trained only once per frame, before
        the first epoch. It needs fixed crops and no augmentation. ``auto`` does so if possible;
        True raises an error if it is not.

    Attributes
    ----------
    cache_seconds : float
        Time for computing the cache in the last training; 0 without a cache.
    cache_bytes : int
        Size of that cache.

    Raises
    ------
    FinetuningError
        When training starts: a stage the network does not have, nothing to train, a rate out of
        range, or a cache that is not possible.

    Notes
    -----
    Learning rates that fall from the head down, and unfreezing from the head down: Howard and Ruder
    (2018), "Universal language model fine-tuning for text classification".

    Every stage that is ever trained is a parameter group of the optimiser from the start, so that
    schedules and resumed runs have the same groups in every epoch.

    Examples
    --------
    >>> LayerFreezing(["head"], {5: ["conv5"]}, layer_decay=0.5)  # doctest: +ELLIPSIS
    <genrenet.training.finetuning.freezing.LayerFreezing object at ...>
    """

    def __init__(
        self,
        train: Sequence[str] = ("head",),
        unfreeze: dict[int, list[str]] | None = None,
        rates: dict[str, float] | None = None,
        layer_decay: float = 1.0,
        cache_trunk: bool | Literal["auto"] = "auto",
    ) -> None:
        super().__init__()
        self.train = [train] if isinstance(train, str) else list(train)
        self.unfreeze = {int(epoch): list(names) for epoch, names in (unfreeze or {}).items()}
        self.rates, self.layer_decay, self.cache_trunk = dict(rates or {}), layer_decay, cache_trunk
        self.cache_seconds, self.cache_bytes = 0.0, 0
        self._could_learn: set[int] = set()

    # --- the plan ---------------------------------------------------------------------------------

    def learning(self, model: GenreClassifier, epoch: int | None = None) -> list[str]:
        """Return stages trained in an epoch, or (None) in any, from the lowest to the highest.

        Raises
        ------
        FinetuningError
            A stage the network does not have.
        """
        stages = list(model.stages())
        later = [names for at, names in self.unfreeze.items() if epoch is None or at <= epoch]
        wanted = {_resolved(name, stages) for names in (self.train, *later) for name in names}
        _refuse_unknown(wanted - {"all"}, stages)
        return [name for name in stages if name in wanted or "all" in wanted]

    def stage_rates(self, model: GenreClassifier) -> dict[str, float]:
        """Return the factor of the learning rate of each stage that is ever trained."""
        stages = list(model.stages())
        rates = {_resolved(name, stages): rate for name, rate in self.rates.items()}
        _refuse_unknown(rates, stages)
        top = len(stages) - 1
        depth = {name: top - i for i, name in enumerate(stages)}
        return {
            name: rates.get(name, self.layer_decay ** depth[name]) for name in self.learning(model)
        }

    def _check(self, trainer: pl.Trainer, model: GenreClassifier) -> None:
        self.learning(model)
        if not self.learning(model, 0):
            raise FinetuningError(
                "no stage would be trained",
                found="no stage to train in the first epoch",
                wanted=f"one or more of {', '.join(model.stages())}, or all",
            )
        if not 0 < self.layer_decay <= 1 or any(rate <= 0 for rate in self.rates.values()):
            raise FinetuningError(
                "learning rates of stages",
                found=f"layer_decay {self.layer_decay:g}, rates {self.rates}",
                wanted="a layer_decay in (0, 1] and rates above 0",
                remedy="leave a stage out of 'train' to freeze it",
            )
        if any(epoch < 0 for epoch in self.unfreeze):
            raise FinetuningError(
                "epochs of unfreezing", found=f"{min(self.unfreeze)}", wanted="0 or more"
            )
        if trainer.world_size > 1 and self.learning(model, 0) != self.learning(model):
            raise FinetuningError(
                "stages cannot be unfrozen by several processes at once",
                found=f"{trainer.world_size} processes",
                wanted="one",
                remedy="train in two runs, or set trainer.devices to 1",
            )

    # --- Lightning's hooks ------------------------------------------------------------------------

    def setup(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        """Freeze before the optimiser is made; a test or a prediction needs none of this."""
        if stage == "fit":
            self._check(trainer, pl_module)
            super().setup(trainer, pl_module, stage)
            self.cache_seconds, self.cache_bytes, pl_module.trunk_end = 0.0, 0, None
            # Lightning's own hooks run before the weights of a checkpoint are loaded, or after a
            # schedule has had the training loader made to know its length.
            pl_module.before_optimizers = partial(self._cache, trainer, pl_module)

    def freeze_before_training(self, pl_module: Any) -> None:
        """Set the model's parameter groups, and freeze."""
        self._could_learn = {id(p) for p in pl_module.parameters() if p.requires_grad}
        pl_module.stage_rates = self.stage_rates(pl_module)
        self._stop_gradients(pl_module, 0)

    def _stop_gradients(self, model: GenreClassifier, epoch: int) -> None:
        stages = model.stages()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for name in self.learning(model, epoch):
            for parameter in stages[name].parameters():
                parameter.requires_grad_(id(parameter) in self._could_learn)

    def _freeze(self, model: GenreClassifier, epoch: int) -> None:
        """Make exactly the stages of an epoch trainable."""
        self._stop_gradients(model, epoch)
        stages, learning = model.stages(), self.learning(model, epoch)
        names = list(stages)
        model.frozen = [
            module
            for name, stage in stages.items()
            if name not in learning
            for module in stage.modules()
            if names.index(name) < names.index(learning[0]) or not _wants_training(module)
        ]
        model.train(model.training)

    def _cache(self, trainer: pl.Trainer, model: GenreClassifier) -> None:
        """Compute the output of the frozen trunk, if possible."""
        if self.cache_trunk is False:
            return
        obstacle = self.obstacle(trainer, model)
        if obstacle and self.cache_trunk is True:
            raise FinetuningError(
                "the frozen stages' output cannot be cached",
                found=obstacle,
                wanted="frozen stages below all others, fixed crops and no augmentation",
                remedy="set cache_trunk to auto or false",
            )
        if obstacle:
            logger.info("frozen stages are computed in every epoch: %s", obstacle)
            return
        data: Any = getattr(trainer, "datamodule", None)
        started = time.perf_counter()
        try:
            with progress_bar("running the frozen stages") as progress:
                until = self._trunk(model)[-1]
                self.cache_bytes = cache_trunk(model, data, until, progress, trainer.num_devices)
        except (CacheSizeError, CacheError, OSError) as error:
            if self.cache_trunk is True:
                raise
            logger.warning("frozen stages are computed in every epoch: %s", error)
        self.cache_seconds = time.perf_counter() - started

    def obstacle(self, trainer: pl.Trainer, model: GenreClassifier) -> str:
        """Return why there can be no cache; empty if there can."""
        data = getattr(trainer, "datamodule", None)
        if not isinstance(data, GenreDataModule):
            return "another data module than GenreDataModule"
        if data.crops != "fixed":
            return f"{data.crops} crops"
        for name in ("waveform_augment", "spec_augment", "mixup"):
            if getattr(model, name) is not None:
                return f"the augmentation {name}"
        if not model.network.is_headed:
            return f"the own forward of {type(model.network.owner).__name__}"
        if not self._trunk(model):
            return f"nothing frozen below {self.learning(model)[0]}"
        if any(getattr(trainer, name, 0) for name in ("fast_dev_run", "overfit_batches")):
            return "a trial run on a few batches"
        if trainer.strategy.restore_checkpoint_after_setup:
            return "a strategy that restores weights late"
        return ""

    def _trunk(self, model: GenreClassifier) -> list[str]:
        """Return the stages of the network below all that are ever trained."""
        stages, lowest = list(model.stages()), self.learning(model)[0]
        return [name for name in stages[: stages.index(lowest)] if name != "frontend"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Freeze modes too, of which Lightning would have warned before.

        For a run that is resumed within an epoch, this is the only hook at its beginning.
        """
        self._freeze(pl_module, trainer.current_epoch)

    def finetune_function(self, pl_module: Any, epoch: int, optimizer: Optimizer) -> None:
        """Unfreeze the stages that are trained from this epoch on."""
        self._freeze(pl_module, epoch)

    def teardown(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        """Undo everything except the trained weights."""
        if stage != "fit":
            return
        for parameter in pl_module.parameters():
            parameter.requires_grad_(parameter.requires_grad or id(parameter) in self._could_learn)
        pl_module.frozen, pl_module.stage_rates, pl_module.trunk_end = [], None, None
        pl_module.before_optimizers = None
        pl_module.train(pl_module.training)
        data = getattr(trainer, "datamodule", None)
        if isinstance(data, GenreDataModule):
            data.forget_hidden()

    def on_exception(self, trainer: pl.Trainer, pl_module: Any, exception: BaseException) -> None:
        """Undo it after a failure too."""
        if trainer.state.fn == TrainerFn.FITTING:
            self.teardown(trainer, pl_module, "fit")

    # --- resuming ---------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the plan; the optimiser's groups follow from it."""
        return {
            "train": self.train,
            "unfreeze": self.unfreeze,
            "rates": self.rates,
            "layer_decay": self.layer_decay,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Raise an error when resuming with another plan."""
        state_dict = {RENAMED.get(name, name): value for name, value in state_dict.items()}
        for name, wanted in self.state_dict().items():
            if state_dict.get(name) != wanted:
                raise FinetuningError(
                    f"the checkpoint was trained with other settings of LayerFreezing: {name}",
                    found=f"{state_dict.get(name)} in the checkpoint",
                    wanted=f"{wanted}",
                    remedy="resume with its settings, or train from its weights (Pretrained)",
                )


def _wants_training(module: nn.Module) -> bool:
    """Return whether a module computes the same in both modes, but has gradients (cuDNN's) only in
    one.
    """
    return isinstance(module, nn.RNNBase) and not module.dropout


def _resolved(name: str, stages: Sequence[str]) -> str:
    """Return the stage of a name in this network."""
    return stages[-2] if name == "last" and name not in stages else name


def _refuse_unknown(names: Iterable[str], stages: Sequence[str]) -> None:
    unknown = sorted(set(names) - set(stages))
    if unknown:
        raise FinetuningError(
            f"no stage {', '.join(map(repr, unknown))} in the network",
            wanted=f"{', '.join(stages)}, last (the one before the head) or all",
        )
