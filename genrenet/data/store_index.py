"""The index of a prepared store: its songs, their files, and the processes that use them.

A store holds the songs of any number of collections. Each song belongs to the collection that used
it last; space is freed by removing songs of the least recently used collections, never of one that
a running process uses.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from filelock import FileLock, Timeout

from genrenet.data.decoded_audio import State
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.file_stamp import FileState

VERSION = 3
"""Version of the layout and of the stored data: incremented when either changes."""

_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value);
CREATE TABLE collections (number INTEGER PRIMARY KEY, folder BLOB UNIQUE, used INTEGER);
CREATE TABLE songs (
    path BLOB PRIMARY KEY, collection INTEGER,
    size INTEGER, mtime INTEGER, ctime INTEGER, inode INTEGER, sample TEXT,
    file TEXT, length INTEGER, scale REAL, state TEXT, message TEXT, made_by TEXT
) WITHOUT ROWID;
"""
_BATCH = 500  # parameters of a statement
_marks: dict[tuple[int, str], tuple[FileLock, int]] = {}  # held until the process ends


class StoreError(GenrenetError):
    """A prepared store that is missing, damaged, or made with other settings."""


Known: TypeAlias = "tuple[int, int, int, int, State, str, int]"
"""The index entry of a song's file: its `FileState`, state, decoders and collection."""


class Entry(NamedTuple):
    """The index entry of a song.

    ``sample`` is `genrenet.utils.file_stamp.content_sample` of its file, ``file`` the name of the
    file of its samples ('' if there is none), ``length`` their number and ``scale`` the factor that
    maps them to [-1, 1].
    """

    path: str
    stat: FileState
    sample: str
    file: str
    length: int
    scale: float
    state: State
    message: str
    made_by: str


class Collection(NamedTuple):
    """Songs of a store that were used together; ``used`` is in nanoseconds since 1970."""

    number: int
    folder: str
    used: int
    songs: int
    samples: int


