"""Genres in tags of a file that `genrenet.library.genre_tags` does not write to.

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
import struct
from collections.abc import Iterator
from typing import Any

from mutagen import MutagenError
from mutagen.apev2 import APEv2, APEv2File
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import ID3, ID3FileType
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.trueaudio import TrueAudio
from mutagen.wave import WAVE


def other_genres(path: str, kind: type[Any]) -> list[str]:
    """Return genres that a file names where its own kind of tag does not.

    Parameters
    ----------
    path : str
    kind : type
        mutagen's class for it.

    Returns
    -------
    list of str
        As they are stored; those of tags that cannot be read are left out.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    if issubclass(kind, WAVE):
        return list(_info_genres(path))
    try:
        if issubclass(kind, MP3 | TrueAudio | ID3FileType):
            return [str(value) for value in APEv2(path).get("Genre", ())]
        if issubclass(kind, FLAC | APEv2File):
            return [text for frame in ID3(path).getall("TCON") for text in frame.genres]
        tags: Any = (kind(path).tags or {}) if issubclass(kind, MP4 | ASF) else {}
    except MutagenError as error:
        if isinstance(error.__cause__ or error.__context__, OSError):
            raise OSError(str(error)) from error
        return []
    found = []
    for key, values in tags.items():
        if key == "WM/GenreID" or (key.startswith("----:") and key.upper().endswith(":GENRE")):
            found += [bytes(v).decode("utf-8", "replace") if isinstance(v, bytes) else str(v)
                      for v in values]  # fmt: skip
    return found


def _info_genres(path: str) -> Iterator[str]:
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
    """Name, start and size of each chunk."""
    while at + 8 <= end:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        yield name, at + 8, size
        at += 8 + size + size % 2
