"""The definition of a playlist: its songs, in order, and notes on them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from genrenet.data.catalog.base import clean, stem
from genrenet.plugins.manager import contributions
from genrenet.utils.errors import GenrenetError


class PlaylistError(GenrenetError):
    """A playlist that cannot be made, written or read."""


@dataclass(frozen=True)
class PlaylistSong:
    """A song of a library that may be in a playlist.

    Attributes
    ----------
    row : int
        Its row among the library's songs.
    path : str
        Absolute.
    genre : str
        Its predicted or corrected genre.
    confidence : float
        Confidence of this genre, from 0 to 1.
    scores : dict of str to float
        Of all genres, from 0 to 1.
    wanted : str
        The genre for which it was chosen.
    fit : float
        The value compared with the minimum confidence: the confidence, or the wanted genre's score.
    duration : float, optional
        In seconds; None if unknown.
    artist, title, album : str
        From its tags, '' if missing.
    """

    row: int
    path: str
    genre: str
    confidence: float
    scores: dict[str, float]
    wanted: str
    fit: float
    duration: float | None = None
    artist: str = ""
    title: str = ""
    album: str = ""

    @property
    def name(self) -> str:
        """Text that players show: 'Artist - Title', with the file's name if there is no title."""
        title = self.title or clean(os.fsencode(stem(self.path)).decode("utf-8", "replace"))
        return f"{self.artist} - {title}" if self.artist else title


@dataclass(frozen=True)
class Playlist:
    """Songs in order.

    Attributes
    ----------
    songs : list of PlaylistSong
    title : str
        One line.
    order : str
        Name of the ordering.
    checkpoint : str
        The model that decided the genres.
    short : bool
        Whether the library has too few songs for the request.
    notes : list of str
        Notes for the user on how it was made, one line each.
    plain : bool
        Write the lines of M3U as plain paths; see `genrenet.playlists.paths.line_of`.
    """

    songs: list[PlaylistSong]
    title: str
    order: str
    checkpoint: str
    short: bool = False
    notes: list[str] = field(default_factory=list)
    plain: bool = False

    @property
    def seconds(self) -> float:
        """Total duration in seconds, without songs of unknown duration."""
        return sum(song.duration or 0.0 for song in self.songs)


def clock(seconds: float) -> str:
    """Return a duration as text.

    Examples
    --------
    >>> clock(3725), clock(59.6)
    ('1:02:05', '1:00')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class ListedSong(NamedTuple):
    """An entry of a playlist file: its file (None for a stream), its artist and its title.

    ``source`` is the playlist.
    """

    path: str | None
    artist: str = ""
    title: str = ""
    source: str = ""


@dataclass(frozen=True)
class PlaylistFormat:
    """A format of playlist files; plugins may add some.

    Parameters
    ----------
    name : str
        The suffix of its files, such as ".m3u8".
    summary : str
        Description in one line.
    write : callable
        Function of a `Playlist` and the folder of the file that returns the file's text: paths are
        relative to that folder (see `genrenet.playlists.paths`), or absolute if it is None.
    read : callable, optional
        Function of the bytes of a file and its folder that returns a list of `ListedSong`; raises
        ValueError if they are not such a playlist. Without it the format is write-only.

    Examples
    --------
    >>> def names(playlist: Playlist, folder: str | None) -> str:
    ...     return "".join(f"{song.name}\\n" for song in playlist.songs)
    >>> PlaylistFormat(".names", "names of songs, a line each", names).name
    '.names'
    """

    name: str
    summary: str
    write: Callable[[Playlist, str | None], str]
    read: Callable[[bytes, str], list[ListedSong]] | None = None

    def __post_init__(self) -> None:
        if not self.name.startswith(".") or self.name != self.name.lower():
            raise PlaylistError(
                "a playlist format's name", found=repr(self.name), wanted="a suffix such as '.m3u8'"
            )


def playlist_formats() -> dict[str, PlaylistFormat]:
    """Return all formats of playlists by suffix: the package's own and those of plugins."""
    added = contributions("register_playlist_formats")
    return {name: entry.item for name, entry in added.items()}
