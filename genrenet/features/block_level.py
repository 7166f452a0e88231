"""Block-level features: patterns of a song's spectrum over tenths of seconds, and over seconds.

Means and deviations over a song ignore the order of its frames; these two features do not.

Sources
-------
Spectral pattern: K. Seyerlehner, G. Widmer, T. Pohle, "Fusing block-level features for music
similarity estimation", DAFx 2010. Modulation spectrum of MFCC: C.-H. Lee, J.-L. Shih, K.-M. Yu,
H.-S. Lin, "Automatic music genre classification based on modulation spectral analysis of spectral
and cepstral features", IEEE Transactions on Multimedia 11 (4), 2009; with the triangular, base-two
logarithmic bands of fluctuation patterns.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from genrenet.features import spectra
from genrenet.features.definitions import MODULATION_MFCC, N_BANDS, PATTERN, RATES
from genrenet.features.filters import constant
from genrenet.features.framing import checked, precise
from genrenet.features.spectral import mfcc
from genrenet.models.mel import Matrix

SAMPLE_RATE, N_FFT, HOP_LENGTH = 22_050, 2048, 512
LOWEST = 53.4478
"""Centre of the lowest band of the spectral pattern in Hz."""
PATTERN_STEP, PERCENTILE = 5, 0.9
"""Frames from one block of the spectral pattern to the next; over blocks: this quantile."""
MODULATION, MODULATION_STEP = 512, 128
"""Frames in a block of the modulation spectrum (11.9 s), and from one to the next."""


def semitone_bank(sample_rate: int, n_fft: int) -> Matrix:
    """Return triangular bands a semitone apart and two wide, of shape (bands, bins); rows sum to
    one.

    Where the bins are too sparse for a triangle, a band lies between its two neighbours.
    """
    hertz = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    cents = 1200 * np.log2(np.maximum(hertz, 1.0) / LOWEST)
    bank = np.maximum(0.0, 1 - np.abs(cents - 100 * np.arange(N_BANDS)[:, None]) / 100)
    for band in np.flatnonzero((bank > 0).sum(axis=1) < 2):
        place = LOWEST * 2 ** (band / 12) * n_fft / sample_rate
        below = int(place)
        bank[band] = 0.0
        bank[band, below], bank[band, below + 1] = 1 - (place - below), place - below
    return np.asarray(bank / bank.sum(axis=1, keepdims=True))


def modulation_bank(frame_rate: float, length: int) -> Matrix:
    """Return triangular bands a third of an octave apart, of shape (rates, bins); rows sum
    to one.
    """
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / frame_rate), 1e-3)
    bank = np.maximum(0.0, 1 - 3 * np.abs(np.log2(hertz / RATES[:, None])))
    return np.asarray(bank / np.maximum(bank.sum(axis=1, keepdims=True), 1e-9))


def _hanning(length: int) -> Matrix:
    return np.hanning(length)


@precise
def spectral_pattern(samples: Tensor) -> Tensor:
    """Return the spectral pattern: levels of semitone bands, sorted within short blocks.

    In blocks of 10 frames (0.23 s) the levels of each band are sorted in time, in ascending order;
    for every rank the 90th percentile over the blocks is taken.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
        At 22,050 Hz; songs shorter than a block repeat their last frame.

    Returns
    -------
    Tensor, shape (batch, 770)
        Decibels above a floor that lies 80 dB below the song's loudest band, band by band.
    """
    samples = checked(samples)
    bank = constant(samples, semitone_bank, SAMPLE_RATE, N_FFT).T
    parts = [
        (spectra.power(squares).sqrt() @ bank).view(len(samples), -1, N_BANDS)
        for squares in spectra.squared_parts(samples, N_FFT, HOP_LENGTH)
    ]
    level = 20 * torch.cat(parts, dim=1).clamp_min(1e-3).log10()
    level = (level - level.amax(dim=(1, 2), keepdim=True) + 80).clamp_min(0)
    missing = PATTERN - level.shape[1]
    if missing > 0:
        level = torch.cat([level, level[:, -1:].expand(-1, missing, -1)], dim=1)
    ranks = level.unfold(1, PATTERN, PATTERN_STEP).sort(dim=3).values
    # One song at a time: the quantile of a large batch would exceed torch's limit.
    found = [song.flatten(1).quantile(PERCENTILE, dim=0) for song in ranks]
    return torch.stack(found)


@precise
def modulation_spectrum(samples: Tensor) -> Tensor:
    """Return the modulation spectrum: the spectrum over time of each MFCC, in bands of modulation
    frequency.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
        At 22,050 Hz; songs shorter than 11.9 s are padded after their mean has been subtracted.

    Returns
    -------
    Tensor, shape (batch, 320)
        ``log(1 + mean magnitude)`` over blocks of 512 frames; for each of the 20 coefficients the
        16 rates from 0.5 to 16 Hz.
    """
    samples = checked(samples)
    rows = mfcc(samples, sample_rate=SAMPLE_RATE, n_mfcc=MODULATION_MFCC)
    if rows.shape[2] < MODULATION:
        blocks = pad(rows - rows.mean(dim=2, keepdim=True), (0, MODULATION - rows.shape[2]))
        blocks = blocks[:, :, None]
    else:
        blocks = rows.unfold(2, MODULATION, MODULATION_STEP)
        blocks = blocks - blocks.mean(dim=3, keepdim=True)
    window = constant(samples, _hanning, MODULATION)
    magnitudes = torch.fft.rfft(blocks * window).abs()
    bank = constant(samples, modulation_bank, SAMPLE_RATE / HOP_LENGTH, MODULATION)
    found: Tensor = (magnitudes @ bank.T).mean(dim=2).log1p().flatten(1)
    return found


def block_level(samples: Tensor) -> Tensor:
    """Return `spectral_pattern` and `modulation_spectrum` concatenated, shape (batch, 1090)."""
    return torch.cat([spectral_pattern(samples), modulation_spectrum(samples)], dim=1)
