"""Read the songs in other playlists, to exclude them from this one."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from genrenet.library.table import file_of
from genrenet.playlists.base import ListedSong, PlaylistError, playlist_formats
from genrenet.playlists.paths import path_at
from genrenet.utils.errors import printable


def read_playlist(file: str | os.PathLike[str]) -> list[ListedSong]:
    """Return the songs of a playlist in any readable format; their files need not exist.

    Raises
    ------
    PlaylistError
        There is no such file, or it is not such a playlist.
    """
    path = Path(file)
    readers = {name: kind.read for name, kind in playlist_formats().items() if kind.read}
    read = readers.get(path.suffix.lower())
    if read is None:
        raise PlaylistError(
            f"'{printable(path)}' is not a playlist",
            found=f"the suffix '{path.suffix}'",
            wanted=" or ".join(readers),
        )
    try:
        songs = read(path.read_bytes(), str(path.absolute().parent))
        return [song._replace(source=os.fspath(file)) for song in songs]
    except OSError as error:
        raise PlaylistError(
            f"cannot read the playlist '{printable(path)}': {error.strerror or error}",
            wanted="a playlist file",
        ) from error
    except (
        Exception
    ) as error:  # a third-party reader may raise anything for bytes that are not a playlist
        raise PlaylistError(
            f"'{printable(path)}' is no {path.suffix.lower()} playlist, or is damaged",
            found=f"{type(error).__name__}: {error}",
        ) from error


def _text(raw: bytes) -> str:
    """Return the text of an M3U file: UTF-8, or the older encoding of Windows."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def read_m3u(data: bytes, folder: str) -> list[ListedSong]:
    """Return the songs of an M3U or M3U8 file in a folder."""
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


def read_xspf(data: bytes, folder: str) -> list[ListedSong]:
    """Return the songs of an XSPF file in a folder."""
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


def read_json(data: bytes, folder: str) -> list[ListedSong]:
    """Return the songs of a JSON file written by `genrenet.playlists.formats.as_json`."""
    songs = []
    for song in json.loads(data)["songs"]:
        path = file_of(os.path.abspath(os.path.join(folder, song["path"])))
        songs.append(ListedSong(path, song.get("artist") or "", song.get("title") or ""))
    return songs
