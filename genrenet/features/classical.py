"""The classical features of the package, for any estimator that takes rows."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from genrenet.features.base import FeatureExtractor
from genrenet.features.definitions import (
    BLOCK_LEVEL_NAMES,
    SHORT_TERM_NAMES,
    SPECTRAL_NAMES,
    MfccGaussianSettings,
    gaussian_columns,
)
from genrenet.utils.lazy import Lazy


def _own(module: str, name: str) -> Lazy:
    return Lazy(f"genrenet.features.{module}", name)


def _of_song(names: tuple[str, ...]) -> tuple[str, ...]:
    return (*(f"{name}_mean" for name in names), *(f"{name}_std" for name in names))


def gaussian_features(
    settings: MfccGaussianSettings | None = None,
    *,
    name: str = "mfcc-gaussian",
    summary: str = "mean and covariance of MFCC in the middle of the song",
) -> FeatureExtractor:
    """Return MFCC Gaussians with given settings as an extractor.

    Parameters
    ----------
    settings : MfccGaussianSettings, optional
    name, summary : str
        Name and description of the extractor.
    """
    chosen = settings or MfccGaussianSettings()
    return FeatureExtractor(
        name,
        summary,
        partial(_own("mfcc_gaussian", "mfcc_gaussian"), settings=chosen),
        gaussian_columns(chosen.n_mfcc),
        kind="gaussians",
        sample_rate=chosen.sample_rate,
        middle=chosen.middle,
        settings=asdict(chosen),
    )


MFCC_GAUSSIAN = gaussian_features(MfccGaussianSettings(sample_rate=12_000, interval=0.020))

SPECTRAL_STATS = FeatureExtractor(
    "spectral-stats",
    "mean and deviation of MFCC, chroma, centroid, zero crossings and roll-off",
    _own("spectral", "spectral_statistics"),
    _of_song(SPECTRAL_NAMES),
)

SHORT_TERM = FeatureExtractor(
    "short-term",
    "mid-term means and deviations of pyAudioAnalysis' 34 short-term features",
    _own("short_term", "short_term_statistics"),
    _of_song(SHORT_TERM_NAMES),
)

BLOCK_LEVEL = FeatureExtractor(
    "block-level",
    "spectral pattern, and modulation spectrum of MFCC",
    _own("block_level", "block_level"),
    BLOCK_LEVEL_NAMES,
    max_seconds=300.0,
)

CLASSICAL = (MFCC_GAUSSIAN, SPECTRAL_STATS, SHORT_TERM, BLOCK_LEVEL)
"""All extractors of this module."""
