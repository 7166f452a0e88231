"""Find the parts of files to which other files have been appended.

Decoders stop at the end of the first part. Sources: RFC 9639, "Free Lossless Audio Codec" (sections
8 and
9); "WavPack 4 & 5 Binary File/Block Format"; "TTA1 Lossless Audio Codec Format Description".
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from genrenet.audio import ogg

_FLAC = re.compile(rb"fLaC[\0\x80]\0\0\x22")  # then the block with the stream's properties
_FRAME = re.compile(rb"\xff[\xf8\xf9][\x10-\xff][\0-\xae]")
_WAVPACK = struct.Struct("<4sIHBBIIII")  # header of a block
_INITIAL = 1 << 11  # flag: the first block of those of several channels
_TTA = struct.Struct("<4sHHHII")
_CHUNK, _WINDOW = 1 << 20, 1 << 16


def parts(file: BinaryIO) -> list[tuple[int, int]]:
    """Find the parts of an Ogg, FLAC, WavPack or TTA file.

    Parameters
    ----------
    file : binary file

    Returns
    -------
    list of (int, int)
        First byte of each part, and one past the last. None for other formats.
    """
    file.seek(0)
    head = file.read(4)
    if head == b"OggS":
        return ogg.parts(file)
    find = {b"fLaC": _flac, b"wvpk": _wavpack, b"TTA1": _tta}.get(head)
    if find is None:
        return []
    begins = sorted({0, *find(file)})
    return list(zip(begins, [*begins[1:], _size(file)], strict=True))


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _flac(file: BinaryIO) -> Iterator[int]:
    """Search the whole file, unless its frames are in the order of one recording."""
    if not _in_order(file):
        yield from ogg.find_all(file, _FLAC, 8)


def _in_order(file: BinaryIO) -> bool:
    """Check three positions of a long FLAC to see whether it is one complete recording."""
    size = _size(file)
    file.seek(8)
    about = file.read(34)
    if size < 2 * _CHUNK or len(about) < 34:
        return False
    largest = int.from_bytes(about[2:4], "big")
    total = int.from_bytes(about[13:18], "big") & ((1 << 36) - 1)
    found = [0]
    for begin in (size // 3, size * 2 // 3, size - _WINDOW):
        file.seek(begin)
        found.append(_last_frame(file.read(_WINDOW), largest))
    return found == sorted(set(found)) and 0 < total - found[-1] <= largest


def _last_frame(data: bytes, largest: int) -> int:
    """Return the first sample of the last frame that begins in some data; -1 if none does."""
    for match in reversed(list(_FRAME.finditer(data))):
        at = match.start()
        ones = 8 - (data[at + 4] ^ 255).bit_length() if at + 16 < len(data) else 1
        if ones == 1 or ones > 7:
            continue
        size, rate = divmod(data[at + 2], 16)
        after = at + 4 + max(1, ones)  # the number; block size and rate follow if they are unusual
        end = after + {6: 1, 7: 2}.get(size, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
        if _crc(data[at:end]) != data[end]:
            continue
        number = data[at + 4] & (127 >> ones)
        for byte in data[at + 5 : after]:
            number = number << 6 | byte & 63
        return number if data[at + 1] & 1 else number * largest
    return -1


def _crc(data: bytes) -> int:
    """Return CRC-8 with the polynomial x^8 + x^2 + x + 1."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (7 if crc & 128 else 0)) & 255
    return crc


def _after_tags(file: BinaryIO, at: int) -> int:
    """Skip tags at the end of a file."""
    while True:
        file.seek(at)
        head = file.read(16)
        if head.startswith(b"APETAGEX") and len(head) == 16:
            at += 32 + int.from_bytes(head[12:], "little")
        elif head.startswith(b"TAG"):
            at += 128
        else:
            file.seek(at)
            return at


def _wavpack(file: BinaryIO) -> Iterator[int]:
    """Iterate over the blocks: sample 0 is the first of a part."""
    at, begun = 0, False
    while True:
        at = _after_tags(file, at)
        head = file.read(_WAVPACK.size)
        if len(head) < _WAVPACK.size or not head.startswith(b"wvpk"):
            return
        _, size, _, high, _, _, first, samples, flags = _WAVPACK.unpack(head)
        if samples and flags & _INITIAL and not first and not high:
            if begun:
                yield at
            begun = True
        at += size + 8


def _tta(file: BinaryIO) -> Iterator[int]:
    """Iterate over the parts: each lists the lengths of its frames."""
    at = 0
    while True:
        at = _after_tags(file, at)
        head = file.read(_TTA.size)
        if len(head) < _TTA.size or not head.startswith(b"TTA1"):
            return
        yield at
        *_, rate, samples = _TTA.unpack(head)
        length = rate * 256 // 245  # of a frame
        frames = -(-samples // length) if length else 0
        begin = at + _TTA.size + 4
        if not 0 < 4 * frames < _size(file) - begin:  # damaged or truncated
            return
        file.seek(begin)
        lengths = struct.unpack(f"<{frames}I", file.read(4 * frames))
        at = begin + 4 * frames + 4 + sum(lengths)
