"""A library's table as arrays, for listing, counting and sorting without an object per song."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from genrenet.library.albums import NO_GENRE
from genrenet.library.table import file_of
from genrenet.library.table_columns import read_columns
from genrenet.utils.paths import within
from genrenet.web.library_copies import find_copies
from genrenet.web.name_codes import Names, artists_of, joined
from genrenet.web.paths import relative_name
from genrenet.web.song_names import album_folder, folded, name_of_path

Rows = NDArray[np.int32]

STATES = ("sure", "unsure", "not-music", "error")
SORTS = ("artist", "title", "confidence", "duration", "path")
VARIOUS = "Various artists"
SUM = 0.02
"""Tolerance for the sum of scores in half precision that sum to one."""

_KEYS = (
    *("path", "genre", "genres", "subgenres", "confidence", "unsure", "correction"),
    *("artist", "album", "title", "duration", "error", "notes", "size", "sample", "checkpoint"),
)


class LibraryIndex:
    """The songs of a table that are in the served folder.

    Parameters
    ----------
    root : str
        The served folder, absolute and free of links.
    table : path

    Attributes
    ----------
    folder : str
        The served folder in the form of the table's paths.
    labels : list of str
        The model's genres.
    paths : pyarrow.StringArray
        Relative to ``root``, as `genrenet.web.paths.relative_name` writes them.
    titles : pyarrow.StringArray
    artists, albums : Names
        Albums by their folder and name; see `album_key` for their keys.
    album_artists : ndarray of int32, shape (albums,)
        The artist of each, -1 if there are several.
    genres : list of str
        First genres of songs; ``genre`` (songs,) has their indices, -1 for none.
    subgenres, all_genres : Names
        All genres of a song, as one text, between semicolons.
    confidence, duration : ndarray of float32, shape (songs,)
    scores : ndarray of float16, shape (songs, labels)
    state : ndarray of int8, shape (songs,)
        Index in `STATES`.
    primary : ndarray of int32, shape (songs,)
        See `genrenet.web.library_copies.find_copies`.
    copies : ndarray of int, shape (songs,)
        Number of other files with the same recording.

    Raises
    ------
    TableError
        See `genrenet.library.table.read_about`.
    """

    def __init__(self, root: str, table: str | os.PathLike[str]) -> None:
        about, columns = read_columns(table, _KEYS)
        self.labels, self.checkpoint = about.labels, about.checkpoint
        self.settings = about.settings
        stored = columns["path"].to_pylist()
        places = _places(root, stored)
        self.folder = _folder(root, stored, places)
        kept = np.flatnonzero([place is not None for place in places])
        columns = columns.take(pa.array(kept)).combine_chunks()
        paths = [place for place in places if place is not None]
        self.paths = pa.array(paths, pa.string())
        self._hashes = np.array([hash(path) for path in paths], np.int64)
        self._by_hash = np.argsort(self._hashes, kind="stable")
        self.confidence = _floats(columns["confidence"])
        self.duration = _floats(columns["duration"])
        scores = [
            _floats(columns[name]).astype(np.float16) for name in columns.column_names[len(_KEYS) :]
        ]
        self.scores = np.stack(scores, axis=1) if scores else np.zeros((len(paths), 0), np.float16)
        self.size = columns["size"].to_numpy(zero_copy_only=False).astype(np.int64)
        self.errors = _texts(columns["error"])
        self.notes = _texts(columns["notes"])
        self.corrected = _texts(columns["correction"])
        self._take_genres(columns)
        self._take_names(paths, columns)
        known = [
            (artist, title) if artist and title else None
            for artist, title in zip(self._artist_keys(), self._title_keys, strict=True)
        ]
        samples = columns["sample"].to_pylist()
        self.primary = find_copies(samples, known, self.duration, self.scores, self.size)
        self.copies = np.bincount(self.primary, minlength=len(paths))[self.primary] - 1
        self._sort(paths)
        del self._title_keys

    def __len__(self) -> int:
        return len(self.paths)

    def _take_genres(self, columns: pa.Table) -> None:
        keys = ("genre", "genres", "correction", "unsure")
        decided = [
            _decided(*values)
            for values in zip(*(columns[key].to_pylist() for key in keys), strict=True)
        ]
        self.genres = sorted({genre for genre, _ in decided if genre})
        code = {genre: number for number, genre in enumerate(self.genres)}
        self.genre = np.array([code.get(genre or "", -1) for genre, _ in decided], np.int16)
        self.state = np.array([STATES.index(state) for _, state in decided], np.int8)
        self.subgenres, self.all_genres = (joined(columns[key]) for key in ("subgenres", "genres"))
        self.confidence[[bool(text) for text in columns["correction"].to_pylist()]] = 1.0

    def _take_names(self, paths: Sequence[str], columns: pa.Table) -> None:
        genres = frozenset(map(folded, [*self.labels, *self.genres]))
        tagged = zip(
            *(columns[key].to_pylist() for key in ("artist", "album", "title")), strict=True
        )
        artists, albums, titles, keys = [], [], [], []
        self.untagged = 0
        for path, (artist, album, title) in zip(paths, tagged, strict=True):
            if not (artist and album and title):
                self.untagged += not (artist and title)
                guess = name_of_path(path, genres)
                artist, album, title = (
                    artist or guess.artist,
                    album or guess.album,
                    title or guess.title,
                )
            artists.append(artist)
            albums.append(album)
            titles.append(title)
            keys.append(album_key(album_folder(path), album or ""))
        self.titles = pa.array(titles, pa.string())
        self._title_keys = [folded(title) for title in titles]
        self.artists, self.albums = Names(artists), Names(albums, keys)
        self.album_artists = artists_of(self.albums, self.artists)

    def _artist_keys(self) -> Iterable[str]:
        return (self.artists.keys[code] if code >= 0 else "" for code in self.artists.codes)

    def _sort(self, paths: Sequence[str]) -> None:
        """Compute and keep the order of all songs by each of `SORTS`."""
        by_path = np.argsort(np.array(paths, object), kind="stable")
        place = np.empty(len(paths), np.int32)
        place[by_path] = np.arange(len(paths))
        last = np.iinfo(np.int32).max
        artist, album = (
            np.where(names.codes < 0, last, names.codes) for names in (self.artists, self.albums)
        )
        by_title = (
            np.argsort(np.array(self._title_keys, object), kind="stable") if paths else by_path
        )
        confidence = np.where(self.state >= 2, np.inf, self.confidence)
        duration = np.nan_to_num(-self.duration, nan=np.inf)
        self.orders: dict[str, Rows] = {
            "artist": np.lexsort((place, album, artist)).astype(np.int32),
            "title": by_title.astype(np.int32),
            "confidence": np.lexsort((place, confidence)).astype(np.int32),
            "duration": np.lexsort((place, duration)).astype(np.int32),
            "path": by_path.astype(np.int32),
        }

    def kind(self) -> str:
        """Return "tags" if several labels may apply to a song, else "genres": the scores of a model
        without a hierarchy do not sum to one then.
        """
        sums = self.scores[np.isfinite(self.scores).all(axis=1)].sum(axis=1, dtype=np.float32)
        exclusive = not len(sums) or abs(float(np.median(sums)) - 1) < SUM
        return "genres" if exclusive or self.subgenres.names else "tags"

    @cached_property
    def _by_album(self) -> tuple[Rows, NDArray[np.int64]]:
        """Rows by album and path, and the start of each album."""
        order = self.orders["path"]
        order = order[np.argsort(self.albums.codes[order], kind="stable")]
        starts = np.searchsorted(self.albums.codes[order], np.arange(len(self.albums.names) + 1))
        return order, starts

    def album_rows(self, code: int) -> Rows:
        """Return the rows of an album's songs, by their paths."""
        order, starts = self._by_album
        return order[starts[code] : starts[code + 1]]

    @cached_property
    def albums_by_name(self) -> NDArray[np.int64]:
        """Codes of albums in the order of their names."""
        names = [folded(name) for name in self.albums.names]
        return np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)

    def row_of(self, path: str) -> int | None:
        """Return the row of a song, None if the table has no such path."""
        wanted = hash(path)
        at = int(np.searchsorted(self._hashes, wanted, sorter=self._by_hash))
        while at < len(self) and self._hashes[row := int(self._by_hash[at])] == wanted:
            if self.paths[row].as_py() == path:
                return row
            at += 1
        return None

    def correct(self, path: str, row: Mapping[str, Any]) -> None:
        """Update the genre of a song from a table's row."""
        at = self.row_of(path)
        if at is None:
            return
        correction = row["correction"]
        genre, state = _decided(row["genre"], row["genres"], correction, row["unsure"])
        if genre is not None and genre not in self.genres:
            self.genres = [*self.genres, genre]
        self.genre[at] = -1 if genre is None else self.genres.index(genre)
        self.state[at] = STATES.index(state)
        self.confidence[at] = 1.0 if correction else row["confidence"]
        self.all_genres.put(at, row["genres"] or "")
        self.corrected.pop(at, None)
        if correction:
            self.corrected[at] = correction

    def tracks(self, rows: Rows) -> list[dict[str, Any]]:
        """Return the fields of songs in a list."""
        index = pa.array(rows)
        paths, titles = self.paths.take(index).to_pylist(), self.titles.take(index).to_pylist()
        return [
            {
                "path": path,
                "title": title,
                "artist": self.artists.at(row),
                "album": self.albums.at(row),
                "album_folder": album_folder(path),
                "genre": _at(self.genres, self.genre[row]),
                "genres": _split(self.all_genres.at(row)),
                "subgenres": _split(self.subgenres.at(row)),
                "confidence": _number(self.confidence[row]),
                "duration": _number(self.duration[row]),
                "state": STATES[self.state[row]],
                "correction": self.corrected.get(row),
                "copies": int(self.copies[row]),
            }
            for row, path, title in zip(rows.tolist(), paths, titles, strict=True)
        ]


