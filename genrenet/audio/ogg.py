"""Find the parts of an Ogg file: chained streams, each a complete file.

Source: RFC 3533, "The Ogg Encapsulation Format Version 0".
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

_FIRST = re.compile(rb"OggS\0[\x02\x06].{8}.{4}\0{4}", re.DOTALL)  # page 0 of a logical stream
_HEADER = 27  # bytes of a page's header before its table of segments
_LARGEST = 65_307  # bytes of a page
_CHUNK = 1 << 20


def parts(file: BinaryIO) -> list[tuple[int, int]]:
    """Find the parts of an Ogg file, reading all of it.

    Parameters
    ----------
    file : binary file

    Returns
    -------
    list of (int, int)
        First byte of each part, and one past the last.
    """
    begins, after = list[int](), -1
    for begin in find_all(file, _FIRST, 22):
        # Parallel streams, such as video and audio, begin one page after another.
        if begin != after:
            begins.append(begin)
        after = begin + _page_length(file, begin)
    return list(zip(begins, [*begins[1:], file.seek(0, os.SEEK_END)], strict=False))


def find_all(file: BinaryIO, pattern: re.Pattern[bytes], length: int) -> Iterator[int]:
    """Yield the positions of a pattern of fixed length; the file may be read in the meantime."""
    at, tail = 0, b""
    while file.seek(at) == at and (chunk := file.read(_CHUNK)):
        data = tail + chunk
        for match in pattern.finditer(data):
            yield at - len(tail) + match.start()
        at, tail = at + len(chunk), data[1 - length :]


def _page_length(file: BinaryIO, begin: int) -> int:
    file.seek(begin)
    page = file.read(_HEADER + 255)
    return _HEADER + page[26] + sum(page[_HEADER : _HEADER + page[26]])


def is_whole(file: BinaryIO, end: int) -> bool:
    """Return whether the last page before a position is marked as the end of its stream."""
    file.seek(max(0, end - _LARGEST - _HEADER))
    data = file.read(min(end, _LARGEST + _HEADER))
    last = data.rfind(b"OggS\0")
    return last >= 0 and len(data) > last + 5 and bool(data[last + 5] & 4)
