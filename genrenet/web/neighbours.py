"""Songs of the scanned library that are like a song."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from genrenet.inference.classify import SongResult
from genrenet.library.similarity import SongSpace
from genrenet.library.song_vectors import SongVectors
from genrenet.library.songs import LibrarySongs
from genrenet.library.table import file_of
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
    """

    def __init__(self, root: str, songs: LibrarySongs, vectors: SongVectors | None = None) -> None:
        real = [os.path.realpath(path) for path in songs.paths]
        kept = [row for row, path in enumerate(real) if inside(root, path)]
        self.songs = songs.take(kept)
        self.names = [relative_name(root, real[row]) for row in kept]
        self._by_scores = SongSpace(self.songs.scores, "scores")
        self.embedded: list[int] = []
        self._place: dict[str, int] = {}
        if vectors is not None:
            known = {real[row]: number for number, row in enumerate(kept)}
            found = [known.get(os.path.realpath(file_of(path))) for path in vectors.paths]
            rows = [row for row, number in enumerate(found) if number is not None]
            self.embedded = [number for number in found if number is not None]
            self._by_embeddings = SongSpace(vectors.vectors[rows], "embeddings")
            self._place = {self.names[n]: row for row, n in enumerate(self.embedded)}

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
        row = self._place.get(name) if name is not None else None
        if row is not None:
            space, by = self._by_embeddings, "embeddings"
            vector = space.vectors[row : row + 1]
            numbers = np.array(self.embedded)
        elif result.scores and self._alike(list(result.scores)) and len(self.songs):
            space, by = self._by_scores, "scores"
            known = list(result.scores.values())
            vector = space.place([[*known, *[0.0] * (len(self.songs.labels) - len(known))]])
            numbers = np.arange(len(self.songs))
        else:
            return {"similar": [], "by": "incomparable"}
        rows, cosines = space.nearest(vector, count + 1)
        pairs = [
            (int(numbers[near]), float(cosine))
            for near, cosine in zip(rows[0], cosines[0], strict=True)
            if self.names[numbers[near]] != name
        ]
        return {"similar": [self._about(*pair) for pair in pairs[:count]], "by": by}

    def correct(self, name: str, genre: str, confidence: float) -> None:
        """Take another genre for a song of the folder."""
        if name in self.names:
            row = self.names.index(name)
            self.songs.genres[row], self.songs.confidence[row] = genre, confidence

    def _alike(self, labels: list[str]) -> bool:
        """Return whether genres are those of the scan's model, apart from what corrections add."""
        own, more = self.songs.labels[: len(labels)], self.songs.labels[len(labels) :]
        return labels == own and {*more} <= {*self.songs.corrections.values()}

    def _about(self, number: int, cosine: float) -> dict[str, Any]:
        songs = self.songs
        tags = songs.tags_of(number)
        duration = float(songs.duration[number])
        return {
            "path": self.names[number],
            "genre": songs.genres[number],
            "confidence": round(float(songs.confidence[number]), 6),
            "similarity": round(min(1.0, max(0.0, cosine)), 4),
            "title": tags["title"] or None,
            "artist": tags["artist"] or None,
            "duration": duration if np.isfinite(duration) else None,
        }
