"""The level of a song and how much it changes, as features of any baseline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from genrenet.features import FeatureExtractor

FRAME = 2205
"""Samples in a frame: 0.1 s at 22,050 Hz."""


def loudness(waveform: Tensor) -> Tensor:
    """Return the mean and the standard deviation of the level of frames of 0.1 s.

    Parameters
    ----------
    waveform : Tensor of float32, shape (batch, samples)
        Mono, in [-1, 1], at 22,050 Hz; 0.5 s at least, as `FeatureExtractor` wants by default.

    Returns
    -------
    Tensor of float32, shape (batch, 2)
        In dB of full scale; digital silence counts as -80 dB.
    """
    import torch

    power = waveform.unfold(-1, FRAME, FRAME).square().mean(dim=-1)
    level = 10 * power.clamp_min(1e-8).log10()
    return torch.stack([level.mean(dim=1), level.std(dim=1)], dim=1)


@hookimpl
def register_features(register: Callable[[FeatureExtractor], None]) -> None:
    """Add the feature; change its ``version`` whenever ``loudness`` gives other numbers."""
    from genrenet.features import FeatureExtractor

    register(
        FeatureExtractor(
            name="loudness",
            summary="mean and deviation of the level in dB",
            extract=loudness,
            columns=("level", "level_deviation"),
        )
    )
