"""The 34 short-term features of pyAudioAnalysis, and their mid-term statistics, batched.

Equal to ``ShortTermFeatures.feature_extraction(..., deltas=False)`` and
``MidTermFeatures.mid_feature_extraction`` (Giannakopoulos, 2015, "pyAudioAnalysis: an open-source
Python library for audio signal analysis"), quirks included: no window function, magnitudes over
half the FFT divided by their number, a mel bank whose bins are assumed to cover the full sample
rate, and a chroma in which only the last bin of a semitone counts.

A song is first normalised to zero mean and a peak of 1. All is computed in float64: roll-off is
discontinuous, and the logarithms of quiet bands are sensitive. (In float32 on a device without
float64.)
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from genrenet.features.base import FeatureError
from genrenet.features.definitions import SHORT_TERM_MFCC
from genrenet.features.filters import constant, dct_matrix
from genrenet.features.framing import CPU_BLOCK, blocks, checked, exact_type, frames_of, precise
from genrenet.models.mel import Matrix

EPS = sys.float_info.epsilon
PARTS = 10
"""Number of parts of a frame or spectrum for the entropies of energy."""


@precise
def short_term(
    samples: Tensor, *, sample_rate: int = 22_050, window: float = 0.050, step: float = 0.050
) -> Tensor:
    """Return the 34 features of every frame.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
        Whole songs in any scale: each is normalised. Shorter than a frame, they are padded with
        zeros.
    sample_rate : int >= 8000 [Hz]
    window, step : float > 0 [seconds]
        Length of the frames, and hop between them.

    Returns
    -------
    Tensor, shape (batch, 34, n_frames), float64
        In the order of `NAMES`.

    Raises
    ------
    FeatureError
        Frames too short or a sample rate too low for these features, or no samples.
    """
    samples = checked(samples)
    length, hop = round(window * sample_rate), round(step * sample_rate)
    _check(sample_rate, length)
    if samples.shape[1] < length:
        samples = pad(samples, (0, length - samples.shape[1]))
    # Songs are normalised one block of frames at a time: converting a song to float64 would take
    # new memory, which costs more than the arithmetic.
    exact = exact_type(samples)
    sums = [part.sum(dim=1, keepdim=True, dtype=exact) for part in samples.split(CPU_BLOCK, 1)]
    mean = torch.cat(sums, dim=1).sum(dim=1, keepdim=True) / samples.shape[1]
    low, high = (found(dim=1, keepdim=True).to(exact) for found in (samples.amin, samples.amax))
    peak = torch.maximum(high - mean, mean - low) + 1e-10
    mean, peak = mean[..., None], peak[..., None]
    frames = frames_of(samples, length, hop)
    found: list[Tensor] = []
    before: Tensor | None = None
    for where in blocks(frames):
        block = frames[:, where].to(exact, copy=True).sub_(mean).div_(peak)
        # The division by the number of bins is applied to the results, which are smaller.
        parts = torch.view_as_real(torch.fft.rfft(block))[..., : length // 2, :].square()
        power = parts[..., 0] + parts[..., 1]
        magnitudes = power.sqrt()
        before = magnitudes[:, :1] if before is None else before
        columns = [*_of_waveform(block), *_of_spectrum(magnitudes, power, before)]
        before = magnitudes[:, -1:]
        bands = _of_bands(magnitudes, power, sample_rate)
        found.append(torch.cat([torch.stack(columns, dim=-1), *bands], dim=-1))
    return torch.cat(found, dim=1).transpose(1, 2)


@precise
def mid_term(features: Tensor, *, window: int = 20, step: int = 20) -> Tensor:
    """Return means and standard deviations of features in windows of frames.

    Parameters
    ----------
    features : Tensor, shape (batch, n_features, n_frames)
    window, step : int > 0 [frames]
        Length of the windows, and hop between them. The last ones reach the end of the song and may
        have fewer frames.

    Returns
    -------
    Tensor, shape (batch, 2 * n_features, n_windows)
        All means, then all standard deviations.
    """
    n_frames = features.shape[-1]
    n_windows = -(-n_frames // step)
    reach = max(0, (n_windows - 1) * step + window - n_frames)
    windows = pad(features, (0, reach)).unfold(-1, window, step)
    there = torch.arange(n_frames + reach, device=features.device) < n_frames
    there = there.unfold(0, window, step).to(features.dtype)
    count = there.sum(dim=-1)
    mean = windows.sum(dim=-1) / count
    variance = ((windows - mean[..., None]).square() * there).sum(dim=-1) / count
    return torch.cat([mean, variance.sqrt()], dim=1)


@precise
def short_term_statistics(
    samples: Tensor,
    *,
    sample_rate: int = 22_050,
    window: float = 0.050,
    step: float = 0.050,
    mid_window: float = 1.0,
    mid_step: float = 1.0,
) -> Tensor:
    """Return one row per song: the mean over the song of the mid-term means and deviations.

    Parameters
    ----------
    samples, sample_rate, window, step
        See `short_term`.
    mid_window, mid_step : float > 0 [seconds]
        Length of the mid-term windows, and hop between them.

    Returns
    -------
    Tensor, shape (batch, 68), float64
        The result of pyAudioAnalysis' ``directory_feature_extraction`` for a file, without its
        deltas and its beat.

    Raises
    ------
    FeatureError
        See `short_term`.
    """
    length, hop = round(window * sample_rate), round(step * sample_rate)
    features = short_term(samples, sample_rate=sample_rate, window=window, step=step)
    frames = round((round(mid_window * sample_rate) - (length - hop)) / hop)
    frames_step = round(round(mid_step * sample_rate) / hop)
    if min(frames, frames_step) < 1:
        raise FeatureError(
            "impossible mid-term windows",
            found=f"{mid_window:g} s every {mid_step:g} s over frames of {window:g} s",
            wanted="windows and steps of one frame at least",
        )
    return mid_term(features, window=frames, step=frames_step).mean(dim=-1)


def _check(sample_rate: int, length: int) -> None:
    n_bins = length // 2
    if sample_rate < 8000 or n_bins <= _semitones(sample_rate, max(1, n_bins)).max():
        raise FeatureError(
            "the 34 features need longer frames",
            found=f"{length} samples at {sample_rate} Hz",
            wanted="8000 Hz or more, and more bins than the spectrum has semitones",
            remedy="set a window of 20 ms or more",
        )


def _of_waveform(frames: Tensor) -> list[Tensor]:
    """Return zero crossings, energy and its entropy, of frames of shape (batch, n_frames,
    length).
    """
    length = frames.shape[-1]
    crossings = torch.linalg.vector_norm(frames.sign().diff(dim=-1), ord=1, dim=-1) / 2
    squares = frames.square()
    energy = squares.sum(dim=-1)
    return [crossings / (length - 1), energy / length, _entropy(squares, energy, 1.0)]


def _of_spectrum(magnitudes: Tensor, power: Tensor, before: Tensor) -> list[Tensor]:
    """Return the centroid, spread, entropy, flux and roll-off.

    Parameters
    ----------
    magnitudes, power : Tensor, shape (batch, n_frames, n_bins)
        FFT magnitudes and power, without scaling.
    before : Tensor, shape (batch, 1, n_bins)
        Magnitudes of the frame preceding the first.
    """
    n_bins = magnitudes.shape[-1]
    loudest = magnitudes.amax(dim=-1, keepdim=True)
    sums = magnitudes @ constant(magnitudes, _moments, n_bins)
    first, second, whole = (sums / torch.where(loudest == 0, 1.0, loudest)).unbind(-1)
    total = whole + EPS
    centroid = first / total
    # The mean squared distance to the centroid, expanded.
    spread = (second / total - centroid.square() * (2 - whole / total)).clamp_min(0).sqrt()
    energy = power.sum(dim=-1)
    entropy = _entropy(power, energy, 1.0 / n_bins**2)
    reached = power.cumsum(dim=-1) + EPS * n_bins**2 > 0.90 * energy[..., None]
    rolloff = reached.to(torch.uint8).argmax(dim=-1) / n_bins
    # Flux is the squared difference of neighbouring frames' shares, expanded; the first frame's is
    # 0.
    products = (magnitudes[:, 1:] * magnitudes[:, :-1]).sum(dim=-1)
    products = torch.cat([(magnitudes[:, :1] * before).sum(dim=-1), products], dim=1)
    sizes = torch.cat([before.sum(dim=-1), sums[..., 2]], dim=1) + EPS * n_bins**2
    energies = torch.cat([before.square().sum(dim=-1), energy], dim=1) / sizes.square()
    flux = energies[:, 1:] + energies[:, :-1] - 2 * products / (sizes[:, 1:] * sizes[:, :-1])
    return [centroid, spread, entropy, flux.clamp_min(0), rolloff.to(magnitudes.dtype)]


def _of_bands(magnitudes: Tensor, power: Tensor, sample_rate: int) -> list[Tensor]:
    """Return MFCC, chroma and its deviation, each of shape (batch, n_frames, n)."""
    n_bins = magnitudes.shape[-1]
    bands = magnitudes @ constant(magnitudes, _mel, sample_rate, n_bins) + EPS
    cepstrum = bands.log10_() @ constant(magnitudes, dct_matrix, bands.shape[-1], SHORT_TERM_MFCC)
    energy = power.sum(dim=-1, keepdim=True)
    chroma = power @ constant(magnitudes, _chroma, sample_rate, n_bins)
    chroma = chroma / torch.where(energy == 0, 1.0, energy)
    return [cepstrum, chroma, chroma.std(dim=-1, correction=0, keepdim=True)]


def _entropy(squares: Tensor, energy: Tensor, scale: float) -> Tensor:
    """Return the entropy in bits of the shares of the energy in ten parts; a remainder at the end
    is left out.
    """
    size = squares.shape[-1] // PARTS
    parts = squares[..., : size * PARTS].unflatten(-1, (PARTS, size)).sum(dim=-1)
    shares = parts * scale / (energy[..., None] * scale + EPS)
    bits: Tensor = (shares + EPS).log2()
    return torch.sum(shares * bits, dim=-1).neg()


def _moments(n_bins: int) -> Matrix:
    """Return the positions of the bins in (0, 1], their squares, and ones, of shape (n_bins, 3)."""
    places = np.arange(1, n_bins + 1) / n_bins
    return np.stack([places, places**2, np.ones(n_bins)], axis=1)


def _semitones(sample_rate: int, n_bins: int) -> np.ndarray:
    """Return semitones of bins above 27.5 Hz, where bin 0 is assumed to lie at the first step."""
    hertz = np.arange(1, n_bins + 1) * sample_rate / (2 * n_bins)
    return np.round(12.0 * np.log2(hertz / 27.50)).astype(int)


def _chroma(sample_rate: int, n_bins: int) -> Matrix:
    """Return the contribution of a squared magnitude to the classes, of shape (n_bins, 12)."""
    semitones = _semitones(sample_rate, n_bins)
    _, same, counts = np.unique(semitones, return_inverse=True, return_counts=True)
    # Assigned one after another, so that of several bins the last one remains; semitones below 27.5
    # Hz count from the end. The divisor is looked up by the semitone, as if it were a bin.
    held = np.full(n_bins, -1)
    held[semitones] = np.arange(n_bins)
    divisors = counts[same][semitones]
    matrix = np.zeros((n_bins, 12))
    for place in np.flatnonzero(held >= 0):
        matrix[held[place], place % 12] += 1.0 / divisors[place]
    return matrix


def _mel(sample_rate: int, n_bins: int) -> Matrix:
    """Return 13 linear and 27 logarithmic triangles (Slaney, 1998), of shape (n_bins, 40).

    They are divided by the number of bins, as pyAudioAnalysis divides the magnitudes.
    """
    corners = 133.33 + np.arange(13) * 200.0 / 3.0
    corners = np.concatenate([corners, corners[-1] * 1.0711703 ** np.arange(1, 30)])
    heights = 2.0 / (corners[2:] - corners[:-2])
    bins = np.arange(n_bins)
    hertz = bins / n_bins * sample_rate
    ends = np.floor(corners * n_bins / sample_rate)
    bank = np.zeros((n_bins, len(heights)))
    for band, height in enumerate(heights):
        low, centre, high = corners[band : band + 3]
        rising = (bins > ends[band]) & (bins <= ends[band + 1])
        falling = (bins > ends[band + 1]) & (bins <= ends[band + 2])
        bank[rising, band] = height / (centre - low) * (hertz[rising] - low)
        bank[falling, band] = height / (high - centre) * (high - hertz[falling])
    return bank / n_bins
