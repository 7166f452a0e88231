"""Who decodes a file: libsndfile or FFmpeg, as a track of mono blocks at the file's own rate."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeAlias

import av
import mutagen.mp3
import numpy as np
import numpy.typing as npt
import soundfile as sf

from genrenet.audio.errors import (
    AudioError,
    EmptyAudioError,
    MissingFileError,
    Mono,
    NotAudioError,
    Path,
    TruncatedAudioError,
    UnreadableFileError,
    failure,
)

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
_PREROLL = 0.5  # seconds decoded ahead of a seek's target: codecs build on earlier packets


def _mix(samples: npt.NDArray[Any]) -> Mono:
    """Mean over the last axis, as a product: 25 times as fast as `mean` over two channels."""
    n = samples.shape[-1]
    with np.errstate(over="ignore", invalid="ignore"):  # found and named later
        floats = samples.astype(np.float32, copy=False)
        mono: Mono = floats[..., 0].copy() if n == 1 else floats @ np.full(n, 1 / n, np.float32)
    return mono


def open_track(path: Path) -> Track:
    """Open a file with the backend that reads it, or say why none does."""
    try:
        if os.stat(path) and not os.path.isfile(path):  # opening a pipe would wait for its writer
            raise OSError("a folder, a device or a pipe")
        with open(path, "rb") as file:
            head = file.read(64)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        found = getattr(error, "strerror", None) or str(error)
        raise failure(MissingFileError if missing else UnreadableFileError, path, found) from error
    if not head:
        raise failure(EmptyAudioError, path, "0 bytes")
    known = _MAGIC.match(head)
    kind: type[AudioError] = TruncatedAudioError if known else NotAudioError
    found = "a header but no sound that can be read" if known else f"what begins {head[:24]!r}"
    if known and known[1]:
        with suppress(sf.LibsndfileError, TypeError):  # TypeError: a name that ends in .raw
            track = SoundFileTrack(path)
            # After a crash the length is 0, from a pipe unknown: FFmpeg reads on to the end.
            if 0 < track.frames < _HUGE_FRAMES:
                return track
            kind, found = EmptyAudioError, "0 samples"
            track.close()
    try:
        return _AVTrack(path)
    except av.FFmpegError as error:
        raise failure(kind, path, found) from error


class SoundFileTrack:
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
            raise failure(NotAudioError, path, f"{self.format} data without sound")
        self._stream = self._container.streams.audio[0]
        self._frames = self._decoded()
        self.promised = self._promise()
        first = next(self._frames, None)
        if first is None:  # FFmpeg sees the headerless MP3 and AAC in any noise
            kind = NotAudioError if self.format in ("mp3", "aac") else EmptyAudioError
            raise failure(TruncatedAudioError if self.promised > SLACK else kind, path, "0 samples")
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
        ticks = 0
        with suppress(av.FFmpegError):
            self._container.seek(0)
            for packet in self._container.demux(self._stream):
                ticks += packet.duration or 0
        return float(ticks * (self._stream.time_base or 0))

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
        alike = itertools.groupby(
            self._frames, lambda f: (f.sample_rate, f.layout.nb_channels, f.format.name)
        )
        for (rate, channels, _), group in alike:
            if rate != self.rate:  # two files in one: the rest would play too fast
                self.promised = math.inf
                return
            fifo = av.AudioFifo()
            while frames := list(itertools.islice(group, _FRAMES)):
                for frame in frames:
                    frame.pts = None  # only their order counts: damage may leave gaps in the times
                    fifo.write(frame)
                joined = fifo.read()
                assert joined is not None  # there were frames
                samples = joined.to_ndarray()
                samples = samples.T if joined.format.is_planar else samples.reshape(-1, channels)
                if samples.dtype.kind != "f":
                    full = 1 << (8 * samples.dtype.itemsize - 1)
                    samples = samples.astype(np.float32) / full - (samples.dtype.kind == "u")
                self.position += len(samples)
                yield _mix(samples)


Track: TypeAlias = "SoundFileTrack | _AVTrack"
