"""Decode files with FFmpeg."""

from __future__ import annotations

import errno
import itertools
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import av
import av.stream
import mutagen.mp3
import numpy as np
import soxr

from genrenet.audio.downmix import Block
from genrenet.audio.errors import EmptyAudioError, NotAudioError, Path, TruncatedAudioError, failure
from genrenet.audio.ogg import is_whole

LOWEST_RATE, HIGHEST_RATE = 1_000, 3_000_000  # Hz; others come from damaged headers
SLACK = 0.25  # seconds that may be missing from a header's duration: codec delay is not damage

_OLD = int(av.__version__.split(".")[0]) < 19
METADATA: dict[str, Any] = {"metadata_errors": "replace"} if _OLD else {}
"""Option with which FFmpeg opens files whose tags are not UTF-8; PyAV < 19 needs it."""

_TIMED = {"mov", "matroska", "asf", "flac", "wv", "ape", "tta"}  # their headers state a duration
_INDEXED = {"mov", "flac", "wv", "ape", "tta", "wav", "w64", "aiff", "au", "caf", "dsf"}
_COUNTED = {"mp3", "mp2", "aac", "ac3", "eac3", "dts"}  # frames of one length and nothing else
_FRAMES = 64  # FFmpeg's frames per block of samples
_PREROLL = 0.5  # seconds decoded ahead of a seek's target: codecs build on earlier packets
_NO_MORE = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"3DI")  # tags that may follow an MP3's sound
_LATE = 100  # streams that may appear after the header was read


@contextmanager
def _damage() -> Iterator[None]:
    """Skip packets that FFmpeg cannot read, as players do; out of memory is not damage."""
    try:
        yield
    except av.FFmpegError as error:
        if error.errno in (errno.ENOMEM, errno.EIO):
            raise


