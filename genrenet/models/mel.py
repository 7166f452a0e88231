"""Mel filter banks: triangular filters on a mel scale over the bins of a power spectrum."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
MelScale = Literal["slaney", "htk"]
MelNorm = Literal["slaney", "none"]


def _to_mel(hertz: Matrix, scale: MelScale) -> Matrix:
    if scale == "htk":
        return np.asarray(2595.0 * np.log10(1.0 + hertz / 700.0))
    logarithmic = 15.0 + 27.0 * np.log(np.maximum(hertz, 1000.0) / 1000.0) / np.log(6.4)
    return np.where(hertz < 1000.0, hertz * 0.015, logarithmic)


def _to_hertz(mel: Matrix, scale: MelScale) -> Matrix:
    if scale == "htk":
        return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
    return np.where(mel < 15.0, mel / 0.015, 1000.0 * np.exp(np.log(6.4) / 27.0 * (mel - 15.0)))


def mel_triangles(
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    f_min: float,
    f_max: float,
    scale: MelScale = "slaney",
    norm: MelNorm = "slaney",
) -> Matrix:
    """Return triangular filters that overlap by half, evenly spaced on a mel scale.

    Parameters
    ----------
    sample_rate : int > 0 [Hz]
    n_fft : int > 0 [samples]
    n_mels : int > 0
        Number of triangles.
    f_min, f_max : float >= 0 [Hz]
        Lower edge of the first and upper edge of the last, at most half the sample rate.
    scale : {"slaney", "htk"}
        Linear to 1 kHz (Slaney, 1998, "Auditory toolbox") or ``2595 * log10(1 + f / 700)``.
    norm : {"slaney", "none"}
        Triangles of equal area, or of height 1.

    Returns
    -------
    ndarray, shape (n_mels, n_fft // 2 + 1)
        For power spectra; equal to ``librosa.filters.mel``. A triangle between two bins is all
        zero.
    """
    low, high = _to_mel(np.array([f_min, f_max]), scale)
    corners = _to_hertz(np.linspace(low, high, n_mels + 2), scale)
    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    widths = np.diff(corners)[:, None]
    rising = (bins - corners[:-2, None]) / widths[:-1]
    falling = (corners[2:, None] - bins) / widths[1:]
    bank = np.maximum(0.0, np.minimum(rising, falling))
    if norm == "slaney":
        bank *= (2.0 / (corners[2:] - corners[:-2]))[:, None]
    return np.asarray(bank)


def kaldi_triangles(
    sample_rate: int, n_fft: int, n_mels: int, f_min: float, f_max: float
) -> Matrix:
    """Return Kaldi's triangular filters: of height 1, with sides linear in mel instead of hertz.

    Parameters
    ----------
    sample_rate : int > 0 [Hz]
    n_fft : int > 0 [samples]
    n_mels : int > 0
        Number of triangles.
    f_min, f_max : float >= 0 [Hz]
        Lower edge of the first and upper edge of the last, at most half the sample rate.

    Returns
    -------
    ndarray, shape (n_mels, n_fft // 2 + 1)
        For power spectra, on the scale ``1127 * ln(1 + f / 700)``. As Kaldi leaves out the last
        bin, its weights are zero; the rest equals ``torchaudio.compliance.kaldi.get_mel_banks``
        without warping.
    """

    def to_mel(hertz: NDArray[Any]) -> Matrix:
        return np.asarray(1127.0 * np.log1p(hertz / 700.0))

    low, high = to_mel(np.array([f_min, f_max]))
    corners = np.linspace(low, high, n_mels + 2)
    bins = to_mel(np.fft.rfftfreq(n_fft, 1.0 / sample_rate))
    width = corners[1] - corners[0]
    rising = (bins - corners[:-2, None]) / width
    falling = (corners[2:, None] - bins) / width
    bank = np.maximum(0.0, np.minimum(rising, falling))
    bank[:, -1] = 0.0
    return np.asarray(bank)
