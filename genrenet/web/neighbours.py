"""Songs of the scanned library that are similar to a song."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.inference.classify import SongResult
from genrenet.library.similarity import Floats, SongSpace
from genrenet.library.song_index import SongIndex
from genrenet.library.song_vectors import SongVectors
from genrenet.library.songs import LibrarySongs
from genrenet.library.table import file_of
from genrenet.utils.errors import printable
from genrenet.utils.hardware import give_back_memory, step_back
from genrenet.utils.paths import within
from genrenet.web.library_index import LibraryIndex
from genrenet.web.map_drawing import MapDrawing
from genrenet.web.paths import real_paths
from genrenet.web.song_names import album_folder
from genrenet.web.song_points import points_of

MOST_STAY = 0.8
"""Minimum share of songs with a position on the former map for keeping it."""


class Neighbours:
    """Songs of the served folder in a scan's table, with similarity search.

    A song with an embedding is compared by it; any other, such as an upload, by its genre scores,
    if they are for the scan's genres.

    Parameters
    ----------
    root : str
        The served folder, absolute and free of links.
    songs : LibrarySongs
    index : LibraryIndex, optional
        Of the same table. Of several files with one recording one is compared.
    vectors : SongVectors, optional
        Embeddings of the same songs, matched by their files.
    on_fault : callable, optional
        Called with an error in the background.
    former : Neighbours, optional
        Of an earlier state of the table: songs keep their positions on the map.

    Attributes
    ----------
    songs : LibrarySongs
        Those of the served folder.
    names : list of str
        Their relative paths, with links resolved.
    embedded : list of int
        Songs that have an embedding.
    by : {"embeddings", "scores"}
        What songs of the library are compared by: embeddings, if any song has one.
    sound : SongIndex
        The songs with such a vector, one of each recording.
    numbers : ndarray of int64, shape (len(sound),)
        Their row numbers.
    map : MapDrawing
        Of `sound`.
    """

    def __init__(
        self,
        root: str,
        songs: LibrarySongs,
        index: LibraryIndex | None = None,
        vectors: SongVectors | None = None,
        on_fault: Callable[[Exception], None] = lambda error: None,
        former: Neighbours | None = None,
    ) -> None:
        real = real_paths(songs.paths)
        kept = [row for row, path in enumerate(real) if within(path, root)]
        self.songs, self._index, self._on_fault = songs.take(kept), index, on_fault
        start = len(os.path.join(root, ""))
        self.names = [printable(real[row][start:]).replace(os.sep, "/") for row in kept]
        self._number = {name: number for number, name in enumerate(self.names)}
        row_of = {path: row for row, path in enumerate(index.paths.to_pylist())} if index else {}
        self._rows = np.array([row_of.get(name, -1) for name in self.names], np.int64)
        # Files of one recording have one group; songs outside the index have their own.
        self._group = np.arange(-1, -1 - len(self.names), -1)
        if index is not None:
            known = self._rows >= 0
            self._group[known] = index.primary[self._rows[known]]
        self._scored = self.numbers = self._recordings(range(len(self.songs)))
        scores = SongSpace(self.songs.scores[self.numbers], "scores")
        self._by_scores = self.sound = SongIndex(scores)
        self.embedded: list[int] = []
        if vectors is not None:
            known_as = {real[row]: number for number, row in enumerate(kept)}
            files = real_paths(map(file_of, vectors.paths))
            found = [known_as.get(file) for file in files]
            vector_of = {number: row for row, number in enumerate(found) if number is not None}
            self.embedded = [*vector_of]
            if vector_of:
                self.numbers = self._recordings(self.embedded)
                chosen = [vector_of[number] for number in self.numbers.tolist()]
                self.sound = SongIndex(SongSpace(vectors.vectors[chosen], "embeddings"))
        self.by = self.sound.space.kind
        self._place = {int(group): row for row, group in enumerate(self._group[self.numbers])}
        # At most one former map is kept: the last one that was requested.
        if former is not None and not former.map.begun:
            former = former._drawn
        kept_map = former is not None and former.by == self.by
        self._drawn: Neighbours | None = former if kept_map else None
        self.map: MapDrawing = MapDrawing(self.sound.space.vectors, on_fault, self._places)
        self._points: tuple[int, bytes] | None = None
        self._corrected = 0

    def _recordings(self, numbers: Iterable[int]) -> NDArray[np.int64]:
        """Return one file of each recording, the best available."""
        chosen: dict[int, int] = {}
        for number in numbers:
            group = int(self._group[number])
            if group not in chosen or self._rows[number] == group:
                chosen[group] = number
        return np.array(sorted(chosen.values()), np.int64)

    def _places(self) -> Floats | None:
        """Return the positions of songs on a former, finished map, if most of them have one."""
        former, self._drawn = self._drawn, None
        if former is None:
            return None
        former.map.wait()
        drawn = former.map.places
        if drawn is None:
            return None
        rows = [former.place_of(self.names[number]) for number in self.numbers.tolist()]
        known = np.array([row is not None for row in rows], np.bool_)
        if known.sum() < MOST_STAY * len(rows):
            return None
        places = np.full((len(rows), 2), np.nan, np.float32)
        places[known] = drawn[[row for row in rows if row is not None]]
        return places

    def build(self) -> None:
        """Build the index for fast search; see `genrenet.library.song_index.SongIndex.build`.

        Until then, and if it fails, all songs are compared.
        """
        step_back()
        try:
            for index in {self._by_scores, self.sound}:
                index.build()
        except Exception as error:  # such as a full disk
            self._on_fault(error)
        give_back_memory()

    @cached_property
    def map_id(self) -> str:
        """Identifies the map by its songs."""
        names = "\0".join([self.by, *(self.names[number] for number in self.numbers)])
        return hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def points(self) -> bytes | None:
        """Return the map in the format of `points_of`, None until it is computed."""
        places, corrected, known = self.map.places, self._corrected, self._points
        if places is None:
            return None
        if known is None or known[0] != corrected:
            genres = [self.songs.genres[number] for number in self.numbers.tolist()]
            left_out = len(self.songs) - len(self.embedded) if self.by == "embeddings" else 0
            found = points_of(places, genres, id=self.map_id, by=self.by, left_out=left_out)
            self._points = known = (corrected, found)
        return known[1]

    @cached_property
    def artists(self) -> list[str]:
        """Artists of the songs in `sound`, '' if unknown."""
        tags = self.songs.tags
        return [(tags[number] or {}).get("artist") or "" for number in self.numbers.tolist()]

    def knows(self, name: str) -> bool:
        """Return whether a path is that of a song, in `sound` or not."""
        return name in self._number

    def place_of(self, name: str) -> int | None:
        """Return the row of a song's recording in `sound`, None if it has none."""
        number = self._number.get(name)
        return None if number is None else self._place.get(int(self._group[number]))

    def rows_of(self, index: LibraryIndex, rows: NDArray[np.int32]) -> list[int]:
        """Return the rows in `sound` of songs of an index that have one, each once."""
        groups = index.primary[rows].tolist()
        if index is not self._index:  # the table has just changed
            found = (self.place_of(str(index.paths[group])) for group in groups)
        else:
            found = (self._place.get(group) for group in groups)
        return [*dict.fromkeys(row for row in found if row is not None)]

    def tracks(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Return the list fields of songs in `sound`, with their row as ``number``."""
        numbers = self.numbers[list(rows)]
        known = self._rows[numbers]
        told = self._index.tracks(known[known >= 0].astype(np.int32)) if self._index else []
        listed = iter(told)
        return [
            {"number": row, **(next(listed) if at >= 0 else self._unlisted(int(number)))}
            for row, number, at in zip(rows, numbers, known, strict=True)
        ]

    def _unlisted(self, number: int) -> dict[str, Any]:
        """Return the fields of `LibraryIndex.tracks` for a song outside the index, such as one that
        is in the table by the name of a link.
        """
        about = self._about(number)
        return {
            **about,
            "title": about["title"] or about["path"].rpartition("/")[2],
            "album": None,
            "album_folder": album_folder(about["path"]),
            "genres": [about["genre"]],
            "subgenres": [],
            "state": "sure",
            "correction": self.songs.corrections.get(self.songs.paths[number]),
            "copies": 0,
        }

    def of(self, name: str | None, result: SongResult, count: int = 8) -> dict[str, Any]:
        """Return the songs nearest to one.

        Parameters
        ----------
        name : str or None
            Its relative path, if it is one of the folder's songs.
        result : SongResult
            The result of a model for it.
        count : int > 0

        Returns
        -------
        dict
            ``similar``, a list with ``path``, ``genre``, ``confidence``, ``similarity`` (cosine, at
            least 0), ``title``, ``artist`` and ``duration`` of each; and ``by``: "embeddings",
            "scores", or "incomparable" if the scan's model has other genres.
        """
        row = self.place_of(name) if name is not None and self.embedded else None
        if row is not None:
            index, by, numbers = self.sound, "embeddings", self.numbers
            vector = index.space.vectors[row : row + 1]
        elif result.scores and self._alike(list(result.scores)) and len(self.songs):
            index, by, numbers = self._by_scores, "scores", self._scored
            known = list(result.scores.values())
            vector = index.space.place([[*known, *[0.0] * (len(self.songs.labels) - len(known))]])
        else:
            return {"similar": [], "by": "incomparable"}
        own = None if name not in self._number else self._group[self._number[name]]
        rows, cosines = index.nearest(vector, count + 1)
        similar = [
            {**self._about(int(numbers[near])), "similarity": alike(float(cosine))}
            for near, cosine in zip(rows[0], cosines[0], strict=True)
            if self._group[numbers[near]] != own
        ]
        return {"similar": similar[:count], "by": by}

    def correct(self, name: str, genre: str, confidence: float) -> None:
        """Update the genre of a song of the folder."""
        row = self._number.get(name)
        if row is not None:
            self.songs.genres[row], self.songs.confidence[row] = genre, confidence
            self._corrected += 1

    def _alike(self, labels: list[str]) -> bool:
        """Return whether genres are those of the scan's model, apart from genres of corrections."""
        own, more = self.songs.labels[: len(labels)], self.songs.labels[len(labels) :]
        return labels == own and {*more} <= {*self.songs.corrections.values()}

    def _about(self, number: int) -> dict[str, Any]:
        """Return ``path``, ``genre``, ``confidence``, ``title``, ``artist`` and ``duration`` of a
        song.
        """
        songs = self.songs
        tags = songs.tags_of(number)
        duration = float(songs.duration[number])
        return {
            "path": self.names[number],
            "genre": songs.genres[number],
            "confidence": round(float(songs.confidence[number]), 6),
            "title": tags["title"] or None,
            "artist": tags["artist"] or None,
            "duration": duration if np.isfinite(duration) else None,
        }


def alike(cosine: float) -> float:
    """Return a cosine, with negative values set to 0."""
    return round(min(1.0, max(0.0, cosine)), 4)
