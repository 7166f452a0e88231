"""The report's spectral features, batched: MFCC, chroma, centroid, zero crossings and roll-off.

Conventions
-----------
Samples are (batch, samples), mono in [-1, 1]; float64 is computed in float64, all else in float32.
Frames are centred, padded with zeros, windowed with a periodic Hann window; their number is one
more than the whole hops in the song. Every function equals librosa's of the same name, song by song
(McFee et al., 2015, "librosa: audio and music signal analysis in Python").
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from genrenet.features import spectra
from genrenet.features.base import FeatureError
from genrenet.features.filters import constant
from genrenet.features.framing import checked, frames_of, precise


@precise
def mfcc(
    samples: Tensor,
    *,
    sample_rate: int = 22_050,
    n_fft: int = 2048,
    hop_length: int = 512,
    n_mfcc: int = 20,
    n_mels: int = 128,
    f_min: float = 0.0,
    f_max: float | None = None,
    top_db: float | None = 80.0,
) -> Tensor:
    """Return mel-frequency cepstral coefficients.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
    sample_rate : int > 0 [Hz]
    n_fft, hop_length : int > 0 [samples]
        Length of the frames, and hop between them.
    n_mfcc, n_mels : int > 0
        Coefficients and mel bands (Slaney's scale and norm).
    f_min, f_max : float >= 0 [Hz]
        Range of the bands; ``f_max=None`` is half the sample rate.
    top_db : float > 0 [dB], optional
        Range kept below each song's loudest band.

    Returns
    -------
    Tensor, shape (batch, n_mfcc, n_frames), dB
        Equal to ``librosa.feature.mfcc``.

    Raises
    ------
    FeatureError
        Impossible settings, or no samples.
    """
    samples = checked(samples)
    project = spectra.MelPower(samples, sample_rate, n_fft, n_mels, f_min, f_max)
    found = [
        project(squares).view(len(samples), -1, n_mels)
        for squares in spectra.squared_parts(samples, n_fft, hop_length)
    ]
    return spectra.cepstrum(torch.cat(found, dim=1), n_mfcc, top_db)


@precise
def chroma(
    samples: Tensor, *, sample_rate: int = 22_050, n_fft: int = 2048, hop_length: int = 512
) -> Tensor:
    """Return power in each of the twelve pitch classes, C first, normalised to a maximum of 1.

    Parameters
    ----------
    samples, sample_rate, n_fft, hop_length
        See `mfcc`.

    Returns
    -------
    Tensor, shape (batch, 12, n_frames), in [0, 1]
        Equal to ``librosa.feature.chroma_stft`` with ``tuning=0.0``; zeros where there is silence.
    """
    samples = checked(samples)
    bank = constant(samples, spectra.doubled_chroma, sample_rate, n_fft)
    found = [
        (squares @ bank).view(len(samples), -1, 12)
        for squares in spectra.squared_parts(samples, n_fft, hop_length)
    ]
    return spectra.to_loudest(torch.cat(found, dim=1))


@precise
def spectral_centroid(
    samples: Tensor, *, sample_rate: int = 22_050, n_fft: int = 2048, hop_length: int = 512
) -> Tensor:
    """Return the mean frequency, weighted by the magnitudes.

    Parameters
    ----------
    samples, sample_rate, n_fft, hop_length
        See `mfcc`.

    Returns
    -------
    Tensor, shape (batch, n_frames), Hz
        Equal to ``librosa.feature.spectral_centroid``; 0 where there is silence.
    """
    samples = checked(samples)
    bins = constant(samples, spectra.bins_and_ones, sample_rate, n_fft)
    found = [
        spectra.centroid(spectra.power(squares).sqrt_(), bins).view(len(samples), -1)
        for squares in spectra.squared_parts(samples, n_fft, hop_length)
    ]
    return torch.cat(found, dim=1)


@precise
def spectral_rolloff(
    samples: Tensor,
    *,
    sample_rate: int = 22_050,
    n_fft: int = 2048,
    hop_length: int = 512,
    roll_percent: float = 0.85,
) -> Tensor:
    """Return the lowest frequency up to which a share of the magnitudes lies.

    Parameters
    ----------
    samples, sample_rate, n_fft, hop_length
        See `mfcc`.
    roll_percent : float in (0, 1)
        Share of the magnitudes.

    Returns
    -------
    Tensor, shape (batch, n_frames), Hz
        Equal to ``librosa.feature.spectral_rolloff``; 0 where there is silence. In float32 a frame
        whose sum equals the share to seven digits may differ by one bin, as in librosa.

    Raises
    ------
    FeatureError
        A share out of range.
    """
    if not 0 < roll_percent < 1:
        raise FeatureError(
            "impossible roll-off", found=f"roll_percent {roll_percent:g}", wanted="between 0 and 1"
        )
    samples = checked(samples)
    bins = constant(samples, spectra.bins_and_ones, sample_rate, n_fft)
    found = [
        spectra.rolloff(spectra.power(squares).sqrt_(), bins, roll_percent).view(len(samples), -1)
        for squares in spectra.squared_parts(samples, n_fft, hop_length)
    ]
    return torch.cat(found, dim=1)


@precise
def zero_crossing_rate(
    samples: Tensor, *, frame_length: int = 2048, hop_length: int = 512
) -> Tensor:
    """Return the share of a frame's samples whose sign differs from that of the preceding sample.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
    frame_length, hop_length : int > 0 [samples]
        Frames are centred; the first and the last sample are repeated at the ends.

    Returns
    -------
    Tensor, shape (batch, n_frames), in [0, 1)
        Equal to ``librosa.feature.zero_crossing_rate``.
    """
    samples = checked(samples)
    negative = samples < -spectra.QUIET
    crossings = (negative[:, 1:] != negative[:, :-1]).to(torch.int32)
    # There are no crossings in the repeated ends. A running sum gives all frames at once.
    half = frame_length // 2
    running = pad(crossings, (half + 1, half)).cumsum(dim=1, dtype=torch.int32)
    ends = frames_of(running, frame_length, hop_length)
    return (ends[..., -1] - ends[..., 0]).to(samples.dtype) / frame_length


@precise
def spectral_features(
    samples: Tensor, *, sample_rate: int = 22_050, n_fft: int = 2048, hop_length: int = 512
) -> Tensor:
    """Return all these features, from one spectrum.

    Parameters
    ----------
    samples, sample_rate, n_fft, hop_length
        See `mfcc`.

    Returns
    -------
    Tensor, shape (batch, 35, n_frames)
        In the order of `SPECTRAL_NAMES`, all with their default settings.
    """
    samples = checked(samples)
    project = spectra.MelPower(samples, sample_rate, n_fft, 128)
    bank = constant(samples, spectra.doubled_chroma, sample_rate, n_fft)
    bins = constant(samples, spectra.bins_and_ones, sample_rate, n_fft)
    columns: list[list[Tensor]] = [[], [], [], []]
    for squares in spectra.squared_parts(samples, n_fft, hop_length):
        magnitudes = spectra.power(squares).sqrt_()
        parts = (
            project(squares),
            squares @ bank,
            spectra.centroid(magnitudes, bins)[:, None],
            spectra.rolloff(magnitudes, bins, 0.85)[:, None],
        )
        for column, part in zip(columns, parts, strict=True):
            column.append(part.view(len(samples), -1, part.shape[1]))
    mel, raw, centroid, rolloff = (torch.cat(column, dim=1) for column in columns)
    crossings = zero_crossing_rate(samples, frame_length=n_fft, hop_length=hop_length)
    rows = (spectra.cepstrum(mel, 20, 80.0), spectra.to_loudest(raw), centroid.transpose(1, 2))
    return torch.cat([*rows, crossings[:, None], rolloff.transpose(1, 2)], dim=1)


def spectral_statistics(samples: Tensor) -> Tensor:
    """Return mean and standard deviation over the song of `spectral_features`.

    Parameters
    ----------
    samples : Tensor, shape (batch, samples)
        At 22,050 Hz.

    Returns
    -------
    Tensor, shape (batch, 70)
        All means, then all deviations.
    """
    frames = spectral_features(samples)
    return torch.cat([frames.mean(dim=2), frames.std(dim=2, correction=0)], dim=1)