def album_key(folder: str, album: str) -> str:
    """Return the key of an album: the folder, a null byte and the normalised name."""
    return f"{folder}\0{folded(album)}"


def _decided(
    genre: str | None, genres: str | None, correction: str | None, unsure: int | None
) -> tuple[str | None, str]:
    """Return a row's first genre, and its state."""
    if genre is None:
        return None, "error"
    if correction:
        return (None, "not-music") if correction in NO_GENRE else (correction, "sure")
    if genres == "" or genre in NO_GENRE:
        return None, "not-music"
    return (genres or genre).split("; ")[0], "unsure" if unsure else "sure"


def _places(root: str, stored: Sequence[str]) -> list[str | None]:
    """Return paths relative to the folder, None outside of it; links of folders are resolved."""
    known: dict[str, str | None] = {}
    found: list[str | None] = []
    for path in stored:
        folder, _, name = path.rpartition(os.sep)
        if folder not in known:
            real = os.path.realpath(file_of(folder))
            there = within(real, root)
            known[folder] = relative_name(root, os.path.join(real, "")) if there else None
        place = known[folder]
        found.append(None if place is None else name if place == "." else f"{place}/{name}")
    return found


def _folder(root: str, stored: Sequence[str], places: Sequence[str | None]) -> str:
    """Return the folder in the form of the table's paths."""
    for path, place in zip(stored, places, strict=True):
        end = "" if place is None else os.sep + place.replace("/", os.sep)
        if end and path.endswith(end) and os.path.realpath(found := path[: -len(end)]) == root:
            return found
    return root


def _floats(column: pa.ChunkedArray) -> NDArray[np.float32]:
    found: NDArray[np.float32] = column.to_numpy(zero_copy_only=False).astype(np.float32)
    return found


def _texts(column: pa.ChunkedArray) -> dict[int, str]:
    """Return the texts of a mostly empty column, by row."""
    return {row: text for row, text in enumerate(column.to_pylist()) if text}


def _at(names: Sequence[str], code: int) -> str | None:
    return names[code] if code >= 0 else None


def _split(text: str | None) -> list[str]:
    return [part for part in (text or "").split("; ") if part]


def _number(value: np.floating[Any]) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
