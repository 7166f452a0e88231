"""What all features begin with: samples in an exact type, frames of them, and blocks of frames."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn.functional import pad

from genrenet.features.base import FeatureError

CPU_BLOCK, DEVICE_BLOCK = 1 << 18, 1 << 26
"""Samples in a block of frames: what a processor's cache holds, or what keeps a GPU busy."""

Function = TypeVar("Function", bound=Callable[..., Tensor])


def precise(function: Function) -> Function:
    """Let a function of samples run without gradients and with autocast off.

    Half precision underflows before the logarithm, and no feature here is to be trained through.
    """

    @functools.wraps(function)
    def run(samples: Tensor, *args: object, **kwargs: object) -> Tensor:
        kind = samples.device.type
        autocast_off: AbstractContextManager[None] = (
            torch.autocast(kind, enabled=False)
            if torch.amp.autocast_mode.is_autocast_available(kind)
            else nullcontext()
        )
        with torch.no_grad(), autocast_off:
            return function(samples, *args, **kwargs)

    return run  # type: ignore[return-value]


def checked(samples: Tensor) -> Tensor:
    """Return the samples of songs in float32, or float64 where they are that already.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)

    Raises
    ------
    FeatureError
        Another shape, or no samples.
    """
    if samples.ndim != 2 or not samples.shape[1]:
        raise FeatureError(
            "features cannot be made of these samples",
            found=f"a tensor of shape {tuple(samples.shape)}",
            wanted="(batch, samples) with one sample at least",
        )
    return samples if samples.dtype == torch.float64 else samples.float()


def exact_type(samples: Tensor) -> torch.dtype:
    """Return float64, or float32 on a device that has nothing better (Apple's)."""
    return torch.float32 if samples.device.type == "mps" else torch.float64


def frames_of(samples: Tensor, length: int, hop: int) -> Tensor:
    """Return overlapping frames, as a view where there is one at least; else one, padded with
    zeros.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
    length, hop : int > 0
        In samples. What is left over at the end is dropped.

    Returns
    -------
    Tensor, shape (batch, n_frames, length)

    Raises
    ------
    FeatureError
        A length or a hop of no samples.
    """
    if length < 1 or hop < 1:
        raise FeatureError(
            "impossible frames",
            found=f"{length} samples every {hop}",
            wanted="one sample at least",
            remedy="set longer frames or intervals, or a higher sample rate",
        )
    if samples.shape[-1] < length:
        samples = pad(samples, (0, length - samples.shape[-1]))
    return samples.unfold(-1, length, hop)


def blocks(frames: Tensor) -> Iterator[slice]:
    """Yield consecutive ranges of frames that are worked on at once, in memory that does not grow.

    Temporary results of whole songs would go through main memory many times, and a block's fit a
    processor's cache. A GPU gets larger ones.

    Parameters
    ----------
    frames : Tensor, shape (batch, n_frames, length)
    """
    budget = CPU_BLOCK if frames.device.type == "cpu" else DEVICE_BLOCK
    size = max(1, budget // max(1, frames.shape[0] * frames.shape[2]))
    for start in range(0, frames.shape[1], size):
        yield slice(start, min(start + size, frames.shape[1]))
