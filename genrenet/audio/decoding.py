"""Decode a file to mono samples at a given rate, in this process."""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

import numpy as np
import soxr

from genrenet.audio.downmix import Block, Downmix
from genrenet.audio.errors import (
    AudioError,
    DecodingLimitError,
    Mono,
    NonFiniteAudioError,
    NotAudioError,
    Path,
    TooShortError,
    TruncatedAudioError,
    border,
    failure,
)
from genrenet.audio.ffmpeg import HIGHEST_RATE, LOWEST_RATE, SLACK, AVTrack
from genrenet.audio.opening import Track, open_track

_MARGIN = 512  # periods of the slower rate around a span: several times soxr's filter
_NONE = np.zeros(0, np.float32)
_FREE_SECONDS, _BYTES_PER_SECOND = 3600.0, 10.0  # silence apart, no coding is smaller


@dataclass(frozen=True)
class AudioInfo:
    """Properties of a file.

    Attributes
    ----------
    duration : float >= 0 [seconds], within 0.1 for an intact file
        Never more than a file of its size can hold.
    sample_rate : int > 0 [Hz]
    channels : int > 0
    format : str, container and coding as named by the backend
    backend : {"soundfile", "av"}, the decoder
    """

    duration: float
    sample_rate: int
    channels: int
    format: str
    backend: str


class Opened:
    """A file that this process decodes.

    Parameters
    ----------
    path : path-like
    beat : callable
        Called at intervals during long operations.

    Attributes
    ----------
    notes : list of str
        Remarks for the user on the samples; complete once all have been read.
    """

    def __init__(self, path: Path, beat: Callable[[], None] = lambda: None) -> None:
        self.path, self.notes, self._beat = path, list[str](), beat
        with border(path):
            self._track = open_track(path, beat)
        self._ended = False

    def info(self) -> AudioInfo:
        """Return the properties of the file."""
        track = self._track
        with border(self.path):
            length, most = track.length, self._most_seconds()
        self._ended = self._ended or track.promised != length  # it was read to its end
        length = min(length, most)  # damaged headers state thousands of years
        return AudioInfo(length, track.rate, track.channels, track.format, track.backend)

    def pieces(self, hz: int | None, offset: float, duration: float | None) -> Iterator[Mono]:
        """Yield the samples of a span, piece by piece; see `genrenet.audio.load`."""
        if not ((hz is None or hz >= 1) and offset >= 0 and (duration is None or duration > 0)):
            raise ValueError(f"out of range: rate {hz}, offset {offset} or duration {duration}")
        with border(self.path):
            if self._ended:
                self._reopen()
            yield from self._pieces(hz, offset, duration)
            # Nothing was read: the length of the rest is unknown.
            self._ended = not self._track.position

    def close(self) -> None:
        """Close the file."""
        self._track.close()

    def _reopen(self) -> None:
        self._track.close()
        self._track, self._ended = open_track(self.path, self._beat), False

    def _pieces(self, hz: int | None, offset: float, duration: float | None) -> Iterator[Mono]:
        """Seek, decode, mix, resample, trim, and check that the end was reached."""
        track = self._track
        rate, out = track.rate, hz or track.rate
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:  # the result could fill all memory
            raise failure(NotAudioError, self.path, f"a sample rate of {rate} Hz", "1 kHz to 3 MHz")
        skip, left, stop = round(offset * out), sys.maxsize, sys.maxsize
        margin = 0.0 if rate == out else _MARGIN / min(rate, out)
        if duration is not None:
            left = round(duration * out)
            stop = math.ceil(((skip + left) / out + margin) * rate)
        # Decoding starts where a sample of the file and one of the result coincide (they do every
        # 1/common s), so that a span has the same phase as in the whole file; channels are mixed by
        # whole seconds.
        single = track.channels == 1 and track.backend == "soundfile"
        common = math.gcd(rate, out) if single else 1
        tick = max(0, math.floor((skip / out - margin) * common))
        start, skip = tick * (rate // common), skip - tick * (out // common)
        if not single and duration is not None:
            stop = math.ceil(stop / rate) * rate
        read = track.position > 0
        if not track.seek(start):  # the decoder is then unusable
            self._reopen()
            if read and not self._track.seek(start):
                self._reopen()
            track = self._track
        resampler = soxr.ResampleStream(rate, out, 1, dtype="float32", quality="HQ")
        mix = Downmix(rate)
        natives = mix.mixed(_between(track, start, stop))
        for native in itertools.chain(self._finite(natives, start / rate), [None]):
            block = resampler.resample_chunk(_NONE if native is None else native, native is None)
            wanted = block[skip:][:left]
            skip, left = max(0, skip - len(block)), left - len(wanted)
            yield wanted
            self._bound(track.position / rate)
        self.notes += [note for note in mix.notes if note not in self.notes]
        got, end = track.position / rate, offset + (duration or math.inf)
        if min(track.promised, end) > got + SLACK:
            found, seconds = f"{got:.2f} s that can be read", max(0.0, got - offset)
            whole = f"{track.promised:.2f} s" if track.promised < math.inf else "the whole"
            raise failure(TruncatedAudioError, self.path, found, whole, seconds=seconds)
        if got <= offset:
            raise failure(TooShortError, self.path, f"{got:.2f} s", f"some from {offset:.2f} s on")

    def _finite(self, blocks: Iterator[Mono], at: float) -> Iterator[Mono]:
        for block in blocks:
            finite = np.isfinite(block)
            if not finite.all():
                at += int(finite.argmin()) / self._track.rate
                raise failure(NonFiniteAudioError, self.path, f"NaN or infinity at {at:.2f} s")
            at += len(block) / self._track.rate
            yield block

    def _most_seconds(self) -> float:
        """Return the maximum duration of a file of this size."""
        return _FREE_SECONDS + os.path.getsize(self.path) / _BYTES_PER_SECOND

    def _bound(self, seconds: float) -> None:
        """End a stream that would otherwise be infinite."""
        if seconds > self._most_seconds():
            found = f"{seconds / 3600:.1f} hours and no end"
            raise failure(DecodingLimitError, self.path, found, "what so small a file can hold")


def _between(track: Track, start: int, stop: int) -> Iterator[Block]:
    """Yield samples `start` to `stop` of a track at its own rate."""
    for decoded in _all_blocks(track, stop):
        begin = track.position - len(decoded)
        yield decoded[max(0, start - begin) : max(0, stop - begin)]
        if track.position >= stop:
            return


def _all_blocks(track: Track, stop: int) -> Iterator[Block]:
    """Yield the blocks of a track; where libsndfile fails, FFmpeg continues if it can."""
    yield from track.blocks()
    missing = min(track.promised, stop / track.rate) > track.position / track.rate + SLACK
    if not missing or track.backend != "soundfile":
        return
    with suppress(AudioError, OSError, ValueError), closing(AVTrack(track.path)) as other:
        if other.rate != track.rate:
            return
        for block in other.blocks():
            new = min(len(block), other.position - track.position)
            if new > 0:
                track.position += new
                yield block[len(block) - new :]