class AVTrack:
    """A file, or a part of one, opened with FFmpeg. Packets that do not decode are skipped.

    Parameters
    ----------
    path : path-like
    part : (int, int), optional
        First byte, and one past the last.
    beat : callable
        Called at intervals during long operations.

    Raises
    ------
    av.FFmpegError
        It cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        part: tuple[int, int] | None = None,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self.path, self.position, self.backend, self._beat = path, 0, "av", beat
        self.end = part[1] if part else os.path.getsize(path)
        # "file:" and the whitelist: no name is a URL, and no playlist in disguise fetches one.
        name = f"file:{os.fspath(path)}"
        if part is not None:
            name = f"subfile,,start,{part[0]},end,{part[1]},,:{name}"
        options = {"protocol_whitelist": "file,subfile"}
        self._container = av.open(name, options=options, **METADATA)
        self.close, self.format = self._container.close, self._container.format.name
        streams = self._container.streams.audio
        if not streams:
            raise failure(NotAudioError, path, f"{self.format} data without sound")
        default = (s for s in streams if s.disposition & av.stream.Disposition.default)
        self._stream = next(default, streams[0])
        self._kinds = set(self.format.split(","))
        self._frames = self._decoded()
        self.promised = self._promise()
        first = next(self._frames, None)
        if first is None:  # FFmpeg finds MP3 and AAC without headers in any noise
            kind = NotAudioError if self.format in ("mp3", "aac") else EmptyAudioError
            raise failure(TruncatedAudioError if self.promised > SLACK else kind, path, "0 samples")
        # Headers may be wrong about the rate; the frames themselves are not.
        self.rate, self.channels = first.sample_rate, first.layout.nb_channels
        self.format += f" {self._stream.codec_context.codec.canonical_name}"
        self._first, self._frames = first, itertools.chain([first], self._frames)

    def _promise(self) -> float:
        """Return the duration in the header in s, 0 for none: FFmpeg's estimates are not used."""
        if self.format == "mp3":
            return self._promise_of_mp3()
        if self.format == "ogg":  # its length is not stored, but its last page is marked
            with open(self.path, "rb") as file:
                return 0.0 if is_whole(file, self.end) else math.inf
        if not _TIMED & self._kinds or ("mov" in self._kinds and self._is_fragmented()):
            return 0.0
        own = float((self._stream.duration or 0) * (self._stream.time_base or 0))
        if not own and (stated := re.match(r"(\d+):(\d+):([\d.]+)", self._tag("DURATION"))):
            own = int(stated[1]) * 3600 + int(stated[2]) * 60 + float(stated[3])
        shared = (self._container.duration or 0) / av.time_base  # Matroska's, for all its streams
        return float(own or shared * (len(self._container.streams) == 1))

    def _tag(self, name: str) -> str:
        return str(self._stream.metadata.get(name, ""))

    def _promise_of_mp3(self) -> float:
        """Return the seconds of the Xing or VBRI header; 0 without one, or if audio follows its
        end.
        """
        with suppress(mutagen.MutagenError), open(self.path, "rb") as file:
            info = mutagen.mp3.MPEGInfo(file)
            if info.bitrate_mode == mutagen.mp3.BitrateMode.UNKNOWN:
                return 0.0
            end = info.frame_offset + round(info.bitrate * info.length / 8)
            if end + 1024 < self.end:  # the header may be wrong by a frame or two
                file.seek(max(0, end - 512))
                if not any(mark in file.read(1024 + 512) for mark in _NO_MORE):
                    return 0.0
            return float(info.length)
        return 0.0

    def _is_fragmented(self) -> bool:
        """Return whether an MP4 has fragments: its header covers the first at most."""
        with open(self.path, "rb") as file:
            at = 0
            while len(head := file.read(16)) == 16:
                size = int.from_bytes(head[:4], "big")
                if head[4:8] == b"moof":
                    return True
                size = int.from_bytes(head[8:], "big") if size == 1 else size
                if size < 8:
                    return False
                at += size
                file.seek(at)
        return False

    @property
    def length(self) -> float:
        """Duration in seconds: from the header, or of all packets."""
        if 0 < self.promised < math.inf:
            return self.promised
        ticks, rates = 0, set()
        with _damage():
            self._container.seek(0)
            for packet in self._packets():
                ticks += packet.duration or 0
                if self._kinds == {"aac"} and packet.size > 2:  # ADTS: each states its rate, and
                    rates.add(memoryview(packet)[2] >> 2 & 15)  # FFmpeg counts by the first one's
                self._beat()
        if len(rates) > 1:
            with closing(AVTrack(self.path, beat=self._beat)) as track:
                return sum(map(len, track.blocks())) / track.rate
        return float(ticks * (self._stream.time_base or 0))

    def seek(self, start: int) -> bool:
        """Seek to a position before `start`, or stay at the beginning; False if the decoder is
        unusable afterwards.
        """
        first, clock, preroll = self._first, self._first.time_base, int(_PREROLL * self.rate)
        counted = bool(_COUNTED & self._kinds)
        if not (counted or _INDEXED & self._kinds) or start < 2 * preroll:
            return not self.position
        if first.pts is None or clock is None or clock * self.rate > 1:
            return not self.position
        target = first.pts + int((start - preroll) / (self.rate * clock))
        with _damage():
            if not counted:
                self._container.seek(target, stream=self._stream)
            frames = self._decoded(target if counted else None)
            landed = next(frames, None)
            if landed is not None and landed.pts is not None and landed.sample_rate == self.rate:
                self.position = round((landed.pts - first.pts) * clock * self.rate)
                self._frames = itertools.chain([landed], frames)
                return 0 <= self.position <= start - preroll // 2
        return False

    def _packets(self) -> Iterator[av.Packet]:
        for _ in range(_LATE):
            try:
                yield from self._container.demux(self._stream)
                return
            except IndexError:  # PyAV does not know streams that appear late
                continue

    def _decoded(self, target: int | None = None) -> Iterator[av.AudioFrame]:
        """Yield the frames of the remaining packets, or of those from a time on.

        The time is reached by counting frames of equal length, as an index may be wrong. If they
        are not of equal length, nothing is yielded.
        """
        usual = None
        packers: dict[tuple[str, str, int], av.AudioResampler] = {}
        with _damage():
            for packet in self._packets():
                if target is not None and packet.pts is not None and packet.pts < target:
                    if usual not in (None, packet.duration):
                        return
                    usual = packet.duration
                    continue
                with _damage():
                    for frame in self._stream.decode(packet):
                        if frame.layout.nb_channels < 8 or not frame.format.is_planar:
                            yield frame
                        else:  # PyAV reads past the end of 8 planes or more; packed, they are one
                            kind = frame.format.name, frame.layout.name, frame.sample_rate
                            if kind not in packers:
                                packers[kind] = av.AudioResampler(frame.format.packed)
                            yield from packers[kind].resample(frame)

    def blocks(self) -> Iterator[Block]:
        """Yield samples from `position` on, all at the track's rate, even if the stream's rate
        changes.
        """
        alike = itertools.groupby(
            self._frames, lambda f: (f.sample_rate, f.layout.nb_channels, f.format.name)
        )
        rated = (
            (rate, block)
            for (rate, channels, _), group in alike
            for block in _joined(group, channels)
        )
        for block in _at_rate(rated, self.rate):
            self.position += len(block)
            yield block


