"""Decode any music file, or a span of one, to mono float32 samples at a given rate.

libsndfile (`soundfile`) reads WAV, AU, AIFF, CAF, FLAC and Ogg; FFmpeg (`av`) reads the rest, and
also MP3: it is as fast, continues after damaged frames, and does not write to the terminal.

Samples are the mean of the channels; full scale is -1 to 1 and never clipped. Times are seconds
from the first decoded sample. A span equals that slice of the whole (but for the noise that AAC and
AC-3 decoders fill in at random). A file that yields `SLACK` seconds less than its header promises
is truncated; one without such a header (ADTS AAC, an MP3 without a Xing frame) ends where it ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing

import numpy as np

from genrenet.audio.decoding import AudioInfo, Opened
from genrenet.audio.errors import (
    AudioError,
    DecodingError,
    DecodingLimitError,
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
from genrenet.audio.ffmpeg import SLACK
from genrenet.audio.names import SUFFIXES, is_audio_path
from genrenet.audio.processes import Remote, in_process, start

__all__ = [
    "SLACK",
    "SUFFIXES",
    "AudioError",
    "AudioFile",
    "AudioInfo",
    "DecodingError",
    "DecodingLimitError",
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
    "start",
    "stream",
]

_NONE = np.zeros(0, np.float32)


class AudioFile:
    """A file that is opened once, to read its properties and then its samples.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    info : AudioInfo

    Raises
    ------
    AudioError
        As `load`, as far as the header and the first packet show.
    """

    def __init__(self, path: Path) -> None:
        self._source = _opened(path)
        try:
            self.info = self._source.info()
        except BaseException:
            self._source.close()
            raise

    @property
    def notes(self) -> list[str]:
        """Remarks for the user on the samples that were read; complete once all were."""
        return self._source.notes

    def stream(
        self,
        sample_rate: int = 12_000,
        *,
        block_seconds: float = 29.12,
        offset: float = 0.0,
        duration: float | None = None,
    ) -> Iterator[Mono]:
        """Return the blocks of `genrenet.audio.stream`, once."""
        pieces = self._source.pieces(sample_rate, offset, duration)
        return _blocks(pieces, sample_rate, block_seconds)

    def load(self, sample_rate: int, offset: float, duration: float) -> Mono:
        """Return a span as `genrenet.audio.load` does, any number of times.

        Spans are cheapest in ascending order: samples before the first of them are not decoded
        again.
        """
        return np.concatenate([_NONE, *self._source.pieces(sample_rate, offset, duration)])

    def close(self) -> None:
        """Close the file."""
        self._source.close()


def probe(path: Path) -> AudioInfo:
    """Read a file's properties, decoding at most one packet.

    Returns
    -------
    AudioInfo
        If no header states its duration, it is the sum of all packets' durations, without decoding.

    Raises
    ------
    AudioError
        As `load`, as far as the header and the first packet show.
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
    notes: list[str] | None = None,
) -> Mono:
    """Decode a file, or a span of it, to mono samples.

    Parameters
    ----------
    path : path-like
        An audio file; its content, not its name, decides how it is read.
    sample_rate : int > 0 [Hz] or None
        Target rate; None keeps the file's own.
    offset : float >= 0 [seconds]
        Start of the span. Earlier samples are not decoded, except in Matroska, WebM and WMA, whose
        timestamps are too coarse for exact seeks.
    duration : float > 0 [seconds] or None
        Length of the span; None reads to the end. Samples past the end are missing, not padded.
    min_seconds : float >= 0 [seconds]
        Minimum length of audio to accept.
    partial : bool
        Accept a truncated file and return what could be read of it.
    notes : list of str, optional
        Receives remarks for the user on the samples, such as channels that cancel each other out.

    Returns
    -------
    np.ndarray, shape (n,), float32, nominally in [-1, 1]
        ``round(duration * sample_rate)`` samples, or as many of them as there are, from
        ``round(offset * sample_rate)`` on.

    Raises
    ------
    AudioError
        One of its subclasses; a truncated file only if the span needs the missing part (with
        `partial`: if nothing could be read), a short one also if `offset` lies beyond its end.
    """
    pieces = [_NONE]
    with closing(_opened(path)) as source:
        try:
            for piece in source.pieces(sample_rate, offset, duration):
                pieces.append(piece)  # noqa: PERF402 - what came before an error must stay
        except TruncatedAudioError as error:
            error.samples = np.concatenate(pieces)
            if not partial or not len(error.samples):
                raise
        samples = np.concatenate(pieces)
        if notes is not None:
            notes += [note for note in source.notes if note not in notes]
        if min_seconds > 0:
            seconds = len(samples) / (sample_rate or source.info().sample_rate)
            if seconds < min_seconds:
                found, wanted = f"{seconds:.2f} s", f"{min_seconds:.2f} s or more"
                raise failure(TooShortError, path, found, wanted)
    return samples


def stream(
    path: Path,
    sample_rate: int = 12_000,
    *,
    block_seconds: float = 29.12,
    offset: float = 0.0,
    duration: float | None = None,
    notes: list[str] | None = None,
) -> Iterator[Mono]:
    """Decode a file block by block, in memory that does not grow with its length.

    Parameters
    ----------
    block_seconds : float > 0 [seconds]
        Length of a block. All other parameters are as for `load`.

    Yields
    ------
    np.ndarray, shape (round(block_seconds * sample_rate),), float32
        Consecutive blocks, the last one possibly shorter; concatenated they equal the result of
        `load`.

    Raises
    ------
    AudioError
        As `load`, when the fault is reached; a `TruncatedAudioError` follows the last block.
    """
    pieces = _whole(path, sample_rate, offset, duration, notes)
    return _blocks(pieces, sample_rate, block_seconds)


def fingerprint(path: Path) -> str:
    """Return a hash of a file's samples, to find one recording under several names.

    Returns
    -------
    str, 64 hexadecimal digits
        SHA-256 of the samples, mono, 16-bit, at the file's own rate. It does not depend on tags and
        lossless coding, but on lossy coding and the start of the recording.

    Raises
    ------
    AudioError
        As `load`.
    """
    digest = hashlib.sha256()
    for block in _whole(path, None, 0.0, None):
        digest.update(np.clip(np.rint(block * 32768), -32768, 32767).astype("<i2").tobytes())
    return digest.hexdigest()


def _blocks(pieces: Iterator[Mono], sample_rate: int, block_seconds: float) -> Iterator[Mono]:
    """Yield pieces of any length as blocks of one length; the remainder comes before an error."""
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


def _opened(path: Path) -> Remote | Opened:
    return Opened(path) if in_process() else Remote(path)


def _whole(
    path: Path,
    sample_rate: int | None,
    offset: float,
    duration: float | None,
    notes: list[str] | None = None,
) -> Iterator[Mono]:
    """Yield the pieces of a file that is opened when the first is requested."""
    with closing(_opened(path)) as source:
        yield from source.pieces(sample_rate, offset, duration)
        if notes is not None:
            notes += source.notes
