"""Verify that a tagged copy of a file has the same audio before it replaces the original.

Up to three properties of a file are compared, as far as its container allows:

- the packets that FFmpeg demuxes, stream by stream: codec, bytes, times and order. For a container
  with offsets to its audio (MP4 and its fragments, ASF) this shows whether they are still valid.
- the bytes between the tags at both ends, if a file is only audio between tags.
- the packets and granule positions of each logical stream of an Ogg file, without comments.

Pictures count as tags.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import av
from mutagen.ogg import OggPage, error as OggError

from genrenet.audio.ffmpeg import METADATA
from genrenet.utils.cache import CHUNK
from genrenet.utils.errors import GenrenetError

PATIENCE = 60.0
"""Seconds that FFmpeg may take to find the next packet."""

_PAST_THE_END = {"tak"}  # their last frame is not marked, so FFmpeg reads tags as audio
_PICTURES = {"mjpeg", "png", "gif", "bmp", "webp", "tiff"}
_FLAC_TAGS = {1, 4, 6}  # padding, comment, picture


class AudioChangedError(GenrenetError):
    """A copy whose audio differs from the original, or cannot be verified."""


def flush(path: str) -> None:
    """Flush a file to the disk and drop it from memory, so that the stored bytes are read next."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def check_same_audio(original: str, copy: str, container: str) -> None:
    """Raise an error for a copy whose audio is not that of the original.

    Parameters
    ----------
    original, copy : str
        Two files.
    container : {"ends", "flac", "ogg", "mp4", ""}
        Where tags are: at both ends of the audio, before it as in FLAC, in Ogg's packets, in MP4's
        boxes, or elsewhere as known to FFmpeg.

    Raises
    ------
    AudioChangedError
        The audio differs, or both files cannot be read in any way.
    OSError
        A file cannot be read.
    """
    compared = 0
    for view in _VIEWS[container]:
        was = view(original)
        if was is not None and view(copy) != was:
            raise AudioChangedError("its tagged copy would not contain the same audio")
        compared += was is not None
    if not compared:
        raise AudioChangedError("it cannot be checked that its audio would stay the same")
    if container == "mp4" and _moves_what_is_pointed_at(original, copy):
        raise AudioChangedError("its fragments would move, and its index of them would not follow")


def _packets(path: str) -> list[str] | None:
    """Return a digest for each stream of a file; None if FFmpeg cannot read it to its end."""
    name, options = f"file:{os.fspath(path)}", {"protocol_whitelist": "file"}
    try:
        with av.open(name, options=options, timeout=PATIENCE, **METADATA) as held:
            streams = {
                stream.index: hashlib.sha256(repr(_describe(stream)).encode())
                for stream in held.streams
                if stream.codec_context is None or stream.codec_context.name not in _PICTURES
            }
            if not held.streams.audio or held.format.name in _PAST_THE_END:
                return None
            for packet in held.demux():
                found = streams.get(packet.stream_index)
                if found is None or not packet.size:  # the last ones are empty
                    continue
                times = packet.pts, packet.dts, packet.duration, packet.is_keyframe, packet.size
                found.update(repr(times).encode())
                found.update(packet)
            return [found.hexdigest() for found in streams.values()]
    except (av.FFmpegError, IndexError, ValueError):
        return None


def _describe(stream: Any) -> tuple[object, ...]:
    """Return the decoder configuration of a stream."""
    codec = stream.codec_context
    if codec is None:
        return (stream.type, stream.time_base)
    told: tuple[object, ...] = (stream.type, codec.name, stream.time_base, codec.extradata)
    if stream.type == "audio":
        told += (codec.sample_rate, codec.layout.name, codec.format and codec.format.name)
    return told


def _rest(file: BinaryIO, found: Any, end: int) -> str:
    """Return a digest updated with a file's bytes up to ``end``."""
    while (left := end - file.tell()) > 0 and (block := file.read(min(CHUNK, left))):
        found.update(block)
    return str(found.hexdigest())


def _after_id3(file: BinaryIO, start: int) -> int:
    """Return where the ID3v2 tag at ``start`` ends; ``start`` itself if there is none."""
    file.seek(start)
    head = file.read(10)
    if len(head) < 10 or not head.startswith(b"ID3"):
        return start
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return start + size + (20 if head[5] & 0x10 else 10)


