"""The work of a scan: differences between the files and the table."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from genrenet.audio.names import find_songs, is_audio_path
from genrenet.data.catalog.tags import read_tags
from genrenet.inference.answers import NOT_MUSIC
from genrenet.library.corrections import answered
from genrenet.library.journal import Unfinished
from genrenet.library.lookup import Wanted
from genrenet.library.moves import find_moves, moved_rows
from genrenet.library.table import (
    TAGS,
    About,
    Row,
    file_of,
    read_about,
    read_rows,
)
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.file_stamp import FileStamp
from genrenet.utils.paths import within

UNKNOWN = FileStamp(-2, -2)
"""State of a file that exists, but cannot be queried."""

_AT_ONCE = 1024
_KEYS = ("path", *FileStamp._fields, "error")


class ScanError(GenrenetError):
    """A scan that cannot start, or cannot continue."""


class LibraryAway(ScanError):
    """A library that is missing, or has no music: a drive that is not mounted."""


@dataclass
class Counts:
    """The findings and results of a scan.

    Attributes
    ----------
    songs : int
        Number of rows of the table.
    same, new, changed, moved, gone : int
        Numbers of songs that were unchanged, scored for the first time or again, or whose content
        had been scored elsewhere, and of rows dropped for songs that no longer exist.
    left : list of str
        Songs that are still to be scored.
    failed : int
        Number of songs scored by this scan that have an error.
    in_error : int
        Number of rows of the table with an error.
    unreadable : list of str
        Folders that could not be read; the rows of files below them are kept.
    errors : list of str
        The first errors of every process.
    scored_by : dict of str to int
        Rows of the table by what scored them ("" in an older table).
    genres : dict of str to int
        Rows by genre; songs without music under "not music", rows in error are not included.
    unsure : int
        Number of rows without a reliable genre.
    """

    songs: int = 0
    same: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    failed: int = 0
    in_error: int = 0
    left: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    scored_by: dict[str, int] = field(default_factory=dict)
    genres: dict[str, int] = field(default_factory=dict)
    unsure: int = 0

    def count(self, row: Row) -> None:
        """Count a row of the table."""
        self.in_error += row.get("error") is not None
        by = row.get("scored_by") or ""
        self.scored_by[by] = self.scored_by.get(by, 0) + 1
        answer = answered(row)
        if answer.get("genre") is not None:
            genre = NOT_MUSIC if answer.get("genres") == "" else answer["genre"]
            self.genres[genre] = self.genres.get(genre, 0) + 1
            self.unsure += bool(answer.get("unsure"))


def seen(path: str) -> FileStamp | None:
    """Return a file's state without opening it; None if there is none, or `UNKNOWN`."""
    try:
        return FileStamp.now(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        # A broken link is not a file; anything else exists, but cannot be queried.
        return None if error.errno == errno.ELOOP else UNKNOWN


class Following:
    """The work to do: differences between the files and the table.

    Parameters
    ----------
    libraries : iterable of path
    out : Path
    about : About
        Of the new table.
    restart, retry : bool
        See `genrenet.library.scanning.Scan.run`.
    only : collection of str, optional
        Files and folders with changes, whether they still exist or not; only these are checked, and
        for folders the rows of the table below them. The whole libraries by default.
    matched : bool
        Look for `moves`; otherwise these files are scored.

    Attributes
    ----------
    todo : list of (str, bool)
        Files to score, and whether the table has them.
    moves : list of Move
        Files whose content has been scored already.
    touched : dict of str to FileStamp
        Paths of rows whose files have the same content, but another state now.
    gone : list of str
        Paths of rows whose files are gone.
    listed : dict of str to str
        Files that were checked, by their path in the table.
    partial : bool
        Whether only some files were checked.
    fits : bool
        Whether the former table, if any, has rows that can be kept.
    """

    def __init__(
        self,
        libraries: Iterable[str | os.PathLike[str]],
        out: Path,
        about: About,
        *,
        restart: bool = False,
        retry: bool = False,
        only: Collection[str] | None = None,
        matched: bool = True,
    ) -> None:
        unfinished = Unfinished(out)
        if restart and not (unfinished.restarted and unfinished.about in (None, about)):
            unfinished.restart()
        self.restarted = unfinished.restarted
        former = read_about(out) if out.exists() else None
        self.fits = former in (None, about)
        _check(out, about, former, unfinished)
        self.roots: list[str] = []
        self.unreadable: list[str] = []
        self.partial = only is not None
        listed = self._list(libraries) if only is None else self._named(libraries, only)
        self.listed = {printable(path): path for path in listed}
        self._same: dict[str, bool] = {}
        self.touched: dict[str, FileStamp] = {}
        self._gone: dict[str, None] = {}
        self._table = out if former and self.fits and not unfinished.restarted else None
        closed: dict[str, None] = {}
        wanted = None if only is None else self._wanted({printable(path) for path in only})
        if self._table:
            for row in read_rows(out, wanted, _KEYS):
                again = retry and row["error"] is not None
                self._look(row["path"], FileStamp.of(row), again, closed)
        for name, known in unfinished.keys.items():
            if wanted is None or wanted.holds(name):
                self._look(name, known, retry and name in unfinished.failed, closed)
        todo: list[tuple[str, bool]] = []
        for name, path in self.listed.items():
            if name not in self._same and seen(path) == UNKNOWN:
                closed[os.path.dirname(path)] = None
            elif not self._same.get(name):
                todo.append((path, name in self._same))
        self.unreadable += closed
        self.moves = find_moves(todo, self._table, unfinished) if matched else []
        moved = {move.path for move in self.moves}
        self.todo = [(path, known) for path, known in todo if path not in moved]
        self.same = len(self.listed) - len(todo)
        hidden = [printable(folder) for folder in self.unreadable]
        self.gone = [name for name in self._gone if not any(within(name, at) for at in hidden)]

    def _look(self, name: str, known: FileStamp, again: bool, closed: dict[str, None]) -> None:
        """Check a file that is in the table or a journal."""
        path = self.listed.get(name)
        now = None if path is None else seen(path)
        self.touched.pop(name, None)
        if path is None or now is None:
            self._gone.pop(name, None)
            if known.size >= 0 and self._misses(name):
                self._gone[name] = None
            return
        if now == UNKNOWN:
            closed[os.path.dirname(path)] = None
        self._same[name] = now == UNKNOWN or (not again and known.is_still(now, path))
        if self._same[name] and now[:3] not in (known[:3], UNKNOWN[:3]):
            # Recorded, so that the next scan need not open it again.
            self.touched[name] = now._replace(sample=known.sample)

    def __getstate__(self) -> dict[str, Any]:
        # The other processes need the list of work, not the list of files.
        kept: dict[str, Any] = {
            "listed": {},
            "moves": [],
            "gone": [],
            "_same": {},
            "touched": {},
            "_gone": {},
        }
        return {**self.__dict__, **kept}

    def _list(self, libraries: Iterable[str | os.PathLike[str]]) -> list[str]:
        files: dict[str, None] = {}
        for library in libraries:
            root = self._root(library)
            songs = dict.fromkeys(find_songs([root], unreadable=self.unreadable))
            if not songs:
                raise _empty(root, self.unreadable)
            files |= songs
        return list(files)

    def _named(
        self, libraries: Iterable[str | os.PathLike[str]], only: Collection[str]
    ) -> list[str]:
        """Return those of some paths that are songs."""
        for library in libraries if only else ():
            root = self._root(library)
            if os.path.isdir(root) and not holds_something(root):
                raise _empty(root)
        there = (path for path in only if seen(path) is not None and not os.path.isdir(path))
        return [path for path in there if is_audio_path(path)]

    def _root(self, library: str | os.PathLike[str]) -> str:
        root = os.path.abspath(library)
        if not os.fspath(library) or not os.path.exists(root):
            raise LibraryAway(f"there is no '{printable(library)}'", wanted="a folder of music")
        self.roots.append(printable(root))
        return root

    def _wanted(self, names: set[str]) -> Wanted:
        return Wanted(paths=names, folders=names - self.listed.keys())

    def _misses(self, name: str) -> bool:
        """Return whether the file of a row that is not listed is gone."""
        below = any(within(name, root) for root in self.roots)
        if below and self.partial:
            return seen(file_of(name)) is None or not is_audio_path(file_of(name))
        return below

    @property
    def news(self) -> list[str]:
        """All files that need work."""
        touched = [self.listed[name] for name in self.touched]
        scored = [path for path, _ in self.todo]
        return [*scored, *(move.path for move in self.moves), *touched, *map(file_of, self.gone)]

    def known_rows(self, out: Path) -> Iterator[tuple[str, Row]]:
        """Yield entries of a journal besides the scored songs, with their kind: a song that was
        "moved", or, if only some files were checked, one "touched", "gone", or "left" for another
        place.
        """
        unfinished = Unfinished(out)
        for row in moved_rows(self.moves, self._table, unfinished):
            yield "moved", row
        if not self.partial:
            return  # the rest is determined when the table is written
        touched = {**self.touched}
        former = read_rows(out, Wanted(paths=touched.keys())) if self._table and touched else ()
        for row in chain(unfinished.rows(touched.keys()), former):
            if stamp := touched.pop(row["path"], None):
                yield "touched", {**row, **stamp._asdict(), **tags_of(self.listed[row["path"]])}
        elsewhere = {move.origin for move in self.moves}
        for name in self.gone:
            yield (
                "left" if name in elsewhere else "gone",
                {"path": name, "size": -1, "mtime": -1, "gone": True},
            )

    def keeps(self, path: str) -> bool:
        """Return whether a row stays in the table: its file exists, or has not been checked."""
        if self.partial or path in self.listed:
            return True
        hidden = any(within(path, printable(folder)) for folder in self.unreadable)
        return hidden or not any(within(path, root) for root in self.roots)


def tags_of(path: str) -> Row:
    """Return artist, album and title of a file in the form of a table."""
    tags, _ = read_tags(path)
    return {name: str(tags.get(name, "")) for name in TAGS}


def holds_something(folder: str) -> bool:
    """Return whether a folder can be read, and has any files that are not hidden."""
    if os.path.isfile(folder):  # a single song is a library too
        return True
    try:
        with os.scandir(folder) as entries:
            return any(not entry.name.startswith(".") for entry in entries)
    except OSError:
        return False


def _empty(root: str, unreadable: Collection[str] = ()) -> LibraryAway:
    # An empty folder is more often an unmounted drive than a deleted collection.
    return LibraryAway(
        f"no audio files in '{printable(root)}'",
        found=f"{len(unreadable)} folders that cannot be looked into" if unreadable else "",
        wanted="music",
        remedy="is its drive connected? The table is unchanged",
    )


def _check(out: Path, about: About, former: About | None, unfinished: Unfinished) -> None:
    """Raise an error before mixing the rows of different models or settings in one table."""
    found = unfinished.about
    if found is None and not unfinished.restarted:
        found = former
    if found not in (None, about):
        raise ScanError(
            f"'{printable(out)}' was made by another model or with other settings",
            found=_describe(found),
            wanted=_describe(about),
            remedy="scan into another file, or score every song again with --restart",
        )


def _describe(about: About | None) -> str:
    settings = about.settings.items() if about else ()
    told = [f"{name} {value}" for name, value in settings if value is not None]
    return ", ".join([about.checkpoint if about else "", *told])
