"""Playlists by genre: the choice of songs, their order, and the file formats of players.

Examples
--------
>>> from genrenet.library.songs import library_songs
>>> from genrenet.playlists import playlist, write_playlist
>>> songs = library_songs("genres.parquet", "")  # doctest: +SKIP
>>> made = playlist(songs, ["jazz:2", "blues"], length=3600, order="shuffle")  # doctest: +SKIP
>>> write_playlist(made, "evening.m3u8")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrenet.utils.lazy import exports

if TYPE_CHECKING:
    from genrenet.playlists.base import (
        ListedSong as ListedSong,
        Playlist as Playlist,
        PlaylistError as PlaylistError,
        PlaylistFormat as PlaylistFormat,
        PlaylistSong as PlaylistSong,
    )
    from genrenet.playlists.formats import write_playlist as write_playlist
    from genrenet.playlists.making import playlist as playlist
    from genrenet.playlists.reading import read_playlist as read_playlist

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "base": ["ListedSong", "Playlist", "PlaylistError", "PlaylistFormat", "PlaylistSong"],
        "formats": ["write_playlist"],
        "making": ["playlist"],
        "reading": ["read_playlist"],
    },
)
