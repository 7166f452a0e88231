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
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import av
import mutagen.mp3
import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

from genrenet.errors import GenrenetError, printable

Path: TypeAlias = "str | os.PathLike[str]"
Mono: TypeAlias = npt.NDArray[np.float32]

SUFFIXES: frozenset[str] = frozenset((
    ".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".ape", ".au", ".caf", ".flac", ".m4a",
    ".m4b", ".mka", ".mp2", ".mp3", ".mp4", ".mpc", ".oga", ".ogg", ".opus", ".rf64", ".snd",
    ".spx", ".tta", ".w64", ".wav", ".wave", ".webm", ".wma", ".wv"))  # fmt: skip
"""Lower-case suffixes, with their dot, of the files that this module reads."""

SLACK = 0.25  # seconds of a header's promise that may be missing: codecs' delay is no damage

# How known files begin; those in the group are libsndfile's.
_MAGIC = re.compile(
    rb"(?s)(RIF[FX]|RF64|riff|FORM|\.snd|caff|fLaC|OggS)|....ftyp|\x1aE\xdf\xa3|0&\xb2u|wvpk|MAC "
)
# libsndfile's log: sizes that it found to be wrong. Writers to a pipe put in a huge one on purpose.
_REPAIRED = re.compile(r"(?:data|SSND|Data Size|Riff size|riff) +: (\d+) \(should be (\d+)\)")
_HUGE_SIZE, _HUGE_FRAMES = 0x7FFF0000, 1 << 62
_TIMED = {"mov", "matroska", "asf", "flac", "wv", "ape", "tta"}  # their headers state a duration
_BLOCK, _FRAMES = 1 << 17, 64  # libsndfile's values and FFmpeg's frames per block of samples
_MARGIN = 512  # periods of the slower rate around a span: several times soxr's filter
_PREROLL = 0.5  # seconds decoded ahead of a seek's target: codecs build on earlier packets
_NONE = np.zeros(0, np.float32)


class AudioError(GenrenetError):
    """A file that cannot be had as audio; `path` is the file."""

    path: Path = ""  # set after construction: errors are unpickled from their message alone


class MissingFileError(AudioError):
    """There is no such file."""


class UnreadableFileError(AudioError):
    """The operating system does not give the file's bytes: a folder, permissions, a link loop."""


class NotAudioError(AudioError):
    """The file's content is no audio that any decoder knows."""


class EmptyAudioError(AudioError):
    """The file has no bytes, or its audio no samples."""


class TruncatedAudioError(AudioError):
    """The file ends before its header says, or what should follow is damaged.

    `samples`, shape (n,), float32, is what `load` could read, at the rate wanted; it is empty from
    `stream`, which has yielded it. `seconds` >= 0 is how much of the span that is.
    """

    samples: Mono = _NONE
    seconds: float = 0.0


class NonFiniteAudioError(AudioError):
    """A sample is NaN or infinite."""


class TooShortError(AudioError):
    """There is less audio than was asked for, or a span begins after the end."""


_SAYS = {  # fault, wanted, remedy
    MissingFileError: ("cannot find", "a file", "check its name and whether its disk is connected"),
    UnreadableFileError: ("cannot read", "a readable file", "check its permissions and links"),
    NotAudioError: ("no audio in", "a format that libsndfile or FFmpeg decodes", "leave it out"),
    EmptyAudioError: ("nothing in", "audio", "fetch the file again, or leave it out"),
    TruncatedAudioError: ("cut short or damaged:", "the whole", "fetch or encode the file again"),
    NonFiniteAudioError: ("unusable samples in", "finite ones", "write it again from its source"),
    TooShortError: ("too little audio in", "more", "leave the file out, or ask for less"),
}


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
    with closing(_open(path)) as track:
        return AudioInfo(track.length, track.rate, track.channels, track.format, track.backend)


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
            raise _error(TooShortError, path, f"{seconds:.2f} s", f"{min_seconds:.2f} s or more")
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
    size = round(block_seconds * sample_rate)
    if size < 1:
        raise ValueError(f"block_seconds must hold at least one sample, not {block_seconds}")
    parts, held, cut = [_NONE], 0, None
    try:
        for piece in _decode(path, sample_rate, offset, duration):
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


def _error(kind: type[AudioError], path: Path, *texts: str, **more: Any) -> AudioError:
    fault, default, remedy = _SAYS[kind]
    found, wanted = (*texts, default)[:2]  # the kind's own wording is the default
    error = kind(f"{fault} '{printable(path)}'", found=found, wanted=wanted, remedy=remedy)
    vars(error).update(more, path=path)
    return error


