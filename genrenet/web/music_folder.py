"""The served folder: its songs, their genres from a scan, and completion of paths."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from genrenet.audio import is_audio_path
from genrenet.library.songs import LibrarySongs
from genrenet.utils.errors import printable
from genrenet.web.errors import RequestError, ServeError
from genrenet.web.paths import place, relative_name, shown

FRESH = 60.0
"""Seconds after which the list of songs is read again on the next request."""

Known = dict[str, tuple[str, float]]


class Shelf:
    """A folder of music.

    Parameters
    ----------
    folder : path
        Links in it are followed only if they stay in it.

    Attributes
    ----------
    root : str
        The folder, absolute and free of links.

    Raises
    ------
    ServeError
        There is no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        if not os.path.isdir(folder):
            raise ServeError(
                f"no folder '{printable(folder)}'", remedy="pass --music with a music folder"
            )
        self.root = os.path.realpath(folder)
        self.genres: Known = {}
        self._files: list[tuple[str, str]] = []
        self._listed = -FRESH
        self._listing = threading.Lock()

    def know(self, names: Sequence[str], songs: LibrarySongs) -> None:
        """Set the data of a scan for the folder's songs, by their relative paths."""
        self.genres = {
            name: (genre, round(float(sure), 6))
            for name, genre, sure in zip(names, songs.genres, songs.confidence, strict=True)
        }

    def files(self) -> list[tuple[str, str]]:
        """Return relative paths of all songs, each also in lower case; at most a minute old.

        The first request that finds the list too old reads a new one; others use the old one
        meanwhile.
        """
        if time.monotonic() - self._listed >= FRESH:
            first = not self._files
            if self._listing.acquire(blocking=first):
                try:
                    if time.monotonic() - self._listed >= FRESH:
                        names = sorted(self._walk())
                        self._files = [(name, name.casefold()) for name in names]
                        self._listed = time.monotonic()
                finally:
                    self._listing.release()
        return self._files

    def _walk(self) -> Iterator[str]:
        todo = [self.root]
        while todo:
            for entry in self._entries(todo.pop()):
                if _is(partial(entry.is_dir, follow_symlinks=False)):
                    todo.append(entry.path)
                elif _is_song(entry):
                    yield relative_name(self.root, entry.path)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """Return the visible entries of a folder, without links that leave the served folder."""
        try:
            with os.scandir(folder) as entries:
                return [
                    entry
                    for entry in entries
                    if not entry.name.startswith(".")
                    and (not entry.is_symlink() or shown(self.root, entry.path))
                ]
        except (OSError, ValueError):  # gone, not accessible, or not the name of a folder
            return []

    def complete(self, text: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
        """Return songs and folders that match the beginning of a path, or some words.

        Parameters
        ----------
        text : str
        limit : int > 0
            Maximum number of entries.

        Returns
        -------
        entries : list of dict
            ``path``, ``kind`` ("folder" or "song"), and a song's ``genre`` and ``confidence``:
            first those that begin with ``text``, then songs whose paths contain all its words.
        more : bool
            Whether there are more.
        """
        found: dict[str, dict[str, Any]] = {}
        for source in (self._below, self._holding):
            for entry in source(text):
                if entry["path"] in found:
                    continue
                if len(found) == limit:
                    return list(found.values()), True
                found[entry["path"]] = entry
        return list(found.values()), False

    def _below(self, text: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of one folder."""
        folder, _, beginning = text.rpartition("/")
        wanted = beginning.casefold()
        try:
            where = place(self.root, folder)
        except RequestError:
            return
        if not shown(self.root, where):
            return
        below = [
            (not _is(entry.is_dir), entry.name, entry)
            for entry in self._entries(where)
            if printable(entry.name).casefold().startswith(wanted)
        ]
        for is_file, _, entry in sorted(below, key=lambda row: row[:2]):
            path = relative_name(self.root, entry.path)
            if not is_file:
                yield {"path": path + "/", "kind": "folder"}
            elif _is_song(entry):
                yield self.entry(path)

    def _holding(self, text: str) -> Iterator[dict[str, Any]]:
        words = text.casefold().split()
        for path, lower in self.files() if words else ():
            if all(word in lower for word in words):
                yield self.entry(path)

    def entry(self, path: str) -> dict[str, Any]:
        """Return the known data of a song."""
        genre, confidence = self.genres.get(path, (None, None))
        return {"path": path, "kind": "song", "genre": genre, "confidence": confidence}


def _is_song(entry: os.DirEntry[str]) -> bool:
    return is_audio_path(entry.path) and _is(entry.is_file)


def _is(test: Callable[[], bool]) -> bool:
    """Return the result of a test of an entry; False for a link to itself, or without access."""
    try:
        return test()
    except OSError:
        return False


def in_background(task: Callable[[], None], name: str) -> threading.Thread:
    """Run a task in a thread that does not keep the program from ending."""
    thread = threading.Thread(target=task, name=name, daemon=True)
    thread.start()
    return thread
