"""Songs as Gaussians of their MFCC: what the report's nearest neighbours compare.

The frames of a song's middle half become points in the space of their first 15 cepstral
coefficients, and the song becomes the mean and the full covariance of these points (Mandel and
Ellis, 2005, "Song-level features and support vector machines for music classification").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genrenet.features.base import FeatureError
from genrenet.features.filters import constant, dct_matrix, hamming, mel_bank
from genrenet.features.framing import blocks, checked, exact_type, frames_of, precise
from genrenet.models.mel import Matrix, MelNorm, MelScale


@dataclass(frozen=True)
class MfccGaussianSettings:
    """How songs become Gaussians.

    Parameters
    ----------
    sample_rate : int > 0 [Hz]
    middle : float in (0, 1]
        Share of the song that is used, from its middle; decoding reads no more.
    frame, interval : float > 0 [seconds]
        Length of the frames, and from one to the next.
    n_fft : int > 0 [samples], optional
        Frames are padded with zeros to this length; the next power of two by default.
    n_mels, n_mfcc : int > 0
        Mel bands, and how many coefficients are kept, the first (the loudness) included.
    f_min, f_max : float >= 0 [Hz]
        Range of the bands; ``f_max=None`` is half the sample rate.
    scale : {"htk", "slaney"}
        Mel scale, see `genrenet.features.filters.mel_bank`.
    norm : {"none", "slaney"}
        Height of the bands, see there.
    log_floor : float > 0
        Least power in a band before the natural logarithm.
    pre_emphasis : float in [0, 1)
        Share of each sample that is subtracted from the next; 0 is none.
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


DEFAULTS = MfccGaussianSettings()


def _mel(settings: MfccGaussianSettings) -> Matrix:
    bank = mel_bank(
        settings.sample_rate,
        settings.fft_samples,
        settings.n_mels,
        settings.f_min,
        settings.f_max,
        settings.scale,
        settings.norm,
    )
    return np.transpose(bank)


@precise
def mfcc_matrix(samples: Tensor, settings: MfccGaussianSettings = DEFAULTS) -> Tensor:
    """MFCC of all frames: Hamming window, FFT power, mel bands, logarithm, cosine transform.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
        In [-1, 1]; shorter than a frame, they are padded with zeros.
    settings : MfccGaussianSettings

    Returns
    -------
    Tensor, shape (batch, n_frames, n_mfcc), float64
        Natural logarithms, transformed orthonormally. Frames that would reach over the end are
        dropped. (Float32 on a device without float64: bands that a decoder has emptied lie below
        what float32 can tell from the rest.)

    Raises
    ------
    FeatureError
        Impossible settings, or no samples.
    """
    samples = checked(samples)
    exact = exact_type(samples)
    if settings.pre_emphasis:
        samples = samples.to(exact)
        later = samples[:, 1:] - settings.pre_emphasis * samples[:, :-1]
        samples = torch.cat([samples[:, :1], later], dim=1)
    hop = round(settings.interval * settings.sample_rate)
    frames = frames_of(samples, settings.frame_samples, hop)
    kind = samples.new_empty(0, dtype=exact)
    window = constant(kind, hamming, settings.frame_samples)
    mel = constant(kind, _mel, settings)
    cosines = constant(kind, dct_matrix, settings.n_mels, settings.n_mfcc)
    found = []
    for where in blocks(frames):
        spectrum = torch.fft.rfft(frames[:, where] * window, n=settings.fft_samples)
        power = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
        found.append((power @ mel).clamp_min_(settings.log_floor).log_() @ cosines)
    return torch.cat(found, dim=1)


@precise
def gaussians(points: Tensor, *, relative: float = 1e-6, absolute: float = 1e-4) -> Tensor:
    """Gaussians fitted to points, with covariances that are positive definite.

    Parameters
    ----------
    points : Tensor, shape (batch, n_points, d)
    relative, absolute : float >= 0
        See `MfccGaussianSettings`.

    Returns
    -------
    Tensor, shape (batch, d + d*d)
        The mean, then the covariance (divided by the number of points) row by row.
    """
    mean = points.mean(dim=1, keepdim=True)
    centred = points - mean
    covariance = centred.transpose(1, 2) @ centred / points.shape[1]
    # Exactly symmetric, whatever order the products were summed in.
    covariance = (covariance + covariance.transpose(1, 2)) / 2
    variances = covariance.diagonal(dim1=1, dim2=2)
    variances += relative * variances.mean(dim=1, keepdim=True) + absolute
    return torch.cat([mean[:, 0], covariance.flatten(1)], dim=1)


@precise
def mfcc_gaussian(samples: Tensor, settings: MfccGaussianSettings = DEFAULTS) -> Tensor:
    """Mean and covariance of the MFCC of songs.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
        The part of the songs that is to be used, see `MfccGaussianSettings.middle`.
    settings : MfccGaussianSettings

    Returns
    -------
    Tensor, shape (batch, n_mfcc + n_mfcc**2), float64
        See `gaussians`; finite and positive definite for silence and single frames too.

    Raises
    ------
    FeatureError
        Impossible settings, or no samples.
    """
    return gaussians(
        mfcc_matrix(samples, settings), relative=settings.relative, absolute=settings.absolute
    )


def gaussian_columns(dimensions: int) -> tuple[str, ...]:
    """Names of the numbers of a Gaussian.

    Examples
    --------
    >>> gaussian_columns(2)
    ('mean_1', 'mean_2', 'cov_1_1', 'cov_1_2', 'cov_2_1', 'cov_2_2')
    """
    numbers = np.arange(1, dimensions + 1)
    means = [f"mean_{i}" for i in numbers]
    return (*means, *(f"cov_{i}_{j}" for i in numbers for j in numbers))
