"""Any music file, or a span of one, as mono float32 samples at the rate that is wanted.

libsndfile (`soundfile`) reads WAV, AU, AIFF, CAF, FLAC and Ogg; FFmpeg (`av`) reads the rest, MP3
too: it is as fast, goes on after damaged frames, and does not write to the terminal.

Samples are the mean of the channels; full scale is -1 to 1 and never clipped. Times are seconds
from the first decoded sample. A span equals that slice of the whole (but for the noise that AAC and
AC-3 decoders fill in at random). A file that yields `SLACK` seconds less than its header promises
is truncated; one without such a header (ADTS AAC, an MP3 without a Xing frame) ends where it ends.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np
import soxr

from genrenet.audio.decoders import SLACK, Track, open_track
from genrenet.audio.errors import (
    AudioError,
    EmptyAudioError,
    MissingFileError,
    Mono,
    NonFiniteAudioError,
    NotAudioError,
    Path,
    TooShortError,
    TruncatedAudioError,
    UnreadableFileError,
    failure,
)

__all__ = [
    "SLACK",
    "SUFFIXES",
    "AudioError",
    "AudioFile",
    "AudioInfo",
    "EmptyAudioError",
    "MissingFileError",
    "NonFiniteAudioError",
    "NotAudioError",
    "TooShortError",
    "TruncatedAudioError",
    "UnreadableFileError",
    "fingerprint",
    "is_audio_path",
    "load",
    "probe",
    "stream",
]

SUFFIXES: frozenset[str] = frozenset((
    ".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".ape", ".au", ".caf", ".flac", ".m4a",
    ".m4b", ".mka", ".mp2", ".mp3", ".mp4", ".mpc", ".oga", ".ogg", ".opus", ".rf64", ".snd",
    ".spx", ".tta", ".w64", ".wav", ".wave", ".webm", ".wma", ".wv"))  # fmt: skip
"""Lower-case suffixes, with their dot, of the files that this module reads."""

_MARGIN = 512  # periods of the slower rate around a span: several times soxr's filter
_NONE = np.zeros(0, np.float32)


@dataclass(frozen=True)
class AudioInfo:
    """What a file is.

    Attributes
    ----------
    duration : float >= 0 [seconds], within 0.1 for an intact file
    sample_rate : int > 0 [Hz]
    channels : int > 0
    format : str, container and coding as the backend names them
    backend : {"soundfile", "av"}, who decodes it
    """

    duration: float
    sample_rate: int
    channels: int
    format: str
    backend: str


def is_audio_path(path: Path) -> bool:
    """Whether a path is named like audio: one of `SUFFIXES`, but no ``._`` companion of macOS.

    Examples
    --------
    >>> is_audio_path("music/Song.MP3"), is_audio_path("cover.jpg")
    (True, False)
    """
    name = os.path.basename(os.fspath(path))
    return os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith("._")


class AudioFile:
    """A file opened once, for what it is and then for its samples.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    info : AudioInfo

    Raises
    ------
    AudioError
        As `load`, as far as the header and the first packet tell.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._track = path, open_track(path)
        track = self._track
        self.info = AudioInfo(track.length, track.rate, track.channels, track.format, track.backend)

    def stream(
        self,
        sample_rate: int = 12_000,
        *,
        block_seconds: float = 29.12,
        offset: float = 0.0,
        duration: float | None = None,
    ) -> Iterator[Mono]:
        """What `genrenet.audio.stream` gives, once."""
        if not self._track.promised:  # its length was found by reading to the end
            self._track.close()
            self._track = open_track(self.path)
        return _blocks(
            _decode(self._track, sample_rate, offset, duration), sample_rate, block_seconds
        )

    def close(self) -> None:
        """Give the file back."""
        self._track.close()


def probe(path: Path) -> AudioInfo:
    """Read what a file is, decoding one packet at most.

    Returns
    -------
    AudioInfo
        Its duration, where no header states it, is the sum of all packets', still undecoded.

    Raises
    ------
    AudioError
        As `load`, as far as the header and the first packet tell.
    """
    with closing(AudioFile(path)) as file:
        return file.info


def load(
    path: Path,
    sample_rate: int | None = 12_000,
    offset: float = 0.0,
    duration: float | None = None,
    *,
    min_seconds: float = 0.0,
    partial: bool = False,
) -> Mono:
    """Decode a file, or a span of it, to mono samples.

    Parameters
    ----------
    path : path-like
        An audio file; its content, not its name, decides how it is read.
    sample_rate : int > 0 [Hz] or None
        The rate wanted; None keeps the file's own.
    offset : float >= 0 [seconds]
        Where the span begins. What lies before is not decoded, except in Matroska, WebM and WMA,
        whose clocks are too coarse for exact seeks.
    duration : float > 0 [seconds] or None
        Length of the span; None reads to the end. Past the end there is nothing.
    min_seconds : float >= 0 [seconds]
        The least audio to accept.
    partial : bool
        Accept a truncated file and return what could be read of it.

    Returns
    -------
    np.ndarray, shape (n,), float32, nominally in [-1, 1]
        ``round(duration * sample_rate)`` samples, or as many of them as there are, from
        ``round(offset * sample_rate)`` on.

    Raises
    ------
    AudioError
        Of the kind that fits; a truncated file only where the span needs what is missing (with
        `partial`: if nothing could be read), a short one also if `offset` lies beyond its end.
    """
    pieces = [_NONE]
    try:
        for piece in _decode(path, sample_rate, offset, duration):
            pieces.append(piece)  # noqa: PERF402 - what came before an error must stay
    except TruncatedAudioError as error:
        error.samples = np.concatenate(pieces)
        if not partial or not len(error.samples):
            raise
    samples = np.concatenate(pieces)
    if min_seconds > 0:
        seconds = len(samples) / (sample_rate or probe(path).sample_rate)
        if seconds < min_seconds:
            raise failure(TooShortError, path, f"{seconds:.2f} s", f"{min_seconds:.2f} s or more")
    return samples


