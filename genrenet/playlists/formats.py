"""Playlist file formats: M3U8, XSPF and JSON.

M3U8 is UTF-8 text with ``#EXTM3U``, ``#PLAYLIST:`` and, before every song, ``#EXTINF:`` with its
seconds (-1 if unknown) and 'Artist - Title'; ``.m3u`` is the same. XSPF is version 1 of
https://xspf.org/spec. JSON contains all fields.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict
from pathlib import Path

from genrenet.data.catalog.base import clean
from genrenet.playlists.base import Playlist, PlaylistError, playlist_formats
from genrenet.playlists.paths import line_of, place_of, uri_of
from genrenet.utils import atomic
from genrenet.utils.errors import printable
from genrenet.utils.strict_json import to_json

NAMESPACE = "http://xspf.org/ns/0/"


def m3u8(playlist: Playlist, folder: str | None) -> str:
    """Return a playlist as M3U8; ``folder`` is that of the file, or None for absolute paths."""
    lines = ["#EXTM3U", f"#PLAYLIST:{clean(playlist.title)}"]
    for song in playlist.songs:
        seconds = -1 if song.duration is None else round(song.duration)
        place = line_of(song.path, folder, plain=playlist.plain)
        lines += [f"#EXTINF:{seconds},{song.name}", place]
    return "\n".join(lines) + "\n"


def xspf(playlist: Playlist, folder: str | None) -> str:
    """Return a playlist as XSPF; ``folder`` is that of the file, or None for absolute URIs."""
    root = ElementTree.Element("playlist", {"version": "1", "xmlns": NAMESPACE})
    _add(root, "title", clean(playlist.title))
    tracks = ElementTree.SubElement(root, "trackList")
    for song in playlist.songs:
        track = ElementTree.SubElement(tracks, "track")
        _add(track, "location", uri_of(song.path, folder))
        _add(track, "title", song.title or song.name)
        _add(track, "creator", song.artist)
        _add(track, "album", song.album)
        if song.duration is not None:
            _add(track, "duration", str(round(1000 * song.duration)))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    if text:
        ElementTree.SubElement(parent, name).text = text


def as_json(playlist: Playlist, folder: str | None) -> str:
    r"""Return a playlist as JSON; bytes of paths that are not UTF-8 as ``\xNN``, as in a
    scan's table.
    """
    songs = []
    for song in playlist.songs:
        fields = {**asdict(song), "path": printable(place_of(song.path, folder))}
        del fields["row"]
        songs.append(fields)
    about = {
        "title": clean(playlist.title),
        "order": playlist.order,
        "seconds": round(playlist.seconds, 3),
        "checkpoint": printable(playlist.checkpoint),
        "songs": songs,
    }
    return to_json(about, ensure_ascii=False, indent=1) + "\n"


def check_out(out: str | os.PathLike[str]) -> None:
    """Raise an error for a file that cannot be written, before any work is done.

    Raises
    ------
    PlaylistError
        Its suffix is not a playlist's, or its folder does not exist or cannot be written.
    """
    file = Path(out)
    if file.suffix.lower() not in playlist_formats():
        raise PlaylistError(
            f"'{printable(file)}' is not a valid name for a playlist",
            found=f"the suffix '{file.suffix}'",
            wanted=" or ".join(playlist_formats()),
        )
    folder = file.absolute().parent
    if not os.path.isdir(folder):
        raise PlaylistError(
            f"no folder '{printable(file.parent)}' to write into", remedy="create it first"
        )
    taken = os.path.isdir(file)
    if taken or not os.access(folder, os.W_OK):
        raise PlaylistError(
            f"cannot write '{printable(file)}'",
            found="a folder of that name" if taken else "a folder that is write-protected",
            remedy="choose another place",
        )


def write_playlist(
    playlist: Playlist, out: str | os.PathLike[str], *, absolute: bool = False
) -> None:
    """Write a playlist in one step; an existing file is replaced.

    Parameters
    ----------
    playlist : Playlist
    out : path
        Its suffix determines the format; see `playlist_formats`.
    absolute : bool
        Write absolute paths instead of paths relative to the playlist's folder.

    Raises
    ------
    PlaylistError
        It cannot be written; an existing file is kept.
    """
    check_out(out)
    file = Path(out).absolute()
    write = playlist_formats()[file.suffix.lower()].write
    try:
        text = write(playlist, None if absolute else str(file.parent))
    except Exception as error:  # a third-party writer may raise anything
        raise PlaylistError(
            f"cannot make the text of '{printable(file)}'",
            found=f"{type(error).__name__}: {error}",
            remedy=f"choose another format than {file.suffix.lower()}, or fix its plugin",
        ) from error
    try:
        atomic.write_text(file, text)
    except OSError as error:
        raise PlaylistError(
            f"cannot write '{printable(file)}'",
            found=error.strerror or str(error),
            remedy="free some space, or choose another place",
        ) from error