class StoreIndex:
    """The index of the store in a folder.

    Parameters
    ----------
    folder : Path
    settings : mapping, optional
        ``sample_rate`` and ``dtype`` of a store to create where there is none yet.

    Raises
    ------
    StoreError
        No store there, a damaged one, or one of another version.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any] | None = None) -> None:
        self.folder, self.file = folder, folder / "index.sqlite"
        if settings is not None and not self.file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with self.lock():
                if not self.file.exists():
                    self._make({**settings, "version": VERSION})
        if not self.file.exists():
            raise StoreError(
                f"no prepared store in '{printable(folder)}'",
                found="no index.sqlite",
                remedy="build one with 'genrenet data prepare'",
            )
        self.about: dict[str, Any] = dict(self.rows("SELECT name, value FROM about"))
        if self.about.get("version") != VERSION:
            raise StoreError(
                f"the prepared store '{printable(folder)}' is of another version",
                found=str(self.about.get("version")),
                wanted=str(VERSION),
                remedy="delete the folder; it is built again on the next run",
            )

    def _make(self, about: Mapping[str, Any]) -> None:
        # Renamed when complete: a process that is killed here leaves no index without settings.
        with replacing(self.file) as part, closing(sqlite3.connect(part)) as made:
            made.executescript(_SCHEMA)
            made.executemany("INSERT INTO about VALUES (?, ?)", about.items())
            made.commit()

    def lock(self) -> FileLock:
        """Lock the table of users, for short times only."""
        return FileLock(self.folder / ".lock")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.file, timeout=120)) as opened:
                yield opened
        except sqlite3.OperationalError as error:  # locked, read-only, or a full disk
            raise OSError(str(error)) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"the prepared store '{printable(self.folder)}' is damaged",
                found=str(error),
                remedy="delete the folder; it is built again on the next run",
            ) from error

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query's result."""
        with self._open() as opened:
            return opened.execute(query, values).fetchall()

    # --- songs ------------------------------------------------------------------------------------

    def known(self) -> dict[str, Known]:
        """Return every song's file as it was when it was decoded."""
        found = self.rows(
            "SELECT path, size, mtime, ctime, inode, state, made_by, collection FROM songs"
        )
        return {os.fsdecode(row[0]): row[1:] for row in found}

    def paths(self) -> list[bytes]:
        """Return the files of all songs, as bytes."""
        return [path for (path,) in self.rows("SELECT path FROM songs")]

    def samples_of(self, paths: Sequence[str]) -> dict[str, str]:
        """Return content samples of some songs."""
        return {os.fsdecode(path): sample for path, sample in self._of(paths, "path, sample")}

    def _of(self, paths: Sequence[str], columns: str) -> Iterator[Any]:
        for start in range(0, len(paths), _BATCH):
            names = list(map(os.fsencode, paths[start : start + _BATCH]))
            marks = ",".join("?" * len(names))
            yield from self.rows(f"SELECT {columns} FROM songs WHERE path IN ({marks})", names)

    def put(self, entries: Sequence[Entry], collection: int) -> None:
        """Record songs with written samples; samples of earlier states are removed."""
        if not entries:
            return
        before = dict(self._of([entry.path for entry in entries], "path, file"))
        rows = [(os.fsencode(entry.path), collection, *entry.stat, *entry[2:]) for entry in entries]
        with self._open() as opened:
            marks = ",".join("?" * len(rows[0]))
            opened.executemany(f"INSERT OR REPLACE INTO songs VALUES ({marks})", rows)
            opened.commit()
        for entry in entries:
            old = before.get(os.fsencode(entry.path), "")
            if old and old != entry.file:
                self.place(old).unlink(missing_ok=True)

    def refresh(self, states: Mapping[str, FileState]) -> None:
        """Record new times or inodes of files that are otherwise unchanged."""
        with self._open() as opened:
            opened.executemany(
                "UPDATE songs SET size=?, mtime=?, ctime=?, inode=? WHERE path=?",
                [(*state, os.fsencode(path)) for path, state in states.items()],
            )
            opened.commit()

    def drop(self, paths: Iterable[str]) -> None:
        """Remove songs: from the index first, so that it never lists missing samples."""
        names = list(paths)
        files = [file for (file,) in self._of(names, "file") if file]
        with self._open() as opened:
            opened.executemany(
                "DELETE FROM songs WHERE path=?", [(os.fsencode(name),) for name in names]
            )
            opened.execute(
                "DELETE FROM collections WHERE number NOT IN (SELECT collection FROM songs)"
                " AND used < ?",
                (time.time_ns() - 86_400 * 10**9,),
            )
            opened.commit()
        for file in files:
            self.place(file).unlink(missing_ok=True)

    def place(self, file: str) -> Path:
        """Return the path of a samples' file."""
        return self.folder / "songs" / file[:2] / file

    def sweep(self) -> None:
        """Remove samples that belong to no song, from a build that was killed."""
        held = {file for (file,) in self.rows("SELECT file FROM songs")}
        yesterday = time.time() - 86_400  # younger files may not be recorded yet
        for file in (self.folder / "songs").glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                if file.name not in held and file.stat().st_mtime < yesterday:
                    file.unlink()

    # --- collections and their users --------------------------------------------------------------

    def enter(self, folder: str) -> int:
        """Record that this process uses a collection, until it ends.

        Returns
        -------
        int
            The collection's number.
        """
        with self.lock():
            key = os.getpid(), str(self.folder)
            if key not in _marks:
                now = time.time_ns()
                users = self.folder / "users"
                users.mkdir(exist_ok=True)
                lock = FileLock(users / f"{now}-{os.getpid()}.lock")
                lock.acquire()
                _marks[key] = lock, now
            name = os.fsencode(folder)
            with self._open() as opened:
                opened.execute(
                    "INSERT INTO collections (folder, used) VALUES (?, ?)"
                    " ON CONFLICT (folder) DO UPDATE SET used=excluded.used",
                    (name, time.time_ns()),
                )
                opened.commit()
            return int(self.rows("SELECT number FROM collections WHERE folder=?", (name,))[0][0])

    def take(self, paths: Iterable[str], collection: int) -> None:
        """Assign songs to a collection."""
        with self._open() as opened:
            opened.executemany(
                "UPDATE songs SET collection=? WHERE path=?",
                [(collection, os.fsencode(path)) for path in paths],
            )
            opened.commit()

    def collections(self) -> list[Collection]:
        """Return all collections, the least recently used first."""
        found = self.rows(
            "SELECT number, folder, used, COUNT(path), TOTAL(length) FROM collections"
            " LEFT JOIN songs ON collection = number GROUP BY number ORDER BY used"
        )
        return [
            Collection(number, os.fsdecode(folder), used, songs, int(samples))
            for number, folder, used, songs, samples in found
        ]

    def in_use_since(self) -> int:
        """Return when the oldest running process began to use the store; collections used later are
        in use.

        Returns
        -------
        int
            Nanoseconds since 1970; later than any time if no process uses it.
        """
        since = 2**63 - 1
        ours = {Path(lock.lock_file).name for lock, _ in _marks.values()}
        for file in sorted((self.folder / "users").glob("*.lock")):
            if file.name not in ours:
                try:
                    # A lock is released when its process ends, in whatever way.
                    with FileLock(file, timeout=0):
                        file.unlink(missing_ok=True)
                    continue
                except Timeout:
                    pass
            since = min(since, int(file.name.partition("-")[0]))
        return since
