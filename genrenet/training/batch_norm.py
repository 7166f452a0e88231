"""Batch-norms in training steps with too few frames for batch statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def fixed_norms(module: nn.Module, idle: bool, n_frames: int) -> Iterator[None]:
    """Let batch-norms use their running statistics where a batch is too small.

    Parameters
    ----------
    module : Module
    idle : bool
        Whether no frame of the batch counts: then every batch-norm is fixed, except synchronised
        ones, which other processes wait for.
    n_frames : int > 0
        Number of frames in the batch. One frame has no variance over frames, so a batch-norm of
        vectors (without a mel or time axis) is fixed too; the others use the variance within the
        frame.
    """
    if not idle and n_frames > 1:
        yield
        return
    norms = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.training]
    norms = [m for m in norms if not isinstance(m, nn.SyncBatchNorm)]

    def fix(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        norm.training = not (idle or inputs[0].ndim == 2)

    hooks = [norm.register_forward_pre_hook(fix) for norm in norms]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for norm in norms:
            norm.training = True
