"""Settings of the classical features and names of their columns, without computing any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrenet.features.base import FeatureError
from genrenet.models.mel import MelNorm, MelScale

SHORT_TERM_MFCC = 13
"""Number of cepstral coefficients among the short-term features."""
N_BANDS, PATTERN = 77, 10
"""Bands of the spectral pattern, a semitone each, and frames in a block of it."""
RATES = 0.5 * 2 ** (np.arange(16) / 3)
"""Centres of the modulation bands in Hz: 0.5 to 16."""
MODULATION_MFCC = 20
"""Number of cepstral coefficients whose modulation spectrum is computed."""

SPECTRAL_NAMES: tuple[str, ...] = (
    *(f"mfcc_{i}" for i in range(1, 21)),
    *(f"chroma_{i}" for i in ("c", "cs", "d", "ds", "e", "f", "fs", "g", "gs", "a", "as", "b")),
    "spectral_centroid",
    "zero_crossing_rate",
    "spectral_rolloff",
)
"""Names of the rows of `spectral_features`."""

SHORT_TERM_NAMES: tuple[str, ...] = (
    "zcr",
    "energy",
    "energy_entropy",
    "spectral_centroid",
    "spectral_spread",
    "spectral_entropy",
    "spectral_flux",
    "spectral_rolloff",
    *(f"mfcc_{i}" for i in range(1, SHORT_TERM_MFCC + 1)),
    *(f"chroma_{i}" for i in range(1, 13)),
    "chroma_std",
)
"""Names of the features, as in pyAudioAnalysis. ``chroma_1`` is A."""

BLOCK_LEVEL_NAMES = (
    *(f"band{band}_rank{rank}" for band in range(N_BANDS) for rank in range(PATTERN)),
    *(f"mfcc{row}_{rate:.2g}hz" for row in range(1, MODULATION_MFCC + 1) for rate in RATES),
)
"""Names of the columns of `genrenet.features.block_level.block_level`."""


def gaussian_columns(dimensions: int) -> tuple[str, ...]:
    """Return the column names of a Gaussian.

    Examples
    --------
    >>> gaussian_columns(2)
    ('mean_1', 'mean_2', 'cov_1_1', 'cov_1_2', 'cov_2_1', 'cov_2_2')
    """
    numbers = np.arange(1, dimensions + 1)
    means = [f"mean_{i}" for i in numbers]
    return (*means, *(f"cov_{i}_{j}" for i in numbers for j in numbers))


@dataclass(frozen=True)
class MfccGaussianSettings:
    """Settings of the Gaussians of songs.

    Parameters
    ----------
    sample_rate : int > 0 [Hz]
    middle : float in (0, 1]
        Share of the song that is used, from its middle; only this part is decoded.
    frame, interval : float > 0 [seconds]
        Length of the frames, and hop between them.
    n_fft : int > 0 [samples], optional
        Frames are padded with zeros to this length; the next power of two by default.
    n_mels, n_mfcc : int > 0
        Number of mel bands, and of coefficients, including the first (the loudness).
    f_min, f_max : float >= 0 [Hz]
        Range of the bands; ``f_max=None`` is half the sample rate.
    scale : {"htk", "slaney"}
        Mel scale, see `genrenet.features.filters.mel_bank`.
    norm : {"none", "slaney"}
        Height of the bands, see there.
    log_floor : float > 0
        Minimum power in a band before the natural logarithm.
    pre_emphasis : float in [0, 1)
        Share of each sample that is subtracted from the next; 0 turns it off.
    relative, absolute : float >= 0
        The diagonal of the covariance is raised by ``relative`` times the mean of the variances
        plus ``absolute``. The first keeps the condition number below ``n_mfcc / relative``; the
        second makes the covariance of a constant song, which is zero, positive definite.
    """

    sample_rate: int = 22_050
    middle: float = 0.5
    frame: float = 0.020
    interval: float = 0.010
    n_fft: int | None = None
    n_mels: int = 20
    n_mfcc: int = 15
    f_min: float = 0.0
    f_max: float | None = None
    scale: MelScale = "htk"
    norm: MelNorm = "none"
    log_floor: float = 1e-10
    pre_emphasis: float = 0.0
    relative: float = 1e-6
    absolute: float = 1e-4

    def __post_init__(self) -> None:
        fits = self.n_fft is None or self.n_fft >= self.frame_samples
        if not 0 < self.n_mfcc <= self.n_mels or not fits:
            raise FeatureError(
                "impossible MFCC",
                found=f"{self.n_mfcc} of {self.n_mels} bands and an FFT of {self.n_fft} samples",
                wanted=f"no more than the bands, of frames of {self.frame_samples} samples",
            )
        if self.log_floor <= 0 or self.relative < 0 or self.absolute <= 0:
            raise FeatureError(
                "the Gaussians would not be positive definite",
                found=f"log_floor {self.log_floor:g}, relative {self.relative:g}, "
                f"absolute {self.absolute:g}",
                wanted="log_floor > 0, relative >= 0 and absolute > 0",
            )

    @property
    def frame_samples(self) -> int:
        """Length of a frame in samples."""
        return round(self.frame * self.sample_rate)

    @property
    def fft_samples(self) -> int:
        """Length of the FFT in samples."""
        return self.n_fft or 1 << (self.frame_samples - 1).bit_length()
