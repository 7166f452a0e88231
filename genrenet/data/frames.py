"""Multiframe: positions of the frames of a song, and aggregation of frame scores.

Conventions
-----------
Positions and lengths are in samples at the settings' own rate, so that nothing depends on the
rounding of seconds. A song's *usable* part is what remains after `trim` at both ends. Songs are
measured without their silent stretches: see `genrenet.audio.sounding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from genrenet.utils.errors import GenrenetError

Aggregation = Literal["mean", "vote", "geometric"]
"""How the scores of frames are aggregated to those of their song; see `aggregate`."""

Fill = Literal["repeat", "zeros"]
"""Padding of the frame of a shorter song: its samples repeated, or zeros."""

EARLY = 16
"""Samples that a resampled song may end early: the frame that ends there still counts as whole."""


Sample = TypeVar("Sample", bound=np.generic)


class FrameError(GenrenetError):
    """Frame settings out of range, or an unknown aggregation."""


@dataclass(frozen=True)
class FrameSettings:
    """How a song is cut into frames.

    Parameters
    ----------
    seconds : float > 0
        Length of a frame, in seconds.
    trim : float >= 0
        Seconds dropped at both ends of a song; 0 for excerpts.
    sample_rate : int > 0
        Samples per second.
    fill : {"repeat", "zeros"}
        Padding of the frame of a shorter song. Networks that were trained only on whole frames
        classify zero padding as a genre of its own.
    """

    seconds: float = 29.12
    trim: float = 20.0
    sample_rate: int = 12_000
    fill: Fill = "repeat"

    def __post_init__(self) -> None:
        if self.fill not in get_args(Fill):
            raise FrameError(
                "filling of short songs", found=repr(self.fill), wanted=" or ".join(get_args(Fill))
            )
        if self.seconds <= 0 or self.trim < 0 or self.sample_rate <= 0:
            raise FrameError(
                "frame settings out of range",
                found=f"{self.seconds:g} s, trim {self.trim:g} s, {self.sample_rate} Hz",
                wanted="seconds > 0, trim >= 0 and a sample rate > 0",
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FrameSettings:
        """Build settings from `as_dict`, also from a version that only had zero padding."""
        return cls(**{"fill": "zeros", **values})

    @property
    def n_samples(self) -> int:
        """Samples in a frame."""
        return round(self.seconds * self.sample_rate)

    def with_trim(self, trim: float) -> FrameSettings:
        """Return the same settings with another trim."""
        return replace(self, trim=trim)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for checkpoints."""
        return asdict(self)


@dataclass(frozen=True)
class Usable:
    """The part of a song that frames are taken from.

    Attributes
    ----------
    begin, end : int
        First sample, and one past the last.
    trim : float
        Seconds actually dropped at both ends.
    shortened : bool
        Whether that is less than the settings ask for, because the song is too short.
    """

    begin: int
    end: int
    trim: float
    shortened: bool