def _decode(path: Path, hz: int | None, offset: float, duration: float | None) -> Iterator[Mono]:
    """The one road from file to samples: seek, decode, resample, trim, judge the end."""
    if not ((hz is None or hz >= 1) and offset >= 0 and (duration is None or duration > 0)):
        raise ValueError(f"out of range: rate {hz}, offset {offset} or duration {duration}")
    with ExitStack() as stack:
        track = stack.enter_context(closing(_open(path)))
        rate, out = track.rate, hz or track.rate
        if not 1e3 <= rate <= 3e6:  # from a damaged header: the result could fill all memory
            raise _error(NotAudioError, path, f"a sample rate of {rate} Hz", "1 kHz to 3 MHz")
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
            track = stack.enter_context(closing(_open(path)))
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
            raise _error(TruncatedAudioError, path, found, whole, seconds=seconds)
        if got <= offset:
            raise _error(TooShortError, path, f"{got:.2f} s", f"some from {offset:.2f} s on")


def _between(track: _Track, start: int, stop: int) -> Iterator[Mono]:
    """Samples `start` to `stop` of a track at its own rate, all of them finite."""
    for decoded in track.blocks():
        begin = track.position - len(decoded)
        block = decoded[max(0, start - begin) : max(0, stop - begin)]
        finite = np.isfinite(block)
        if not finite.all():
            at = (max(start, begin) + int(finite.argmin())) / track.rate
            raise _error(NonFiniteAudioError, track.path, f"NaN or infinity at {at:.2f} s")
        yield block
        if track.position >= stop:
            return


def _mix(samples: npt.NDArray[Any]) -> Mono:
    """Mean over the last axis, as a product: 25 times as fast as `mean` over two channels."""
    n = samples.shape[-1]
    with np.errstate(over="ignore", invalid="ignore"):  # found and named later
        mono: Mono = samples.astype(np.float32, copy=False) @ np.full(n, 1 / n, np.float32)
    return mono


def _open(path: Path) -> _Track:
    """Open a file with the backend that reads it, or say why none does."""
    try:
        if os.stat(path) and not os.path.isfile(path):  # opening a pipe would wait for its writer
            raise OSError("a folder, a device or a pipe")
        with open(path, "rb") as file:
            head = file.read(64)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        found = getattr(error, "strerror", None) or str(error)
        raise _error(MissingFileError if missing else UnreadableFileError, path, found) from error
    if not head:
        raise _error(EmptyAudioError, path, "0 bytes")
    known = _MAGIC.match(head)
    kind: type[AudioError] = TruncatedAudioError if known else NotAudioError
    found = "a header but no sound that can be read" if known else f"what begins {head[:24]!r}"
    if known and known[1]:
        with suppress(sf.LibsndfileError, TypeError):  # TypeError: a name that ends in .raw
            track = _SoundFileTrack(path)
            # After a crash the length is 0, from a pipe unknown: FFmpeg reads on to the end.
            if 0 < track.frames < _HUGE_FRAMES:
                return track
            kind, found = EmptyAudioError, "0 samples"
            track.close()
    try:
        return _AVTrack(path)
    except av.FFmpegError as error:
        raise _error(kind, path, found) from error


