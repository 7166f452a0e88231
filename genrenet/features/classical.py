"""The classical features that come with the package, ready for any learner of rows."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

import torch
from torch import Tensor

from genrenet.features.base import FeatureExtractor
from genrenet.features.mfcc_gaussian import (
    MfccGaussianSettings,
    gaussian_columns,
    mfcc_gaussian,
)
from genrenet.features.patterns import PATTERN_NAMES, patterns
from genrenet.features.short_term import short_term_statistics, statistics_columns
from genrenet.features.spectral import FIVE_NAMES, five


def five_statistics(samples: Tensor) -> Tensor:
    """Mean and standard deviation over the song of `genrenet.features.spectral.five`.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
        At 22,050 Hz.

    Returns
    -------
    Tensor, shape (batch, 70)
        All means, then all deviations.
    """
    frames = five(samples)
    return torch.cat([frames.mean(dim=2), frames.std(dim=2, correction=0)], dim=1)


def gaussian_features(
    settings: MfccGaussianSettings | None = None,
    *,
    name: str = "mfcc-gaussian",
    summary: str = "mean and covariance of MFCC in the middle of the song",
) -> FeatureExtractor:
    """MFCC Gaussians with given settings as an extractor.

    Parameters
    ----------
    settings : MfccGaussianSettings, optional
    name, summary : str
        What it is to be called.
    """
    chosen = settings or MfccGaussianSettings()
    return FeatureExtractor(
        name,
        summary,
        partial(mfcc_gaussian, settings=chosen),
        gaussian_columns(chosen.n_mfcc),
        kind="gaussians",
        sample_rate=chosen.sample_rate,
        middle=chosen.middle,
        settings=asdict(chosen),
    )


MFCC_GAUSSIAN = gaussian_features(MfccGaussianSettings(sample_rate=12_000, interval=0.020))

FIVE = FeatureExtractor(
    "five",
    "mean and deviation of MFCC, chroma, centroid, zero crossings and roll-off",
    five_statistics,
    (*(f"{name}_mean" for name in FIVE_NAMES), *(f"{name}_std" for name in FIVE_NAMES)),
)

SHORT_TERM = FeatureExtractor(
    "short-term",
    "mid-term means and deviations of pyAudioAnalysis' 34 short-term features",
    short_term_statistics,
    statistics_columns(),
)

PATTERNS = FeatureExtractor(
    "patterns",
    "spectral pattern, and modulation spectrum of MFCC",
    patterns,
    PATTERN_NAMES,
    max_seconds=300.0,
)

CLASSICAL = (MFCC_GAUSSIAN, FIVE, SHORT_TERM, PATTERNS)
"""All extractors of this module."""