def stream(
    path: Path,
    sample_rate: int = 12_000,
    *,
    block_seconds: float = 29.12,
    offset: float = 0.0,
    duration: float | None = None,
) -> Iterator[Mono]:
    """Decode a file block by block, in memory that does not grow with its length.

    Parameters
    ----------
    block_seconds : float > 0 [seconds]
        Length of a block. All other parameters are as for `load`.

    Yields
    ------
    np.ndarray, shape (round(block_seconds * sample_rate),), float32
        Consecutive blocks, the last one perhaps shorter; end to end they are what `load` returns.

    Raises
    ------
    AudioError
        As `load`, when the fault is reached; a `TruncatedAudioError` follows the last block.
    """
    return _blocks(_decode(path, sample_rate, offset, duration), sample_rate, block_seconds)


def fingerprint(path: Path) -> str:
    """Name a file's audio by its samples, to find one recording under several names.

    Returns
    -------
    str, 64 hexadecimal digits
        SHA-256 of the samples, mono, 16-bit, at the file's own rate. Tags and lossless coding do
        not change it; lossy coding or another start does.

    Raises
    ------
    AudioError
        As `load`.
    """
    digest = hashlib.sha256()
    for block in _decode(path, None, 0.0, None):
        digest.update(np.clip(np.rint(block * 32768), -32768, 32767).astype("<i2").tobytes())
    return digest.hexdigest()


def _blocks(pieces: Iterator[Mono], sample_rate: int, block_seconds: float) -> Iterator[Mono]:
    """Pieces of any length as blocks of one length; what is left comes before an error."""
    size = round(block_seconds * sample_rate)
    if size < 1:
        raise ValueError(f"block_seconds must hold at least one sample, not {block_seconds}")
    parts, held, cut = [_NONE], 0, None
    try:
        for piece in pieces:
            parts.append(piece)
            held += len(piece)
            while held >= size:
                joined = np.concatenate(parts)
                yield joined[:size]
                parts, held = [joined[size:]], held - size
    except TruncatedAudioError as error:
        cut = error
    if held:
        yield np.concatenate(parts)
    if cut is not None:
        raise cut


def _decode(
    source: Path | Track, hz: int | None, offset: float, duration: float | None
) -> Iterator[Mono]:
    """The one road from file to samples: seek, decode, resample, trim, judge the end."""
    if not ((hz is None or hz >= 1) and offset >= 0 and (duration is None or duration > 0)):
        raise ValueError(f"out of range: rate {hz}, offset {offset} or duration {duration}")
    with ExitStack() as stack:
        track = open_track(source) if isinstance(source, str | os.PathLike) else source
        stack.enter_context(closing(track))
        path = track.path
        rate, out = track.rate, hz or track.rate
        if not 1e3 <= rate <= 3e6:  # from a damaged header: the result could fill all memory
            raise failure(NotAudioError, path, f"a sample rate of {rate} Hz", "1 kHz to 3 MHz")
        skip, left, stop = round(offset * out), sys.maxsize, sys.maxsize
        margin = 0.0 if rate == out else _MARGIN / min(rate, out)
        if duration is not None:
            left = round(duration * out)
            stop = math.ceil(((skip + left) / out + margin) * rate)
        # Decoding starts where a sample of the file and one of the result coincide (they do every
        # 1/common s), so that a span has the very phase that it has in the whole.
        common = math.gcd(rate, out)
        tick = max(0, math.floor((skip / out - margin) * common))
        start, skip = tick * (rate // common), skip - tick * (out // common)
        if not track.seek(start):  # which leaves the decoder in no fit state
            track = stack.enter_context(closing(open_track(path)))
        resampler = soxr.ResampleStream(rate, out, 1, dtype="float32", quality="HQ")
        for native in itertools.chain(_between(track, start, stop), [None]):
            block = resampler.resample_chunk(_NONE if native is None else native, native is None)
            wanted = block[skip:][:left]
            skip, left = max(0, skip - len(block)), left - len(wanted)
            yield wanted
        got, end = track.position / rate, offset + (duration or math.inf)
        if min(track.promised, end) > got + SLACK:
            found, seconds = f"{got:.2f} s that can be read", max(0.0, got - offset)
            whole = f"{track.promised:.2f} s" if track.promised < math.inf else "the whole"
            raise failure(TruncatedAudioError, path, found, whole, seconds=seconds)
        if got <= offset:
            raise failure(TooShortError, path, f"{got:.2f} s", f"some from {offset:.2f} s on")


def _between(track: Track, start: int, stop: int) -> Iterator[Mono]:
    """Samples `start` to `stop` of a track at its own rate, all of them finite."""
    for decoded in track.blocks():
        begin = track.position - len(decoded)
        block = decoded[max(0, start - begin) : max(0, stop - begin)]
        finite = np.isfinite(block)
        if not finite.all():
            at = (max(start, begin) + int(finite.argmin())) / track.rate
            raise failure(NonFiniteAudioError, track.path, f"NaN or infinity at {at:.2f} s")
        yield block
        if track.position >= stop:
            return