def usable_part(n_samples: int, settings: FrameSettings) -> Usable:
    """Return the part of a song that is left after trimming, with less trim if the song is too
    short for it.

    Parameters
    ----------
    n_samples : int >= 0
        Length of the song.
    settings : FrameSettings

    Returns
    -------
    Usable
        At least one frame long, unless the whole song is shorter than a frame.
    """
    trim = round(settings.trim * settings.sample_rate)
    if n_samples + EARLY - 2 * trim >= settings.n_samples or trim == 0:
        return Usable(trim, n_samples - trim, settings.trim, shortened=False)
    less = max(0, (n_samples - settings.n_samples) // 2)
    return Usable(less, n_samples - less, less / settings.sample_rate, shortened=True)


def frame_starts(n_samples: int, settings: FrameSettings) -> NDArray[np.int64]:
    """Return the first samples of a song's whole, non-overlapping frames.

    A last short frame is dropped unless it is the only one, or lacks no more than `EARLY` samples;
    see `filled`.

    Parameters
    ----------
    n_samples : int >= 0
        Length of the song.
    settings : FrameSettings

    Returns
    -------
    ndarray of int64, shape (frames,), frames >= 1

    Examples
    --------
    >>> frame_starts(60 * 12_000, FrameSettings(trim=0)).tolist()
    [0, 349440]
    """
    part = usable_part(n_samples, settings)
    count = max(1, (part.end - part.begin + EARLY) // settings.n_samples)
    return part.begin + settings.n_samples * np.arange(count, dtype=np.int64)


def all_frames(
    lengths: NDArray[np.int64], settings: FrameSettings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the `frame_starts` of many songs at once.

    Parameters
    ----------
    lengths : ndarray of int64, shape (songs,)
        In samples; songs of length 0 have no frames.
    settings : FrameSettings

    Returns
    -------
    songs : ndarray of int64, shape (frames,)
        Which song each frame is of, in order.
    starts : ndarray of int64, shape (frames,)
        Its first sample.

    Examples
    --------
    >>> songs, starts = all_frames(np.array([0, 720_000]), FrameSettings(trim=0))
    >>> songs.tolist(), starts.tolist()
    ([1, 1], [0, 349440])
    """
    size, trim = settings.n_samples, round(settings.trim * settings.sample_rate)
    less = np.minimum(trim, np.maximum(0, (lengths - size) // 2))
    whole = (lengths + EARLY - 2 * trim >= size) | (trim == 0)
    begins = np.where(whole, trim, less)
    counts = np.where(lengths > 0, np.maximum(1, (lengths - 2 * begins + EARLY) // size), 0)
    songs = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(songs)) - np.repeat(np.cumsum(counts) - counts, counts)
    return songs, begins[songs] + size * number


def random_start(n_samples: int, settings: FrameSettings, rng: np.random.Generator) -> int:
    """Return the first sample of a random crop of one frame, uniform over the usable part."""
    part = usable_part(n_samples, settings)
    return int(part.begin + rng.integers(max(1, part.end - part.begin - settings.n_samples + 1)))


def filled(samples: NDArray[Sample], settings: FrameSettings) -> NDArray[Sample]:
    """Return a whole frame, padding the samples if necessary.

    Parameters
    ----------
    samples : ndarray of any type, shape (1 <= n <= frame,)
    settings : FrameSettings

    Returns
    -------
    ndarray of the same type, shape (settings.n_samples,)

    Examples
    --------
    >>> settings = FrameSettings(7, trim=0, sample_rate=1)
    >>> filled(np.array([1, 2, 3]), settings).tolist()
    [1, 2, 3, 1, 2, 3, 1]
    """
    if settings.fill == "repeat":
        return np.resize(samples, settings.n_samples)
    frame = np.zeros(settings.n_samples, samples.dtype)
    frame[: len(samples)] = samples
    return frame


def spread(starts: NDArray[np.int64], count: int | None) -> NDArray[np.int64]:
    """Return at most ``count`` of the frames, evenly spread over the song; all for None."""
    if count is None or count >= len(starts):
        return starts
    if count < 1:
        raise FrameError("number of frames", found=str(count), wanted="at least 1")
    return starts[((np.arange(count) + 0.5) * len(starts) / count).astype(np.int64)]


def frame_statistics(scores: Tensor) -> Tensor:
    """Return the statistics whose sums over a song's frames give any of the aggregations.

    Parameters
    ----------
    scores : Tensor, shape (frames, labels)
        In [0, 1].

    Returns
    -------
    Tensor, shape (frames, 3, labels)
        The scores, their logarithms, and a one-hot vector of the frame's own label.
    """
    votes = F.one_hot(scores.argmax(dim=-1), scores.shape[-1]).to(scores.dtype)
    return torch.stack([scores, scores.clamp_min(1e-12).log(), votes], dim=1)


def aggregate(totals: Tensor, counts: Tensor, aggregation: Aggregation = "mean") -> Tensor:
    """Return song scores from summed frame statistics.

    Parameters
    ----------
    totals : Tensor, shape (songs, 3, labels)
        Sums of `frame_statistics` over each song's frames.
    counts : Tensor, shape (songs,)
        Number of frames of each song; songs without frames get scores of zero.
    aggregation : {"mean", "vote", "geometric"}
        ``mean`` averages the frames' scores. ``vote`` takes the most frequent of the frames' own
        labels, with ties decided by the mean score. ``geometric`` takes the geometric mean, divided
        by its sum over the labels.

    Returns
    -------
    Tensor, shape (songs, labels)
        The largest entry is the decision. If the frames' scores sum to one, so do the rows.
        Otherwise, as for taggers with the output ``sigmoid``, ``mean`` keeps their scale, rows of
        ``vote`` sum to about one, and ``geometric`` rescales every row to a sum of one: its entries
        are then only comparable with each other.
    """
    frames = counts.clamp_min(1).to(totals.dtype).unsqueeze(-1)
    mean = totals[:, 0] / frames
    if aggregation == "mean":
        scores = mean
    elif aggregation == "geometric":
        scores = (totals[:, 1] / frames).softmax(dim=-1)
    elif aggregation == "vote":
        # A vote weighs more than any difference of means, so means only break ties.
        scores = (totals[:, 2] + mean) / (frames + 1.0)
    else:
        raise FrameError(
            "unknown aggregation of frames",
            found=repr(aggregation),
            wanted=", ".join(get_args(Aggregation)),
        )
    return torch.where(counts.unsqueeze(-1) > 0, scores, torch.zeros_like(scores))


def song_scores(scores: Tensor, aggregation: Aggregation = "mean") -> Tensor:
    """Return the scores of one song from the scores of its frames.

    Parameters
    ----------
    scores : Tensor, shape (frames, labels)
    aggregation : {"mean", "vote", "geometric"}
        See `aggregate`.

    Returns
    -------
    Tensor, shape (labels,)
    """
    totals = frame_statistics(scores).sum(dim=0, keepdim=True)
    count = torch.full((1,), scores.shape[0], device=scores.device)
    return aggregate(totals, count, aggregation)[0]


def cut(waveforms: Tensor, settings: FrameSettings) -> Tensor:
    """Cut waveforms into whole frames, from their beginning and without trimming.

    A last short frame is dropped unless it is the only one, which is padded as the settings say.

    Parameters
    ----------
    waveforms : Tensor, shape (batch, samples), samples >= 1
    settings : FrameSettings

    Returns
    -------
    Tensor, shape (batch, frames, ``settings.n_samples``), frames >= 1

    Raises
    ------
    FrameError
        Another number of dimensions, or no samples.
    """
    if waveforms.ndim != 2 or not waveforms.shape[1]:
        raise FrameError(
            "the shape of waveforms",
            found=f"{tuple(waveforms.shape)}",
            wanted="(batch, samples), with one sample at least",
            remedy="add a first dimension to a single waveform: waveform[None]",
        )
    length = settings.n_samples
    count = max(1, waveforms.shape[1] // length)
    missing = max(0, length - waveforms.shape[1])
    if missing and settings.fill == "repeat":
        waveforms = waveforms.repeat(1, -(-length // waveforms.shape[1]))
    whole = F.pad(waveforms, (0, missing)) if settings.fill == "zeros" else waveforms
    return whole[:, : count * length].reshape(-1, count, length)
