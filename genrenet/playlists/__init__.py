"""Playlists by genre: which songs, in which order, and the files that players read.

Examples
--------
>>> from genrenet.library.songs import library_songs
>>> from genrenet.playlists import playlist, write_playlist
>>> songs = library_songs("genres.parquet", "")  # doctest: +SKIP
>>> made = playlist(songs, ["jazz:2", "blues"], length=3600, order="shuffle")  # doctest: +SKIP
>>> write_playlist(made, "evening.m3u8")  # doctest: +SKIP
"""

from genrenet.playlists.base import (
    ListedSong,
    Playlist,
    PlaylistError,
    PlaylistFormat,
    PlaylistSong,
)
from genrenet.playlists.formats import write_playlist
from genrenet.playlists.making import playlist
from genrenet.playlists.reading import read_playlist

__all__ = [
    "ListedSong",
    "Playlist",
    "PlaylistError",
    "PlaylistFormat",
    "PlaylistSong",
    "playlist",
    "read_playlist",
    "write_playlist",
]