def _at_rate(rated: Iterable[tuple[int, Block]], rate: int) -> Iterator[Block]:
    """Yield blocks with individual rates at one rate."""
    resampler, kind = None, (rate, 0)
    for own, block in rated:
        if resampler is not None and kind != (own, block.shape[1]):
            yield resampler.resample_chunk(np.zeros((0, kind[1]), np.float32), last=True)
            resampler = None
        if own < LOWEST_RATE:  # damage: the result could fill all memory
            continue
        if own == rate:
            yield block
            continue
        if resampler is None:
            kind = own, block.shape[1]
            resampler = soxr.ResampleStream(own, rate, block.shape[1], dtype="float32")
        yield resampler.resample_chunk(block)
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros((0, kind[1]), np.float32), last=True)


def _joined(frames: Iterator[av.AudioFrame], channels: int) -> Iterator[Block]:
    """Yield the samples of frames of one kind."""
    fifo = av.AudioFifo()
    while some := list(itertools.islice(frames, _FRAMES)):
        for frame in some:
            frame.pts = None  # only the order matters: damage may leave gaps in the times
            fifo.write(frame)
        joined = fifo.read()
        assert joined is not None  # there were frames
        samples = joined.to_ndarray()
        samples = samples.T if joined.format.is_planar else samples.reshape(-1, channels)
        if samples.dtype.kind != "f":
            full = 1 << (8 * samples.dtype.itemsize - 1)
            samples = samples.astype(np.float32) / full - (samples.dtype.kind == "u")
        with np.errstate(over="ignore"):  # doubles
            yield samples.astype(np.float32, copy=False)


class ChainedTrack:
    """A file of several parts, each opened separately, all at the first one's rate."""

    def __init__(
        self,
        path: Path,
        parts: list[tuple[int, int]],
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self.path, self.position, self.backend, self._beat = path, 0, "av", beat
        self._parts, self.promised = parts, 0.0
        self._first = AVTrack(path, parts[0], beat)
        self.rate, self.channels = self._first.rate, self._first.channels
        self.format, self.close = f"{self._first.format} chain", self._first.close

    @property
    def length(self) -> float:
        """Seconds of all parts."""
        return sum((track.length for track in self._others()), self._first.length)

    def seek(self, start: int) -> bool:
        """Stay at the beginning: earlier samples are decoded, since the parts' lengths are then
        known for certain.
        """
        return not self.position

    def _others(self) -> Iterator[AVTrack]:
        for part in self._parts[1:]:
            try:
                track = AVTrack(self.path, part, self._beat)
            except (av.FFmpegError, EmptyAudioError, NotAudioError, TruncatedAudioError):
                self.promised = math.inf  # the other parts are complete
                continue
            try:
                yield track
            finally:
                track.close()

    def blocks(self) -> Iterator[Block]:
        """Yield the samples of all parts."""
        tracks = itertools.chain([self._first], self._others())
        for block in _at_rate(self._rated(tracks), self.rate):
            self.position += len(block)
            yield block

    def _rated(self, tracks: Iterable[AVTrack]) -> Iterator[tuple[int, Block]]:
        for track in tracks:
            yield from ((track.rate, block) for block in track.blocks())
            # Only the last Ogg stream must have its end marked.
            if track.promised < math.inf or track.end == self._parts[-1][1]:
                missing = track.promised > track.position / track.rate + SLACK
                self.promised = math.inf if missing else self.promised
