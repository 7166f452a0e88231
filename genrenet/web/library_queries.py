"""Queries of a library: selected songs in an order, artists, albums, duplicates, and counts.

A recording with several files counts once, unless all files are requested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.web.library_index import STATES, VARIOUS, LibraryIndex, Rows, album_key
from genrenet.web.song_names import folded

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Wanted:
    """A selection of songs; None and '' for any.

    Attributes
    ----------
    genre, subgenre, artist, album : str
        First genre of a song, one of its subgenres, its artist, its album.
    folder : str
        Folder of the album: two may have the same name.
    state : str
        One of `genrenet.web.library_index.STATES`; "corrected" for songs with a correction.
    copies : bool
        Whether all files are included, or only one of each recording.
    """

    genre: str | None = None
    subgenre: str | None = None
    artist: str | None = None
    album: str | None = None
    folder: str | None = None
    state: str | None = None
    copies: bool = False


def chosen(index: LibraryIndex, wanted: Wanted) -> Flags:
    """Return which songs are selected, as booleans of shape (songs,)."""
    count = len(index)
    flags = np.ones(count, np.bool_) if wanted.copies else index.primary == np.arange(count)
    if wanted.genre:
        known = wanted.genre in index.genres
        flags &= index.genre == (index.genres.index(wanted.genre) if known else -2)
    if wanted.subgenre:
        names = [name.split("; ") for name in index.subgenres.names]
        codes = [code for code, parts in enumerate(names) if wanted.subgenre in parts]
        flags &= np.isin(index.subgenres.codes, codes)
    if wanted.artist:
        flags &= index.artists.codes == index.artists.of(wanted.artist)
    if wanted.album:
        flags &= np.isin(index.albums.codes, _albums(index, wanted.album, wanted.folder))
    if wanted.state == "corrected":
        corrected = np.zeros(count, np.bool_)
        corrected[[*index.corrected]] = True
        flags &= corrected
    elif wanted.state:
        flags &= index.state == STATES.index(wanted.state)
    return flags


def _albums(index: LibraryIndex, album: str, folder: str | None) -> list[int]:
    if folder is not None:
        code = index.albums.code.get(album_key(folder, album))
        return [] if code is None else [code]
    wanted = folded(album)
    return [code for code, name in enumerate(index.albums.names) if folded(name) == wanted]


def select(index: LibraryIndex, wanted: Wanted, sort: str = "artist") -> Rows:
    """Return the rows of selected songs, ordered by one of `library_index.SORTS`."""
    order = index.orders[sort]
    found: Rows = order[chosen(index, wanted)[order]]
    return found


def overview(index: LibraryIndex) -> dict[str, Any]:
    """Return a summary of the library.

    Returns
    -------
    dict
        ``kind``, "genres" or "tags"; counts of recordings: ``songs``, ``hours``, ``unsure``,
        ``not_music``, ``errors``, ``corrected``, ``untagged`` (without artist or title among their
        tags), ``artists``, ``albums``; ``files`` and ``copies`` of files; and ``genres``, the most
        frequent first:
        ``genre``, ``songs``, ``hours``, ``unsure``, and ``subgenres`` with ``genre`` and ``songs``.
    """
    one = chosen(index, Wanted())
    kinds = np.bincount(index.state[one], minlength=len(STATES)).tolist()
    music = one & (index.genre >= 0)
    count = len(index.genres)
    songs = np.bincount(index.genre[music], minlength=count)
    length = np.nan_to_num(index.duration)
    seconds = np.bincount(index.genre[music], length[music], minlength=count)
    unsure = np.bincount(index.genre[music & (index.state == 1)], minlength=count)
    below = _subgenres(index, music)
    genres = [
        {
            "genre": index.genres[code],
            "songs": int(songs[code]),
            "hours": round(float(seconds[code]) / 3600, 2),
            "unsure": int(unsure[code]),
            "subgenres": below.get(code, []),
        }
        for code in np.argsort(-songs, kind="stable").tolist()
        if songs[code]
    ]
    return {
        "kind": index.kind(),
        "files": len(index),
        "songs": int(one.sum()),
        "copies": len(index) - int(one.sum()),
        "hours": round(float(length[one].sum()) / 3600, 2),
        "unsure": kinds[1],
        "not_music": kinds[2],
        "errors": kinds[3],
        "corrected": len(index.corrected),
        "untagged": index.untagged,
        "artists": _different(index.artists.codes[one]),
        "albums": _different(index.albums.codes[one]),
        "genres": genres,
    }


def _different(codes: NDArray[np.int32]) -> int:
    return len(np.unique(codes[codes >= 0]))


def _subgenres(index: LibraryIndex, music: Flags) -> dict[int, list[dict[str, Any]]]:
    """Return how often subgenres occur, by the index of the genre; a song may have several."""
    both = music & (index.subgenres.codes >= 0)
    width = max(1, len(index.subgenres.names))
    pairs = index.genre[both].astype(np.int64) * width + index.subgenres.codes[both]
    found: dict[int, dict[str, int]] = {}
    for pair, count in zip(*np.unique(pairs, return_counts=True), strict=True):
        genre, code = divmod(int(pair), width)
        counts = found.setdefault(genre, {})
        for name in index.subgenres.names[code].split("; "):
            counts[name] = counts.get(name, 0) + int(count)
    return {
        genre: [
            {"genre": name, "songs": count}
            for name, count in sorted(counts.items(), key=lambda pair: -pair[1])
        ]
        for genre, counts in found.items()
    }


@dataclass(frozen=True)
class Groups:
    """Songs by artist or by album, the largest groups first.

    Attributes
    ----------
    codes : ndarray of int, shape (groups,)
        Codes of `LibraryIndex.artists` or `LibraryIndex.albums`.
    songs, seconds : ndarray, shape (groups,)
    genre : ndarray of int, shape (groups,)
        The most frequent genre of their songs, -1 for none.
    """

    codes: NDArray[np.int64]
    songs: NDArray[np.int64]
    seconds: NDArray[np.float64]
    genre: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.codes)

    def about(self, index: LibraryIndex, page: slice) -> list[tuple[int, dict[str, Any]]]:
        """Return the codes of some groups, and ``songs``, ``seconds`` and ``genre`` of each."""
        rows = zip(
            *(each[page].tolist() for each in (self.codes, self.songs, self.seconds, self.genre)),
            strict=True,
        )
        return [
            (
                code,
                {
                    "songs": songs,
                    "seconds": round(seconds, 1),
                    "genre": index.genres[genre] if genre >= 0 else None,
                },
            )
            for code, songs, seconds, genre in rows
        ]


def artists(
    index: LibraryIndex, wanted: Wanted, page: slice = slice(None)
) -> tuple[list[dict[str, Any]], int]:
    """Return artists of songs, those with the most songs first: ``artist``, ``songs``, ``seconds``,
    and the most frequent ``genre``; and the number of artists.
    """
    found = _grouped(index, chosen(index, wanted), index.artists.codes)
    rows = found.about(index, page)
    return [{"artist": index.artists.names[code], **about} for code, about in rows], len(found)


def albums(
    index: LibraryIndex, wanted: Wanted, page: slice = slice(None)
) -> tuple[list[dict[str, Any]], int]:
    """Return albums of songs, those with the most songs first: ``album``, ``folder``, ``artist``,
    ``songs``, ``seconds``, and the most frequent ``genre``; and the number of albums.
    """
    found = _grouped(index, chosen(index, wanted), index.albums.codes)
    rows = found.about(index, page)
    return [{**album_of(index, code), **about} for code, about in rows], len(found)


def album_of(index: LibraryIndex, code: int) -> dict[str, Any]:
    """Return ``album``, ``folder`` and ``artist`` of an album."""
    artist = index.album_artists[code]
    return {
        "album": index.albums.names[code],
        "folder": index.albums.keys[code].partition("\0")[0],
        "artist": index.artists.names[artist] if artist >= 0 else VARIOUS,
    }


def scores_of(index: LibraryIndex, row: int) -> dict[str, float]:
    """Return the scores of a song by genre, without a correction; empty if it has none."""
    scores = index.scores[row]
    if not np.isfinite(scores).all():
        return {}
    return {
        label: round(float(score), 3) for label, score in zip(index.labels, scores, strict=True)
    }


def _grouped(index: LibraryIndex, flags: Flags, codes: NDArray[np.int32]) -> Groups:
    rows = flags & (codes >= 0)
    groups, width = codes[rows], len(index.genres) + 1
    songs = np.bincount(groups)
    seconds = np.bincount(groups, np.nan_to_num(index.duration[rows])).astype(np.float64)
    pairs, counts = np.unique(
        groups.astype(np.int64) * width + index.genre[rows] + 1, return_counts=True
    )
    genre = np.full(len(songs), -1, np.int64)
    group, number = np.divmod(pairs[np.argsort(counts, kind="stable")], width)
    genre[group] = number - 1  # the last, which has the most songs, counts
    first = np.argsort(-songs, kind="stable")
    first = first[songs[first] > 0]
    return Groups(first, songs[first], seconds[first], genre[first])


def recordings(index: LibraryIndex) -> Rows:
    """Return the rows of recordings with several files, by artist."""
    order = index.orders["artist"]
    found: Rows = order[(index.copies[order] > 0) & (index.primary[order] == order)]
    return found


def files_of(index: LibraryIndex, row: int) -> Rows:
    """Return the rows of all files of a song's recording, the representative first."""
    top = index.primary[row]
    others = np.flatnonzero((index.primary == top) & (np.arange(len(index)) != top))
    return np.array([top, *others], np.int32)
