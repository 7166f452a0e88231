"""Common first steps of all features: exact data types, frames, and blocks of frames."""

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
"""Samples in a block of frames: fits in a CPU cache, or keeps a GPU busy."""

Function = TypeVar("Function", bound=Callable[..., Tensor])


def precise(function: Function) -> Function:
    """Decorate a function of samples to run without gradients and with autocast off.

    Half precision underflows before the logarithm, and gradients are not needed.
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
    """Return the samples of songs in float32, or unchanged if they are float64.

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
    """Return float64, or float32 on a device that does not support it (Apple's)."""
    return torch.float32 if samples.device.type == "mps" else torch.float64


def frames_of(samples: Tensor, length: int, hop: int) -> Tensor:
    """Return overlapping frames, as a view if there is at least one; else one, padded with zeros.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
    length, hop : int > 0
        In samples. The remainder at the end is dropped.

    Returns
    -------
    Tensor, shape (batch, n_frames, length)

    Raises
    ------
    FeatureError
        A length or a hop of zero samples.
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
    """Yield consecutive ranges of frames that are processed together, in bounded memory.

    Temporary results of whole songs would be written to main memory many times, while those of a
    block fit in a CPU cache. Blocks for a GPU are larger.

    Parameters
    ----------
    frames : Tensor, shape (batch, n_frames, length)
    """
    budget = CPU_BLOCK if frames.device.type == "cpu" else DEVICE_BLOCK
    size = max(1, budget // max(1, frames.shape[0] * frames.shape[2]))
    for start in range(0, frames.shape[1], size):
        yield slice(start, min(start + size, frames.shape[1]))
