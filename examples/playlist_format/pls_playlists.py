"""Reads and writes playlists in PLS, version 2."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.playlists import ListedSong, Playlist, PlaylistFormat


def write_pls(playlist: Playlist, folder: str | None) -> str:
    """Return the text of a playlist; paths are relative to a folder where one is given."""
    from genrenet.playlists.paths import line_of

    lines = ["[playlist]", f"NumberOfEntries={len(playlist.songs)}", "Version=2"]
    for number, song in enumerate(playlist.songs, 1):
        lines += [f"File{number}={line_of(song.path, folder)}", f"Title{number}={song.name}"]
    return "\n".join(lines) + "\n"


def read_pls(data: bytes, folder: str) -> list[ListedSong]:
    """Return the songs that a playlist in a folder lists."""
    from genrenet.playlists import ListedSong
    from genrenet.playlists.paths import path_at

    lines = re.findall(r"^File\d+=(.*)$", data.decode("utf-8"), re.MULTILINE)
    return [ListedSong(path_at(line, folder, uri=False)) for line in lines]


@hookimpl
def register_playlist_formats(register: Callable[[PlaylistFormat], None]) -> None:
    """Add the format; one without a reader can be written only."""
    from genrenet.playlists import PlaylistFormat

    register(PlaylistFormat(".pls", "PLS, version 2", write_pls, read_pls))
