"""The library of a server: the index of its table, rebuilt whenever the table has changed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from genrenet.utils.file_stamp import FileState
from genrenet.web.errors import RequestError
from genrenet.web.library_index import LibraryIndex
from genrenet.web.library_queries import overview
from genrenet.web.library_search import LibrarySearch
from genrenet.web.music_folder import in_background

FRESH = 2.0
"""Minimum seconds between checks of the table's file."""


class Library:
    """The data of all songs.

    Parameters
    ----------
    root : str
        The served folder, absolute and free of links.
    table : path
    on_change : callable
        Called in the background when the table has been read, and whenever it has changed.
    on_fault : callable
        Called with an error; the former index is kept.

    Attributes
    ----------
    table : str
    state : {"reading", "ready", "none"}
        "none" if the table could not be read.
    """

    def __init__(
        self,
        root: str,
        table: str | os.PathLike[str],
        on_change: Callable[[], None],
        on_fault: Callable[[Exception], None],
    ) -> None:
        self.root, self.table = root, os.fspath(table)
        self._on_change, self._on_fault = on_change, on_fault
        # Related attributes are replaced together.
        self._known: tuple[LibrarySearch, dict[str, Any]] | None = None
        self.state, self.version = "reading", 0
        self._seen = FileState(-1, -1, -1, -1)
        self._looked = 0.0
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self.refresh()

    def refresh(self, *, now: bool = False) -> None:
        """Read the table in the background if it has changed; ``now`` to check immediately."""
        with self._lock:
            if not now and time.monotonic() - self._looked < FRESH:
                return
            self._looked = time.monotonic()
            state = FileState.find(self.table)
            busy = self._reader is not None and self._reader.is_alive()
            if busy or state == self._seen:
                return
            self._seen = state
            self._reader = in_background(self._read, "genrenet-library")

    def _read(self) -> None:
        try:
            index = LibraryIndex(self.root, self.table)
            known = LibrarySearch(index), overview(index)
        except Exception as error:  # a damaged table may raise anything
            self.state = "none" if self._known is None else self.state
            self._on_fault(error)
        else:
            self._known = known
            self.state, self.version = "ready", self.version + 1
        self._on_change()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the table has been read."""
        if self._reader is not None:
            self._reader.join(timeout)

    def _latest(self) -> tuple[LibrarySearch, dict[str, Any]]:
        self.refresh()
        if self._known is None:
            raise RequestError(
                "the library's table " + ("is being read" if self.state == "reading" else "is bad"),
                remedy="try again in a moment" if self.state == "reading" else "scan again",
            )
        return self._known

    def index(self) -> LibraryIndex:
        """Return the most recent index.

        Raises
        ------
        RequestError
            There is none yet.
        """
        return self.search().index

    @property
    def latest(self) -> LibraryIndex | None:
        """The most recent index, if any."""
        return None if self._known is None else self._known[0].index

    def search(self) -> LibrarySearch:
        """Return the search, whose songs are those of its own ``index``; see `index`."""
        return self._latest()[0]

    def overview(self) -> dict[str, Any]:
        """Return `genrenet.web.library_queries.overview`, and ``version``, a number that increases
        when the library changes; see `index`.
        """
        return {**self._latest()[1], "version": self.version}

    def folder(self) -> str:
        """Return the served folder in the form of the table's paths: it may be a link."""
        index = self.latest
        return self.root if index is None else index.folder

    def correct(
        self, path: str, row: Mapping[str, Any], before: FileState, after: FileState
    ) -> None:
        """Update the index with a correction that has just been written to the table.

        Parameters
        ----------
        path : str
            Relative to the folder.
        row : mapping
            The table's row of the song.
        before, after : FileState
            State of the table's file before and after this change, taken under its lock: other
            changes since it was last read are still detected.
        """
        with self._lock:
            busy = self._reader is not None and self._reader.is_alive()
            if self._known is None or busy:
                return  # a read in progress may not include it: the table is read again
            search, _ = self._known
            search.index.correct(path, row)
            self._known, self.version = (search, overview(search.index)), self.version + 1
            if before == self._seen:
                self._seen = after
