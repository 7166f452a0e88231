"""What a playlist is: its songs, in order, and what there is to say about them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from genrenet.data.catalog.base import clean, stem
from genrenet.utils.errors import GenrenetError


class PlaylistError(GenrenetError):
    """A playlist that cannot be made, written or read."""


@dataclass(frozen=True)
class PlaylistSong:
    """A song of a library that may stand in a playlist.

    Attributes
    ----------
    row : int
        Its row among the library's songs.
    path : str
        Absolute.
    genre : str
        What it was decided to be.
    confidence : float
        Of this decision, from 0 to 1.
    scores : dict of str to float
        Of all genres, from 0 to 1.
    wanted : str
        The genre it was taken for.
    fit : float
        What was compared with the least confidence: the decision's, or the wanted genre's score.
    duration : float, optional
        Seconds; None where it is not known.
    artist, title, album : str
        From its tags, '' where they say nothing.
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
        """What players show: 'Artist - Title', with the file's name where there is no title."""
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
        How they were put in order.
    checkpoint : str
        The model that decided the genres.
    short : bool
        The library has too little for what was asked.
    notes : list of str
        What a user should know of how it came about, a line each.
    """

    songs: list[PlaylistSong]
    title: str
    order: str
    checkpoint: str
    short: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Playing time, without songs of which it is not known."""
        return sum(song.duration or 0.0 for song in self.songs)


def clock(seconds: float) -> str:
    """Playing time as people write it.

    Examples
    --------
    >>> clock(3725), clock(59.6)
    ('1:02:05', '1:00')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
