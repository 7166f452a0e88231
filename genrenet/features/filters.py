"""Matrices for features: mel and chroma banks, the cosine transform, windows.

All are computed once by NumPy in float64 and cached; `constant` converts them to the type and
device of the samples.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genrenet.features.base import FeatureError
from genrenet.models.mel import Matrix, MelNorm, MelScale, mel_triangles

C_IN_OCTAVE = 3
"""Semitones from A, where octaves begin in `chroma_bank`, to C, its first class."""


def constant(like: Tensor, make: Callable[..., Matrix], *arguments: Any) -> Tensor:
    """Return a matrix of this module as a tensor like another one.

    Parameters
    ----------
    like : Tensor
        Tensor whose floating-point type and device are used.
    make : callable
        Returns the matrix.
    *arguments
        Arguments of ``make``; hashable.

    Returns
    -------
    Tensor
        Shared between callers: must not be modified.
    """
    return _kept(make, arguments, like.dtype).to(like.device)


@lru_cache(maxsize=64)
def _kept(make: Callable[..., Matrix], arguments: tuple[Any, ...], dtype: torch.dtype) -> Tensor:
    # Outside of the caller's inference mode, so that training can use what inference has made.
    with torch.inference_mode(False):
        return torch.from_numpy(np.ascontiguousarray(make(*arguments))).to(dtype)


def hann(length: int) -> Matrix:
    """Return the periodic Hann window of shape (length,)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def hamming(length: int) -> Matrix:
    """Return the symmetric Hamming window of shape (length,)."""
    return np.hamming(length)


def dct_matrix(n_inputs: int, n_outputs: int) -> Matrix:
    """Return first columns of the orthonormal cosine transform of type II.

    Returns
    -------
    ndarray, shape (n_inputs, n_outputs)
        ``x @ dct_matrix(n, m)`` is ``scipy.fft.dct(x, norm="ortho")[..., :m]``.
    """
    place = (np.arange(n_inputs) + 0.5)[:, None] * np.arange(n_outputs)
    basis = np.sqrt(2.0 / n_inputs) * np.cos(np.pi / n_inputs * place)
    basis[:, 0] /= np.sqrt(2.0)
    return np.asarray(basis)


def mel_bank(
    sample_rate: int,
    n_fft: int,
    n_mels: int = 128,
    f_min: float = 0.0,
    f_max: float | None = None,
    scale: MelScale = "slaney",
    norm: MelNorm = "slaney",
) -> Matrix:
    """Check the settings of `genrenet.models.mel.mel_triangles`, and return its triangles.

    Parameters
    ----------
    sample_rate, n_fft, n_mels, f_min, f_max, scale, norm
        Those of `genrenet.models.mel.mel_triangles`; ``f_max=None`` is half the sample rate.

    Returns
    -------
    ndarray, shape (n_mels, n_fft // 2 + 1)

    Raises
    ------
    FeatureError
        The frequencies do not fit the sample rate, or a triangle falls between two bins.
    """
    f_max = sample_rate / 2 if f_max is None else f_max
    if not 0 <= f_min < f_max <= sample_rate / 2 or n_mels < 1:
        raise FeatureError(
            "the mel bank does not fit the sample rate",
            found=f"{n_mels} bands from {f_min:g} to {f_max:g} Hz at {sample_rate} Hz",
            wanted="one at least, and 0 <= f_min < f_max <= half the sample rate",
        )
    bank = mel_triangles(sample_rate, n_fft, n_mels, f_min, f_max, scale, norm)
    empty = np.flatnonzero(bank.max(axis=1) <= 0)
    if len(empty):
        raise FeatureError(
            "the mel bank has empty bands",
            found=f"{len(empty)} of {n_mels} that lie between two of {n_fft // 2 + 1} bins",
            wanted="fewer bands, a longer FFT or a wider range",
        )
    return bank


def chroma_bank(sample_rate: int, n_fft: int, n_chroma: int = 12) -> Matrix:
    """Return Gaussian bumps around the pitches of each pitch class, tuned to A = 440 Hz.

    Parameters
    ----------
    sample_rate : int > 0 [Hz]
    n_fft : int > 0 [samples]
    n_chroma : int > 0
        Classes in an octave, the first of them C.

    Returns
    -------
    ndarray, shape (n_chroma, n_fft // 2 + 1)
        For power spectra; equal to ``librosa.filters.chroma`` with ``tuning=0``.

    Notes
    -----
    Ellis (2007), "Chroma feature analysis and synthesis".
    """
    bins = np.linspace(0, sample_rate, n_fft, endpoint=False)[1:]
    pitch = n_chroma * np.log2(bins / 27.5)
    # The bin at 0 Hz has no pitch: it is put one and a half octaves below the next.
    pitch = np.concatenate([[pitch[0] - 1.5 * n_chroma], pitch])
    width = np.concatenate([np.maximum(np.diff(pitch), 1.0), [1.0]])
    half = np.round(n_chroma / 2)
    away = pitch - np.arange(n_chroma)[:, None]
    away = np.remainder(away + half + 10 * n_chroma, n_chroma) - half
    bank = np.exp(-0.5 * (2 * away / width) ** 2)
    bank /= np.sqrt((bank**2).sum(axis=0))
    bank *= np.exp(-0.5 * ((pitch / n_chroma - 5.0) / 2.0) ** 2)
    bank = np.roll(bank, -C_IN_OCTAVE * (n_chroma // 12), axis=0)
    return np.asarray(bank[:, : n_fft // 2 + 1])
