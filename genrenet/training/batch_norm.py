"""Batch-norms in training steps whose batch has too little to take statistics from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def fixed_norms(module: nn.Module, idle: bool, n_frames: int) -> Iterator[None]:
    """Let batch-norms keep and use the statistics they have, where a batch cannot give any.

    Parameters
    ----------
    module : Module
    idle : bool
        Whether no frame of the batch counts: then every batch-norm is fixed. Those that are
        synchronised are not: other processes wait for them.
    n_frames : int > 0
        Frames in the batch. One frame has no variance over frames, so a batch-norm of vectors
        (without a time or mel axis) is fixed too; the others take it over the frame.
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
