"""The state behind the page and the API: the folder, the models, and the library's scan."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genrenet.inference.classify import SongResult
from genrenet.library.corrections import answered, correct_held
from genrenet.library.locking import table_lock
from genrenet.library.song_vectors import read_song_vectors
from genrenet.library.songs import scanned_songs
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.file_stamp import FileState
from genrenet.web.errors import NotUsable, RequestError
from genrenet.web.library import Library
from genrenet.web.music_folder import Shelf, in_background
from genrenet.web.neighbours import Neighbours
from genrenet.web.scan_job import ScanJob
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
        Maximum size of an upload, in bytes.
    save_playlists : bool
        Whether the page may save playlists in the folder.
    checkpoints : sequence of str
        Of the models, as they were opened; scans from the page need the one used for the table.
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
        save_playlists: bool = False,
        checkpoints: Sequence[str] = (),
    ) -> None:
        self.shelf, self.scoring, self.max_upload = shelf, scoring, max_upload
        self.save_playlists = save_playlists
        self.neighbours: Neighbours | None = None
        self._state = "none" if table is None else "reading"
        self._table, self._embeddings = table, embeddings
        self.corrections: dict[str, str] = {}
        self._correcting = threading.Lock()
        self.library: Library | None = None
        self.scan: ScanJob | None = None
        if table is None:
            self._reader = in_background(self._list, "genrenet-library")
        else:
            self.library = library = Library(shelf.root, table, self._read, self._tell)
            self.scan = ScanJob(
                library.table,
                library.folder,
                scoring,
                checkpoints,
                lambda: library.refresh(now=True),
                self.log_fault,
            )

    def _read(self) -> None:
        """Read the scan's rows of existing songs; large libraries take a while."""
        assert self._table is not None
        try:
            songs = scanned_songs(self._table)
            vectors = None if self._embeddings is None else read_song_vectors(self._embeddings)
            index = None if self.library is None else self.library.latest
            self.neighbours = Neighbours(
                self.shelf.root, songs, index, vectors, self._tell, self.neighbours
            )
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
        except Exception as error:  # a damaged table may raise anything
            self._state = "none"
            self._tell(error)
        self.shelf.files()

    def _list(self) -> None:
        self.shelf.files()

    def _tell(self, error: Exception) -> None:
        if isinstance(error, GenrenetError):
            log.error("%s", error)
        else:
            self.log_fault(error)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the folder has been listed and the scan has been read."""
        if self.library is not None:
            self.library.wait(timeout)
        else:
            self._reader.join(timeout)

    def the_library(self) -> Library:
        """Return the served library.

        Raises
        ------
        RequestError
            There is none.
        """
        if self.library is None:
            raise RequestError("no library is served", remedy="start the server with --library")
        return self.library

    def library_state(self) -> dict[str, Any]:
        """Return the progress of reading the library: ``state`` of the similarity search, ``index``
        of the lists, ``songs`` with a genre, ``files``.
        """
        listed = self._state != "reading" and (self.library or not self._reader.is_alive())
        return {
            "state": self._state,
            "index": "none" if self.library is None else self.library.state,
            "saves_playlists": self.save_playlists,
            "songs": len(self.shelf.genres),
            "files": len(self.shelf.files()) if listed else 0,
        }

    def similar(self, song: Song, result: SongResult) -> dict[str, Any]:
        """Return the songs of the library that are similar to one; see `Neighbours.of`."""
        nothing: dict[str, Any] = {"similar": [], "by": None}
        if self.neighbours is None or result.genre is None:
            return nothing
        try:
            return self.neighbours.of(song.name if song.in_library else None, result)
        except Exception as error:  # a result without similar songs is better than none
            self.log_fault(error)
            return nothing

    def correction(self, song: Song) -> dict[str, str | None]:
        """Return the correction of a song that may have one, as part of its result."""
        if self._table is None or not song.in_library:
            return {}
        return {"correction": self.corrections.get(song.name)}

    def correct(self, song: Song, genre: str | None) -> dict[str, Any]:
        """Record the right genre of a song of the library, or remove it; see
        `genrenet.library.corrections.correct`.

        Returns
        -------
        dict
            The new ``path``, ``genre`` and ``confidence``, and ``correction``.

        Raises
        ------
        RequestError
            No library is served, or the correction cannot be stored; see
            `genrenet.library.corrections.correct`.
        """
        if self._table is None or self.scan is None:
            raise RequestError(
                "corrections need the table of a library",
                remedy="start the server with --library TABLE",
            )
        self.wait()  # a read in progress would not include it
        with self.scan.aside(), self._correcting:
            file = Path(self._table).resolve()
            try:
                with table_lock(file):
                    before = FileState.find(file)
                    (row,) = correct_held(file, {song.file: genre})
                    after = FileState.find(file)
            except GenrenetError as error:
                raise NotUsable(self.scan.without_folder(error)) from error
            now, name = answered(row), song.name
            self.shelf.genres[name] = (now["genre"], round(float(now["confidence"]), 6))
            self.corrections.pop(name, None)
            if row["correction"]:
                self.corrections[name] = row["correction"]
            if self.neighbours is not None:
                self.neighbours.correct(name, now["genre"], now["confidence"])
            if self.library is not None:
                self.library.correct(name, row, before, after)
        given = {key: now[key] for key in ("genre", "confidence", "correction")}
        return {"path": name, **given}

    def log_fault(self, fault: BaseException) -> None:
        """Log a bug where the server's owner sees it."""
        log.error("a request failed", exc_info=fault)
