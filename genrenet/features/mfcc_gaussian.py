"""Gaussians of MFCC for songs, as in the report's nearest neighbours.

The frames of a song's middle half become points in the space of their first 15 cepstral
coefficients, and the song becomes the mean and the full covariance of these points (Mandel and
Ellis, 2005, "Song-level features and support vector machines for music classification").
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genrenet.features.definitions import MfccGaussianSettings as MfccGaussianSettings
from genrenet.features.filters import constant, dct_matrix, hamming, mel_bank
from genrenet.features.framing import blocks, checked, exact_type, frames_of, precise
from genrenet.models.mel import Matrix

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
    """Return the MFCC of all frames: Hamming window, FFT power, mel bands, logarithm, cosine
    transform.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
        In [-1, 1]; shorter than a frame, they are padded with zeros.
    settings : MfccGaussianSettings

    Returns
    -------
    Tensor, shape (batch, n_frames, n_mfcc), float64
        Natural logarithms, transformed orthonormally. Frames that would extend past the end are
        dropped. (Float32 on a device without float64, whose resolution is too low for bands that a
        decoder has emptied.)

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
    """Return Gaussians fitted to points, with positive definite covariances.

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
    # Exactly symmetric, regardless of the order of summation.
    covariance = (covariance + covariance.transpose(1, 2)) / 2
    variances = covariance.diagonal(dim1=1, dim2=2)
    variances += relative * variances.mean(dim=1, keepdim=True) + absolute
    return torch.cat([mean[:, 0], covariance.flatten(1)], dim=1)


@precise
def mfcc_gaussian(samples: Tensor, settings: MfccGaussianSettings = DEFAULTS) -> Tensor:
    """Return mean and covariance of the MFCC of songs.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
        The part of the songs that is used, see `MfccGaussianSettings.middle`.
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
