"""Decode a file as far as it can be read, or record why it cannot be used.

Which songs are usable
----------------------
A truncated or damaged file is used as far as it can be read. Only the sound of a file is kept (see
`genrenet.audio.sounding`), which must be `MIN_SECONDS` or longer. A file whose content is not music
stays unusable until the file, this program or its decoders change. A failure that may be temporary
(no permission, a missing file, a time limit) is not remembered.
"""

from __future__ import annotations

import importlib.metadata
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from genrenet import audio
from genrenet.audio.sounding import MIN_SECONDS, SilentAudioError, only_sounding, require_sound
from genrenet.version import __version__

DType = Literal["int16", "float16"]
State = Literal["whole", "truncated", "unusable", "unread"]
"""``unusable``: the content is not music, permanently; ``unread``: reading failed this time."""
T = TypeVar("T")

CONTENT_ERRORS = (
    audio.NotAudioError,
    audio.EmptyAudioError,
    audio.TruncatedAudioError,
    audio.NonFiniteAudioError,
    audio.TooShortError,
    SilentAudioError,
)
"""Errors of a file's content, which are permanent; all other errors may be temporary."""


class Decoded(NamedTuple):
    """The stored data of a file.

    Attributes
    ----------
    samples : ndarray of int16 or float16, shape (samples,)
        Mono; empty where the file is not usable.
    scale : float
        Factor that maps the samples to [-1, 1].
    state : {"whole", "truncated", "unusable", "unread"}
    message : str
        The fault of the file, or ''.
    """

    samples: NDArray[Any]
    scale: float
    state: State
    message: str

    @property
    def error(self) -> str:
        """Why the file is not usable, or ''."""
        return "" if len(self.samples) else self.message


def decode(path: str, sample_rate: int) -> tuple[NDArray[np.float32], State, str]:
    """Decode the sound of a file, as far as it can be read.

    Parameters
    ----------
    path : str
    sample_rate : int > 0
        In Hz.

    Returns
    -------
    samples : ndarray of float32, shape (samples,)
        Empty where the file is not usable.
    state, message : str
        See `Decoded`.
    """
    samples, state, message = as_far_as_readable(path, sample_rate)
    if state in ("whole", "truncated"):
        samples = only_sounding(samples, sample_rate)
        try:
            require_sound(path, len(samples), sample_rate)
        except audio.AudioError as error:
            return samples[:0], "unusable", message or str(error)
    return samples, state, message


def as_far_as_readable(path: str, sample_rate: int) -> tuple[NDArray[np.float32], State, str]:
    """Decode the readable part of a file; see `decode`."""
    nothing = np.zeros(0, np.float32)
    try:
        return audio.load(path, sample_rate), "whole", ""
    except audio.TruncatedAudioError as error:
        if len(error.samples) >= MIN_SECONDS * sample_rate:
            return error.samples, "truncated", str(error)
        return nothing, "unusable", str(error)
    except CONTENT_ERRORS as error:
        return nothing, "unusable", str(error)
    except audio.AudioError as error:
        return nothing, "unread", str(error)


def encode(path: str, sample_rate: int, dtype: DType) -> Decoded:
    """Decode a file into the data for a store."""
    samples, state, message = decode(path, sample_rate)
    if dtype == "float16":
        return Decoded(samples.astype("<f2"), 1.0, state, message)
    peak = float(np.abs(samples).max(initial=0.0)) or 1.0
    stored = np.round(samples * (32767.0 / peak)).astype("<i2")
    return Decoded(stored, peak / 32767.0 if len(samples) else 1.0, state, message)


def in_order(paths: Sequence[str], work: Callable[[str], T], workers: int) -> Iterator[T]:
    """Yield the results of ``work`` in the order of ``paths``, with bounded parallelism."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[T]] = deque()
        for path in paths:
            waiting.append(pool.submit(work, path))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@cache
def decoders() -> str:
    """Return the versions of the decoders: a file that fails with one may be read by another."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("av", "soundfile")]
    return ", ".join((f"genrenet {__version__}", *versions))
