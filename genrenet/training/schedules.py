"""Learning-rate schedules that get their length from the trainer.

This is own code because torch's ``OneCycleLR`` needs its length when it is created, before the
trainer knows it, and keeps the old length when a training is resumed with another one.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from genrenet.utils.errors import GenrenetError


class ScheduleError(GenrenetError):
    """A schedule used before its length is known, or with settings out of range."""


class OneCycle(LRScheduler):
    """A cosine increase to each group's learning rate, then a cosine decrease to nearly zero.

    torch's own ``OneCycleLR`` needs the number of steps and one peak when it is created. This one
    takes each parameter group's ``lr`` as that group's peak (so that lower layers may have smaller
    rates), and the classifier sets the number of steps when the trainer knows it.

    Parameters
    ----------
    optimizer : Optimizer
    warmup : float in (0, 1)
        Share of the steps with increasing rate.
    start, end : float in (0, 1]
        First and last learning rate as a fraction of the peak.
    total_steps : int > 0, optional
        Number of optimiser steps; see `set_total_steps`.

    Notes
    -----
    Smith and Topin (2019), "Super-convergence".
    """

    interval = "step"

    def __init__(
        self,
        optimizer: Optimizer,
        warmup: float = 0.2,
        start: float = 0.04,
        end: float = 1e-3,
        total_steps: int | None = None,
    ) -> None:
        if not 0 < warmup < 1:
            raise ScheduleError(
                "one-cycle warm-up", found=f"{warmup:g}", wanted="a share between 0 and 1"
            )
        self.warmup, self.start, self.end, self.total_steps = warmup, start, end, total_steps
        super().__init__(optimizer)

    def set_total_steps(self, total_steps: float) -> None:
        """Set how many optimiser steps the cycle lasts.

        Raises
        ------
        ScheduleError
            The number is unknown.
        """
        if not math.isfinite(total_steps):
            raise ScheduleError(
                "the one-cycle schedule needs the length of the training",
                found="a training without a last epoch or step",
                wanted="a number of steps",
                remedy="pass --trainer.max_epochs or --trainer.max_steps (--trainer.max_time may "
                "still end the training before), or --model.lr_scheduler null",
            )
        self.total_steps = int(total_steps)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a checkpoint.

        The rate is a function of the step and the number of steps. If this training has another
        number than the checkpoint's, because it is to be longer or shorter, it continues with the
        rate of the new cycle at the present step.
        """
        told = self.total_steps
        super().load_state_dict(state_dict)
        if told is not None and told != self.total_steps:
            self.total_steps = told
            self._last_lr = self.get_lr()
            for group, rate in zip(self.optimizer.param_groups, self._last_lr, strict=True):
                group["lr"] = rate

    def factor(self, step: int) -> float:
        """Return the learning rate at a step (counted from 0) as a fraction of the peak."""
        if step == 0:
            return self.start
        if self.total_steps is None:
            raise ScheduleError(
                "the one-cycle schedule does not know its length",
                wanted="a number of steps",
                remedy="call set_total_steps, or pass total_steps",
            )
        climb = max(1.0, self.warmup * self.total_steps)
        if step < climb:
            low, high, share = self.start, 1.0, step / climb
        else:
            share = min(1.0, (step - climb) / max(1.0, self.total_steps - 1 - climb))
            low, high = 1.0, self.end
        return high + (low - high) * 0.5 * (1.0 + math.cos(math.pi * share))

    def get_lr(self) -> list[float | Tensor]:
        """Return the learning rates of all groups at the present step."""
        return [base * self.factor(self.last_epoch) for base in self.base_lrs]
