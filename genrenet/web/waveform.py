"""The outline of a song's waveform, while it is being decoded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing

import numpy as np

from genrenet import audio

MOST = 1200
"""Peaks of a song, at most."""

FINEST = 0.02
"""Seconds of audio a peak stands for, at least."""

BLOCK = 10.0
"""Seconds of audio that are decoded at once, at most."""


def seconds_per_peak(duration: float) -> float:
    """Return how much audio each peak of a song of ``duration`` seconds stands for."""
    return max(FINEST, duration / MOST)


def peaks(path: str, seconds: float, at_once: int = 100) -> Iterator[list[float]]:
    """Yield the largest absolute sample of each ``seconds`` of a file, from 0 to 1, some at a time.

    What is damaged is left out, without an error: the outline is a help, never a condition.

    Parameters
    ----------
    path : str
    seconds : float > 0
    at_once : int > 0
        Length of the lists, but for the last.

    Yields
    ------
    list of float
    """
    try:
        with closing(audio.AudioFile(path)) as file:
            rate = file.info.sample_rate
            each = max(1, math.ceil(seconds * rate))
            # A block is a few seconds of audio, however long the song is.
            at_once = max(1, min(at_once, round(BLOCK * rate) // each))
            for block in file.stream(rate, block_seconds=each * at_once / rate):
                padded = np.zeros(math.ceil(len(block) / each) * each, np.float32)
                padded[: len(block)] = np.abs(block)
                found = padded.reshape(-1, each).max(axis=1).clip(0, 1)
                yield [round(value, 3) for value in found.tolist()]
    except audio.AudioError:
        return
