"""What the page and the API work with: the folder, the models, and the library's scan."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from genrenet.inference.classify import SongResult
from genrenet.library.corrections import answered, correct
from genrenet.library.song_vectors import read_song_vectors
from genrenet.library.songs import scanned_songs
from genrenet.utils.errors import GenrenetError, printable
from genrenet.web.errors import RequestError
from genrenet.web.music_folder import Shelf, in_background
from genrenet.web.neighbours import Neighbours
from genrenet.web.scoring import Scoring, Song

log = logging.getLogger("genrenet.web")


class Service:
    """The state of a server.

    Parameters
    ----------
    shelf : Shelf
        The served folder.
    scoring : Scoring
    table : path, optional
        A scan of the folder.
    embeddings : path, optional
        A file of ``genrenet embed`` for songs of the scan.
    max_upload : int > 0
        Largest upload, in bytes.
    """

    FAULT = "the server failed; its own output says why"

    def __init__(
        self,
        shelf: Shelf,
        scoring: Scoring,
        *,
        table: str | os.PathLike[str] | None = None,
        embeddings: str | os.PathLike[str] | None = None,
        max_upload: int = 200 << 20,
    ) -> None:
        self.shelf, self.scoring, self.max_upload = shelf, scoring, max_upload
        self.neighbours: Neighbours | None = None
        self._state = "none" if table is None else "reading"
        self._table, self._embeddings = table, embeddings
        self.corrections: dict[str, str] = {}
        self._correcting = threading.Lock()
        self._reader = in_background(self._read, "genrenet-library")

    def _read(self) -> None:
        """List the folder, and read what a scan says of it; large libraries take a while."""
        try:
            if self._table is not None:
                songs = scanned_songs(self._table)
                vectors = None if self._embeddings is None else read_song_vectors(self._embeddings)
                self.neighbours = Neighbours(self.shelf.root, songs, vectors, self.log_fault)
                in_background(self.neighbours.build, "genrenet-index")
                known = self.neighbours.songs
                self.shelf.know(self.neighbours.names, known)
                self.corrections = {
                    name: known.corrections[path]
                    for name, path in zip(self.neighbours.names, known.paths, strict=True)
                    if path in known.corrections
                }
                self._state = "ready"
                if vectors is not None and not self.neighbours.embedded:
                    log.error("no song of the folder is in '%s'", printable(self._embeddings or ""))
        except GenrenetError as error:
            self._state = "none"
            log.error("%s", error)
        except Exception as error:  # whatever a table held
            self._state = "none"
            self.log_fault(error)
        self.shelf.files()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the folder has been listed and the scan has been read."""
        self._reader.join(timeout)

    def library_state(self) -> dict[str, Any]:
        """Return how far the library is known: ``state``, ``songs`` with a genre, ``files``."""
        return {
            "state": self._state,
            "songs": len(self.shelf.genres),
            "files": len(self.shelf.files()) if not self._reader.is_alive() else 0,
        }

    def similar(self, song: Song, result: SongResult) -> dict[str, Any]:
        """Return the songs of the library that are like one; see `Neighbours.of`."""
        nothing: dict[str, Any] = {"similar": [], "by": None}
        if self.neighbours is None or result.genre is None:
            return nothing
        try:
            return self.neighbours.of(song.name if song.in_library else None, result)
        except Exception as error:  # a result is worth more than its neighbours
            self.log_fault(error)
            return nothing

    def correction(self, song: Song) -> dict[str, str | None]:
        """Return the correction of a song that may have one, as part of its result."""
        if self._table is None or not song.in_library:
            return {}
        return {"correction": self.corrections.get(song.name)}

    def correct(self, song: Song, genre: str | None) -> dict[str, Any]:
        """Note the right genre of a song of the library, or take it back; see
        `genrenet.library.corrections.correct`.

        Returns
        -------
        dict
            ``path``, ``genre`` and ``confidence`` as they are now, and ``correction``.

        Raises
        ------
        RequestError
            No library is served.
        CorrectionError, TableError
            See `genrenet.library.corrections.correct`.
        """
        if self._table is None:
            raise RequestError(
                "corrections are kept in a library's table, and none is served",
                remedy="start the server with --library TABLE",
            )
        self.wait()  # what is read meanwhile would not have it
        with self._correcting:
            (row,) = correct(self._table, {song.file: genre})
            now, name = answered(row), song.name
            self.shelf.genres[name] = (now["genre"], round(float(now["confidence"]), 6))
            self.corrections.pop(name, None)
            if row["correction"]:
                self.corrections[name] = row["correction"]
            if self.neighbours is not None:
                self.neighbours.correct(name, now["genre"], now["confidence"])
        given = {key: now[key] for key in ("genre", "confidence", "correction")}
        return {"path": name, **given}

    def log_fault(self, fault: BaseException) -> None:
        """Keep a fault of the program where its owner sees it."""
        log.error("a request failed", exc_info=fault)
