"""Songs that other playlists name, to leave them out of this one."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from genrenet.library.table import file_of
from genrenet.playlists.base import PlaylistError
from genrenet.playlists.paths import path_at
from genrenet.utils.errors import printable


class ListedSong(NamedTuple):
    """What a playlist says of a song: its file (None for a stream), its artist and its title.

    ``source`` is the playlist.
    """

    path: str | None
    artist: str = ""
    title: str = ""
    source: str = ""


def read_playlist(file: str | os.PathLike[str]) -> list[ListedSong]:
    """Songs of an M3U, M3U8, XSPF or JSON playlist; their files need not be there.

    Raises
    ------
    PlaylistError
        There is no such file, or it is no such playlist.
    """
    path = Path(file)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise PlaylistError(
            f"'{printable(path)}' is no playlist",
            found=f"the suffix '{path.suffix}'",
            wanted=" or ".join(_READERS),
        )
    try:
        songs = read(path.read_bytes(), str(path.absolute().parent))
        return [song._replace(source=os.fspath(file)) for song in songs]
    except OSError as error:
        raise PlaylistError(
            f"cannot read the playlist '{printable(path)}'", found=error.strerror or str(error)
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, ElementTree.ParseError) as error:
        raise PlaylistError(
            f"'{printable(path)}' is no {path.suffix.lower()} playlist, or is damaged",
            found=f"{type(error).__name__}: {error}",
        ) from error


def _text(raw: bytes) -> str:
    """Text of an M3U file: UTF-8, or what Windows wrote before."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _m3u(data: bytes, folder: str) -> list[ListedSong]:
    if b"\0" in data:
        raise ValueError("bytes that are no text")
    songs, said = [], ("", "")
    for raw in data.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n").split(b"\n"):
        line = os.fsdecode(raw)
        if line.startswith("#EXTINF:"):
            name = _text(raw.partition(b",")[2]).strip()
            artist, dash, title = name.partition(" - ")
            said = (artist, title) if dash else ("", name)
        elif line.strip() and not line.startswith("#"):
            songs.append(ListedSong(path_at(line.strip(), folder, uri=False), *said))
            said = ("", "")
    return songs


def _xspf(data: bytes, folder: str) -> list[ListedSong]:
    root = ElementTree.fromstring(data)
    if root.tag.rpartition("}")[2] != "playlist":
        raise ValueError(f"<{root.tag}> instead of <playlist>")
    songs = []
    for track in root.iterfind("{*}trackList/{*}track"):
        place, artist, title = (
            (track.findtext("{*}" + name) or "").strip()
            for name in ("location", "creator", "title")
        )
        songs.append(ListedSong(path_at(place, folder, uri=True) if place else None, artist, title))
    return songs


def _json(data: bytes, folder: str) -> list[ListedSong]:
    songs = []
    for song in json.loads(data)["songs"]:
        path = file_of(os.path.abspath(os.path.join(folder, song["path"])))
        songs.append(ListedSong(path, song.get("artist") or "", song.get("title") or ""))
    return songs


_READERS: dict[str, Callable[[bytes, str], list[ListedSong]]] = {
    ".m3u8": _m3u,
    ".m3u": _m3u,
    ".xspf": _xspf,
    ".json": _json,
}
