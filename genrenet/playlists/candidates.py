"""Candidate songs of a genre, in order of preference; their tags are read a few ahead.

A library may have a million songs, and reading tags means opening each file: so only the songs at
the front of the queue are read.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from genrenet.data.catalog.base import in_threads
from genrenet.data.catalog.tags import read_tags
from genrenet.library.songs import LibrarySongs
from genrenet.playlists.base import PlaylistSong
from genrenet.playlists.excluding import Exclusions

LOOK_AHEAD = 64
"""Number of songs of a genre whose tags are read ahead."""


def fitting(
    songs: LibrarySongs, genre: str, least: float, *, by_score: bool = False
) -> NDArray[np.int64]:
    """Return candidate songs of a genre by descending confidence, of equals in the library's order.

    Parameters
    ----------
    songs : LibrarySongs
    genre : str
        '' for any.
    least : float
        Minimum confidence for this genre, from 0 to 1.
    by_score : bool
        Compare the genre's score instead, whatever the predicted genre.

    Returns
    -------
    ndarray of int64
        Rows of the library.
    """
    fit = fits(songs, genre, by_score=by_score)
    may = fit >= least
    if genre and not by_score:
        may &= np.fromiter((found == genre for found in songs.genres), bool, len(songs))
    rows = np.flatnonzero(may)
    return rows[np.argsort(-fit[rows], kind="stable")]


def fits(songs: LibrarySongs, genre: str, *, by_score: bool = False) -> NDArray[np.float64]:
    """Return the value compared with the minimum confidence, for every song."""
    if genre and by_score:
        return songs.scores[:, songs.labels.index(genre)].astype(np.float64)
    return songs.confidence


class Supply:
    """The candidate songs of a genre, each yielded once.

    Parameters
    ----------
    songs : LibrarySongs
    genre : str
        The genre for which they are chosen; '' for any.
    rows : sequence of int
        In order of preference.
    exclusions : Exclusions
    timed : bool
        Leave out songs of unknown duration.
    by_score : bool
        See `fitting`.

    Attributes
    ----------
    ahead : list of PlaylistSong
        The next ones; empty only when there are no more, if `fill` was called.
    left_out : Counter
        Number of skipped songs, by reason.
    """

    def __init__(
        self,
        songs: LibrarySongs,
        genre: str,
        rows: Sequence[int] | NDArray[np.int64],
        exclusions: Exclusions | None = None,
        *,
        timed: bool = False,
        by_score: bool = False,
    ) -> None:
        self.genre = genre
        self.ahead: list[PlaylistSong] = []
        self.left_out: Counter[str] = Counter()
        self._songs, self._timed = songs, timed
        self._fits = fits(songs, genre, by_score=by_score)
        self._exclusions = exclusions or Exclusions()
        self._rows: Iterator[int] = iter([int(row) for row in rows])

    def fill(self) -> bool:
        """Read ahead; return whether there are songs."""
        while len(self.ahead) < LOOK_AHEAD:
            rows = list(islice(self._rows, 2 * LOOK_AHEAD))
            if not rows:
                break
            kept = [row for row in rows if not self._exclusions.by_path(self._songs.paths[row])]
            self.left_out["excluded"] += len(rows) - len(kept)
            for song in in_threads(self.song, kept):
                if self._exclusions.by_tags(song):
                    self.left_out["excluded"] += 1
                elif self._timed and not song.duration:
                    self.left_out["of unknown length"] += 1
                else:
                    self.ahead.append(song)
        return bool(self.ahead)

    def song(self, row: int) -> PlaylistSong:
        """Return a song of the library with its tags."""
        songs = self._songs
        tags = songs.tags_of(row)
        seconds = float(songs.duration[row])
        if not math.isfinite(seconds):
            seconds = float(read_tags(songs.paths[row])[0].get("duration", math.nan))
        scores = zip(songs.labels, songs.scores[row].tolist(), strict=True)
        return PlaylistSong(
            row,
            songs.paths[row],
            songs.genres[row],
            float(songs.confidence[row]),
            dict(scores),
            self.genre or songs.genres[row],
            float(self._fits[row]),
            seconds if math.isfinite(seconds) else None,
            tags["artist"],
            tags["title"],
            tags["album"],
        )
