"""Blocks of spectra, and the functions shared by the spectral features.

A block is a Tensor of shape (batch * frames, 2 * bins): the squared real and imaginary parts of the
spectra, concatenated. Magnitudes are (batch * frames, bins).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from genrenet.features.filters import chroma_bank, constant, dct_matrix, hann, mel_bank
from genrenet.features.framing import blocks, frames_of
from genrenet.models.mel import Matrix

MEL_GROUPS = 8
"""Groups of neighbouring bands: a mel bank is mostly zeros, and each group needs few bins."""
QUIET = 1e-10
"""Minimum mel power before the logarithm, and maximum absolute value of a sample that is zero."""


def squared_parts(samples: Tensor, n_fft: int, hop_length: int) -> Iterator[Tensor]:
    """Yield squared real and imaginary parts of the spectrum, concatenated, block by block.

    Yields
    ------
    Tensor, shape (batch * frames, 2 * (n_fft // 2 + 1))
        A filter bank with doubled rows sums them in the same product, which saves a pass.
    """
    window = constant(samples, hann, n_fft)
    margin = samples.new_zeros(len(samples), n_fft // 2)
    frames = frames_of(torch.cat([margin, samples, margin], dim=1), n_fft, hop_length)
    for where in blocks(frames):
        spectrum = torch.view_as_real(torch.fft.rfft(frames[:, where] * window))
        yield spectrum.flatten(2).flatten(0, 1).square_()


def power(squares: Tensor) -> Tensor:
    """Return power spectra, (batch * frames, 2 * bins) to (batch * frames, bins)."""
    return squares[:, ::2] + squares[:, 1::2]


@lru_cache(maxsize=32)
def _mel_groups(
    sample_rate: int, n_fft: int, n_mels: int, f_min: float, f_max: float | None
) -> list[tuple[slice, slice]]:
    """Return the bins that each group of bands needs: most of the bank is zeros."""
    bank = mel_bank(sample_rate, n_fft, n_mels, f_min, f_max)
    size = -(-n_mels // MEL_GROUPS)
    found = []
    for start in range(0, n_mels, size):
        bands = slice(start, min(start + size, n_mels))
        used = np.flatnonzero(bank[bands].any(axis=0))
        found.append((slice(2 * int(used[0]), 2 * int(used[-1]) + 2), bands))
    return found


def _doubled_mel(
    sample_rate: int, n_fft: int, n_mels: int, f_min: float, f_max: float | None
) -> Matrix:
    return np.repeat(mel_bank(sample_rate, n_fft, n_mels, f_min, f_max).T, 2, axis=0)


def doubled_chroma(sample_rate: int, n_fft: int) -> Matrix:
    """Return the chroma bank for squared parts, of shape (2 * bins, 12)."""
    return np.repeat(chroma_bank(sample_rate, n_fft).T, 2, axis=0)


def bins_and_ones(sample_rate: int, n_fft: int) -> Matrix:
    """Return frequencies and ones, of shape (bins, 2)."""
    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    return np.stack([bins, np.ones_like(bins)], axis=1)


class MelPower:
    """Mel power of blocks.

    Parameters
    ----------
    samples : Tensor
        Determines the type and device of the bank.
    sample_rate, n_fft, n_mels, f_min, f_max
        See `genrenet.features.filters.mel_bank`.
    """

    def __init__(
        self,
        samples: Tensor,
        sample_rate: int,
        n_fft: int,
        n_mels: int,
        f_min: float = 0.0,
        f_max: float | None = None,
    ) -> None:
        bank = constant(samples, _doubled_mel, sample_rate, n_fft, n_mels, f_min, f_max)
        self.width = n_mels
        self.groups = [
            (bins, bands, bank[bins, bands].contiguous())
            for bins, bands in _mel_groups(sample_rate, n_fft, n_mels, f_min, f_max)
        ]

    def __call__(self, squares: Tensor) -> Tensor:
        """Return mel power, (batch * frames, 2 * bins) to (batch * frames, n_mels)."""
        found = squares.new_empty(len(squares), self.width)
        for bins, bands, part in self.groups:
            torch.mm(squares[:, bins], part, out=found[:, bands])
        return found


def cepstrum(mel: Tensor, n_mfcc: int, top_db: float | None) -> Tensor:
    """Return the MFCC of mel power, (batch, n_frames, n_mels) to (batch, n_mfcc, n_frames)."""
    decibels = 10.0 * torch.log10(mel.clamp_min(QUIET))
    if top_db is not None:
        loudest = decibels.amax(dim=(1, 2), keepdim=True)
        decibels = torch.maximum(decibels, loudest - top_db)
    return (decibels @ constant(decibels, dct_matrix, mel.shape[2], n_mfcc)).transpose(1, 2)


def to_loudest(raw: Tensor) -> Tensor:
    """Return chroma whose loudest class is 1, (batch, n_frames, 12) to (batch, 12, n_frames)."""
    loudest = raw.amax(dim=2, keepdim=True)
    silent = loudest < torch.finfo(raw.dtype).tiny
    return (raw / torch.where(silent, 1.0, loudest)).transpose(1, 2)


def centroid(magnitudes: Tensor, bins: Tensor) -> Tensor:
    """Return mean frequencies in Hz, of shape (batch * frames,); ``bins`` are `bins_and_ones`."""
    weighted, total = (magnitudes @ bins).unbind(-1)
    return weighted / torch.where(total < torch.finfo(total.dtype).tiny, 1.0, total)


def rolloff(magnitudes: Tensor, bins: Tensor, roll_percent: float) -> Tensor:
    """Return the roll-off in Hz, of shape (batch * frames,); ``bins`` are `bins_and_ones`."""
    below = magnitudes.cumsum(dim=-1)
    reached = below >= roll_percent * below[..., -1:]
    return bins[:, 0][reached.to(torch.uint8).argmax(dim=-1)]