class _SoundFileTrack:
    """A file opened with libsndfile. Its seeks are exact to the sample in every format."""

    def __init__(self, path: Path) -> None:
        self.path, self.position, self.backend = path, 0, "soundfile"
        name = os.fsencode(path) if os.name == "posix" else os.fspath(path)  # any bytes do
        self._file = file = sf.SoundFile(name)
        self.close, self.format = file.close, f"{file.format} {file.subtype}"
        self.rate, self.channels, self.frames = file.samplerate, file.channels, file.frames
        self.promised = self.length = float(self.frames / self.rate)
        # libsndfile silently repairs the header of a file that was cut; only its log tells.
        for wanted, found in _REPAIRED.findall(file.extra_info):
            if 0 < int(found) < int(wanted) < _HUGE_SIZE:
                self.promised = self.length * int(wanted) / int(found)
        if "lacks an end-of-stream bit" in file.extra_info:  # Ogg does not say how much is missing
            self.promised = math.inf

    def seek(self, start: int) -> bool:
        """Go to `start`; a FLAC that was cut may fail to."""
        with suppress(sf.LibsndfileError):
            self.position = self._file.seek(min(start, self.frames))
            return True
        return False

    def blocks(self) -> Iterator[Mono]:
        """Samples from `position` on, to the last that can be read."""
        buffer = np.empty((max(1024, _BLOCK // self.channels), self.channels), np.float32)
        count = len(buffer)
        while count == len(buffer):
            with suppress(sf.LibsndfileError):  # what precedes the damage is in the buffer already
                self._file.read(out=buffer)
            count = max(0, self._file.tell() - self.position)
            self.position += count
            yield _mix(buffer[:count])


class _AVTrack:
    """A file opened with FFmpeg. Packets that do not decode are skipped, as players do."""

    def __init__(self, path: Path) -> None:
        self.path, self.position, self.backend = path, 0, "av"
        # "file:" and the whitelist: no name is a URL, and no playlist in disguise fetches one.
        name, options = f"file:{os.fspath(path)}", {"protocol_whitelist": "file"}
        self._container = av.open(name, options=options, metadata_errors="replace")
        self.close, self.format = self._container.close, self._container.format.name
        if not self._container.streams.audio:
            raise _error(NotAudioError, path, f"{self.format} data without sound")
        self._stream = self._container.streams.audio[0]
        self._frames = self._decoded()
        self.promised = self._promise()
        first = next(self._frames, None)
        if first is None:  # FFmpeg sees the headerless MP3 and AAC in any noise
            kind = NotAudioError if self.format in ("mp3", "aac") else EmptyAudioError
            raise _error(TruncatedAudioError if self.promised > SLACK else kind, path, "0 samples")
        # Headers err about the rate; the frames themselves do not.
        self.rate, self.channels = first.sample_rate, first.layout.nb_channels
        self.format += f" {self._stream.codec_context.codec.canonical_name}"
        self._first, self._frames = first, itertools.chain([first], self._frames)

    def _promise(self) -> float:
        """Seconds that the header states, 0 for none: FFmpeg's estimates are no promise."""
        if self.format == "mp3":
            with suppress(mutagen.MutagenError), open(self.path, "rb") as file:
                info = mutagen.mp3.MPEGInfo(file)
                return float(info.length * (info.bitrate_mode != mutagen.mp3.BitrateMode.UNKNOWN))
        if not _TIMED & set(self.format.split(",")):
            return 0.0
        own = (self._stream.duration or 0) * (self._stream.time_base or 0)
        shared = (self._container.duration or 0) / av.time_base  # Matroska's, for all its streams
        return float(own or shared * (len(self._container.streams) == 1))

    @property
    def length(self) -> float:
        if self.promised:
            return self.promised
        seconds = 0.0
        with suppress(av.FFmpegError):
            self._container.seek(0)
            for packet in self._container.demux(self._stream):
                seconds += float((packet.duration or 0) * (packet.time_base or 0))
        return seconds

    def seek(self, start: int) -> bool:
        """Go to some way before `start`; stay where the clock is too coarse for exactness."""
        first, clock, preroll = self._first, self._first.time_base, int(_PREROLL * self.rate)
        if start < 2 * preroll or first.pts is None or clock is None or clock * self.rate > 1:
            return True
        with suppress(av.FFmpegError):
            target = first.pts + int((start - preroll) / (self.rate * clock))
            self._container.seek(target, stream=self._stream)
            frames = self._decoded()
            landed = next(frames, None)
            if landed is not None and landed.pts is not None:
                self.position = round((landed.pts - first.pts) * clock * self.rate)
                self._frames = itertools.chain([landed], frames)
                return self.position <= start - preroll // 2
        return False

    def _decoded(self) -> Iterator[av.AudioFrame]:
        with suppress(av.FFmpegError):
            for packet in self._container.demux(self._stream):
                with suppress(av.FFmpegError):
                    for frame in packet.decode():
                        if frame.layout.nb_channels < 8 or not frame.format.is_planar:
                            yield frame
                        else:  # PyAV reads past the end of 8 planes or more; packed, they are one
                            yield from av.AudioResampler(frame.format.packed).resample(frame)

    def blocks(self) -> Iterator[Mono]:
        alike = itertools.groupby(self._frames, lambda f: (f.sample_rate, f.layout.nb_channels))
        for (rate, channels), group in alike:
            if rate != self.rate:  # two files in one: the rest would play too fast
                self.promised = math.inf
                return
            while frames := list(itertools.islice(group, _FRAMES)):
                samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
                samples = samples.T if frames[0].format.is_planar else samples.reshape(-1, channels)
                if samples.dtype.kind != "f":
                    full = 1 << (8 * samples.dtype.itemsize - 1)
                    samples = samples.astype(np.float32) / full - (samples.dtype.kind == "u")
                self.position += len(samples)
                yield _mix(samples)


_Track: TypeAlias = "_SoundFileTrack | _AVTrack"
