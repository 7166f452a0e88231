"""Songs of the scanned library that are like a song."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.inference.classify import SongResult
from genrenet.library.similarity import SongSpace
from genrenet.library.song_index import SongIndex
from genrenet.library.song_vectors import SongVectors
from genrenet.library.songs import LibrarySongs
from genrenet.library.table import file_of
from genrenet.web.map_drawing import MapDrawing, step_back
from genrenet.web.paths import inside, relative_name


class Neighbours:
    """Songs of the served folder that a scan knows, as points near each other.

    A song that has an embedding is compared by it; any other, such as an upload, by its genre
    scores, if they come from the scan's own genres.

    Parameters
    ----------
    root : str
        The served folder, absolute and free of links.
    songs : LibrarySongs
    vectors : SongVectors, optional
        Embeddings of the same songs, matched by their files.

    Attributes
    ----------
    songs : LibrarySongs
        Those of the served folder.
    names : list of str
        Their relative paths, links followed.
    embedded : list of int
        Songs that have an embedding.
    by : {"embeddings", "scores"}
        What songs of the library are compared with each other by: embeddings, if any has one.
    sound : SongIndex
        The songs that have such a vector, and ``numbers`` (n,) says which they are.
    map : MapDrawing
        Of the same songs.
    """

    def __init__(
        self,
        root: str,
        songs: LibrarySongs,
        vectors: SongVectors | None = None,
        on_fault: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        real = [os.path.realpath(path) for path in songs.paths]
        kept = [row for row, path in enumerate(real) if inside(root, path)]
        self.songs = songs.take(kept)
        self.names = [relative_name(root, real[row]) for row in kept]
        self.number = {name: number for number, name in enumerate(self.names)}
        self._by_scores = self.sound = SongIndex(SongSpace(self.songs.scores, "scores"))
        self.embedded: list[int] = []
        if vectors is not None:
            known = {real[row]: number for number, row in enumerate(kept)}
            found = [known.get(os.path.realpath(file_of(path))) for path in vectors.paths]
            rows = [row for row, number in enumerate(found) if number is not None]
            self.embedded = [number for number in found if number is not None]
            if rows:
                self.sound = SongIndex(SongSpace(vectors.vectors[rows], "embeddings"))
        self.by = self.sound.space.kind
        self.numbers: NDArray[np.int64] = np.array(
            self.embedded if self.embedded else range(len(self.songs)), np.int64
        )
        self._place = {int(number): row for row, number in enumerate(self.numbers)}
        self.map, self._on_fault = MapDrawing(self.sound.space.vectors, on_fault), on_fault

    def build(self) -> None:
        """Make what finds near songs quickly; see `genrenet.library.song_index.SongIndex.build`.
        Until then, and where it fails, all songs are compared.
        """
        step_back()
        try:
            for index in {self._by_scores, self.sound}:
                index.build()
        except Exception as error:  # such as a full disk
            self._on_fault(error)

    @cached_property
    def map_id(self) -> str:
        """What tells the map from one of other songs."""
        names = "\0".join([self.by, *(self.names[number] for number in self.numbers)])
        return hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def place_of(self, name: str) -> int | None:
        """Return the row of a song in `sound`, None where it has none."""
        return self._place.get(self.number.get(name, -1))

    def of(self, name: str | None, result: SongResult, count: int = 8) -> dict[str, Any]:
        """Return the songs nearest to one.

        Parameters
        ----------
        name : str or None
            Its relative path, if it is one of the folder's songs.
        result : SongResult
            What a model says of it.
        count : int > 0

        Returns
        -------
        dict
            ``similar``, a list with ``path``, ``genre``, ``confidence``, ``similarity`` (cosine, at
            least 0), ``title``, ``artist`` and ``duration`` of each; and ``by``: "embeddings",
            "scores", or "incomparable" where the scan's model has other genres.
        """
        row = self.place_of(name) if name is not None and self.embedded else None
        if row is not None:
            index, by, numbers = self.sound, "embeddings", self.numbers
            vector = index.space.vectors[row : row + 1]
        elif result.scores and self._alike(list(result.scores)) and len(self.songs):
            index, by = self._by_scores, "scores"
            known = list(result.scores.values())
            vector = index.space.place([[*known, *[0.0] * (len(self.songs.labels) - len(known))]])
            numbers = np.arange(len(self.songs))
        else:
            return {"similar": [], "by": "incomparable"}
        rows, cosines = index.nearest(vector, count + 1)
        pairs = [
            (int(numbers[near]), float(cosine))
            for near, cosine in zip(rows[0], cosines[0], strict=True)
            if self.names[numbers[near]] != name
        ]
        return {
            "similar": [
                {**self.about(pair[0]), "similarity": alike(pair[1])} for pair in pairs[:count]
            ],
            "by": by,
        }

    def correct(self, name: str, genre: str, confidence: float) -> None:
        """Take another genre for a song of the folder."""
        row = self.number.get(name)
        if row is not None:
            self.songs.genres[row], self.songs.confidence[row] = genre, confidence

    def _alike(self, labels: list[str]) -> bool:
        """Return whether genres are those of the scan's model, apart from what corrections add."""
        own, more = self.songs.labels[: len(labels)], self.songs.labels[len(labels) :]
        return labels == own and {*more} <= {*self.songs.corrections.values()}

    def about(self, number: int) -> dict[str, Any]:
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
    """Return a cosine as a share from 0 to 1."""
    return round(min(1.0, max(0.0, cosine)), 4)
