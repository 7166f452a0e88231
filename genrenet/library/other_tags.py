"""Genres in tags of a file to which `genrenet.library.genre_tags` does not write.

======================  ============================================================
kind                    where else a genre may be
======================  ============================================================
mp3, mp2, aac, tta      APEv2
flac, ape, mpc, wv, ..  ID3v2 in front, ID3v1 at the end
wav                     the list INFO, ``IGNR``
m4a, m4b, mp4           a freeform box ``GENRE``
wma                     ``WM/GenreID``
======================  ============================================================
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mutagen import MutagenError
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.id3 import ID3
from mutagen.mp4 import MP4


def other_genres(path: str, others: Callable[[str], Iterable[str]] | None) -> list[str]:
    """Return genres in other tags than the file's own kind.

    Parameters
    ----------
    path : str
    others : callable or None
        That of its `genrenet.library.tag_formats.TagFormat`.

    Returns
    -------
    list of str
        As they are stored; tags that cannot be read are ignored.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    try:
        return list(others(path)) if others else []
    except MutagenError as error:
        if isinstance(error.__cause__ or error.__context__, OSError):
            raise OSError(str(error)) from error
        return []


def ape_genres(path: str) -> list[str]:
    """Return ``Genre`` of a tag APEv2."""
    return [str(value) for value in APEv2(path).get("Genre", ())]


def id3_genres(path: str) -> list[str]:
    """Return ``TCON`` of a tag ID3."""
    return [text for frame in ID3(path).getall("TCON") for text in frame.genres]


def mp4_genres(path: str) -> list[str]:
    """Return freeform boxes ``GENRE`` of an MP4 file."""
    tags: Any = MP4(path).tags or {}
    found = (
        values for key, values in tags.items() if re.fullmatch(r"----:.*:GENRE", key, re.I | re.S)
    )
    return [bytes(value).decode("utf-8", "replace") for values in found for value in values]


def asf_genres(path: str) -> list[str]:
    """Return ``WM/GenreID`` of an ASF file."""
    tags: Any = ASF(path).tags or {}
    return [str(value) for value in tags.get("WM/GenreID", ())]


def info_genres(path: str) -> Iterator[str]:
    """Yield ``IGNR`` in the lists INFO of a RIFF file."""
    with open(path, "rb") as file:
        for name, start, size in _chunks(file, 12, os.fstat(file.fileno()).st_size):
            file.seek(start)
            if name != b"LIST" or file.read(4) != b"INFO":
                continue
            for key, at, length in _chunks(file, start + 4, start + size):
                if key == b"IGNR":
                    file.seek(at)
                    text = file.read(min(length, 1 << 16)).partition(b"\0")[0]
                    try:
                        yield text.decode("utf-8")
                    except UnicodeDecodeError:
                        yield text.decode("cp1252", "replace")


def _chunks(file: Any, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and size of each chunk."""
    while at + 8 <= end:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        yield name, at + 8, size
        at += 8 + size + size % 2
