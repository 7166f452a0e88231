"""The outline of a song's waveform, while it is being decoded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing

import numpy as np

from genrenet import audio

MOST = 1200
"""Maximum number of peaks of a song."""

FINEST = 0.02
"""Minimum seconds of audio per peak."""

BLOCK = 10.0
"""Maximum seconds of audio that are decoded at once."""


def seconds_per_peak(duration: float) -> float:
    """Return the length of audio per peak, in seconds, for a song of ``duration`` seconds."""
    return max(FINEST, duration / MOST)


def peaks(path: str, seconds: float, at_once: int = 100) -> Iterator[list[float]]:
    """Yield the maximum absolute sample of each ``seconds`` of a file, from 0 to 1, in batches.

    Damaged parts are left out, without an error: the waveform is optional.

    Parameters
    ----------
    path : str
    seconds : float > 0
    at_once : int > 0
        Length of the lists, except the last.

    Yields
    ------
    list of float
    """
    try:
        with closing(audio.AudioFile(path)) as file:
            rate = file.info.sample_rate
            each = max(1, math.ceil(seconds * rate))
            # A block is a few seconds of audio, whatever the length of the song.
            at_once = max(1, min(at_once, round(BLOCK * rate) // each))
            for block in file.stream(rate, block_seconds=each * at_once / rate):
                padded = np.zeros(math.ceil(len(block) / each) * each, np.float32)
                padded[: len(block)] = np.abs(block)
                found = padded.reshape(-1, each).max(axis=1).clip(0, 1)
                yield [round(value, 3) for value in found.tolist()]
    except audio.AudioError:
        return