def _between_tags(path: str) -> str:
    """Return the digest of the bytes between the tags at both ends of a file."""
    with open(path, "rb") as file:
        start, end = 0, file.seek(0, os.SEEK_END)
        while (after := _after_id3(file, start)) != start:
            start = after
        for _ in range(2):  # ID3v1 may follow or precede APEv2
            file.seek(max(start, end - 128))
            tail = file.read(end - file.tell()) if end > start else b""
            if len(tail) == 128 and tail.startswith(b"TAG"):
                end -= 128
            file.seek(max(start, end - 32))
            tail = file.read(end - file.tell()) if end > start else b""
            if len(tail) == 32 and tail.startswith(b"APETAGEX"):
                size, _, flags = struct.unpack("<3I", tail[12:24])
                end -= size + (32 if flags >> 31 else 0)
        file.seek(start)
        return _rest(file, hashlib.sha256(), end)


def _behind_blocks(path: str) -> str | None:
    """Return the digest of a FLAC file without comments, pictures and padding; None if it
    is damaged.
    """
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(_after_id3(file, 0))
        if file.read(4) != b"fLaC":
            return None
        found, last = hashlib.sha256(), False
        while not last:
            head = file.read(4)
            if len(head) < 4:
                return None
            last, kind = bool(head[0] & 0x80), head[0] & 0x7F
            block = file.read(int.from_bytes(head[1:], "big"))
            if kind not in _FLAC_TAGS:
                found.update(bytes([kind]) + block)
        return _rest(file, found, end)


def _ogg(path: str) -> list[str]:
    """Return a digest for each logical stream of an Ogg file, the comment packet left out."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(0)
        streams: list[_OggStream] = []
        current: dict[int, _OggStream] = {}
        for page in _pages(file):
            if page.first or page.serial not in current:
                streams.append(_OggStream())
                current[page.serial] = streams[-1]
            current[page.serial].add(page)
        rest = _rest(file, hashlib.sha256(), end)  # data after the Ogg pages
        return [*(stream.digest() for stream in streams), rest]


def _pages(file: BinaryIO) -> Iterator[OggPage]:
    while True:
        at = file.tell()
        try:
            yield OggPage(file)
        except (EOFError, OggError, ValueError, struct.error):
            file.seek(at)
            return


class _OggStream:
    """Digest of a logical stream from its pages: the content of its packets except the second."""

    def __init__(self) -> None:
        self.found, self.packet, self.pieces = hashlib.sha256(), 0, list[bytes]()

    def add(self, page: OggPage) -> None:
        """Add the next page; the division of packets into pages is ignored."""
        for number, piece in enumerate(page.packets, 1):
            self.pieces.append(piece)
            if number < len(page.packets) or page.complete:
                packet = b"".join(self.pieces)
                self.pieces.clear()
                if self.packet != 1:
                    self.found.update(b"%d:" % len(packet) + packet)
                self.packet += 1
        if page.position > 0:  # 0 in headers, -1 where no packet ends
            self.found.update(b"%d@%d;" % (self.packet, page.position))

    def digest(self) -> str:
        """Return the digest of the packets so far, including a truncated last one."""
        self.found.update(b"".join(self.pieces))
        return self.found.hexdigest()


def _moves_what_is_pointed_at(original: str, copy: str) -> bool:
    """Return whether fragments have moved to which an index of absolute positions refers."""
    was, now = _boxes(original), _boxes(copy)
    fragments = [[at for name, at in boxes if name == b"moof"] for boxes in (was, now)]
    if fragments[0] == fragments[1]:
        return False
    names = [name for name, _ in was]
    early = b"sidx" in names and names.index(b"sidx") < names.index(b"moov")
    return b"mfra" in names or early


def _boxes(path: str) -> list[tuple[bytes, int]]:
    """Return names and positions of an MP4's outermost boxes."""
    found = []
    with open(path, "rb") as file:
        end, at = file.seek(0, os.SEEK_END), 0
        while at + 8 <= end:
            file.seek(at)
            size, name = struct.unpack(">I4s", file.read(8))
            if size == 1 and len(longer := file.read(8)) == 8:
                size = int.from_bytes(longer, "big")
            found.append((name, at))
            if size < 8:  # 0: up to the end
                break
            at += size
    return found


_VIEWS: dict[str, tuple[Callable[[str], Any], ...]] = {
    "ends": (_packets, _between_tags),
    "flac": (_packets, _behind_blocks),
    "ogg": (_ogg,),  # FFmpeg misses streams that begin late
    "mp4": (_packets,),
    "": (_packets,),
}
