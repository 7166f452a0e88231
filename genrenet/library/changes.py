"""What a scan has to do: the files as they are, beside what the table says of them."""

from __future__ import annotations

import errno
import heapq
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from genrenet.audio.names import find_songs
from genrenet.inference.answers import NOT_MUSIC
from genrenet.library.corrections import Remembered, answered
from genrenet.library.journal import Unfinished
from genrenet.library.table import About, Row, read_about, read_rows, write_rows
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.file_stamp import FileStamp

UNKNOWN = FileStamp(-2, -2)
"""Of a file that is there, but does not say."""


class ScanError(GenrenetError):
    """A scan that cannot be made, or cannot go on."""


@dataclass
class Counts:
    """What a scan found and did.

    Attributes
    ----------
    songs : int
        Rows of the table.
    same, new, changed, gone : int
        Songs that were left as they are, those scored for the first time or again, and rows
        dropped.
    failed : int
        Songs scored by this scan that have an error.
    in_error : int
        Rows of the table that have one.
    unreadable : list of str
        Folders that could not be looked into; the rows of what is below them are kept.
    errors : list of str
        The first errors of every process.
    scored_by : dict of str to int
        Rows of the table by what scored them ("" where an older table does not say).
    genres : dict of str to int
        Rows by genre; those that are no music under "not music", those in error under none.
    unsure : int
        Rows whose genre is not to be believed.
    """

    songs: int = 0
    same: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    failed: int = 0
    in_error: int = 0
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
        if answer["genre"] is not None:
            genre = NOT_MUSIC if answer.get("genres") == "" else answer["genre"]
            self.genres[genre] = self.genres.get(genre, 0) + 1
            self.unsure += bool(answer.get("unsure"))


def seen(path: str) -> FileStamp | None:
    """Return a file as it is, not opened; None where there is none, or `UNKNOWN`."""
    try:
        return FileStamp.now(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        # A link that leads nowhere is no file; anything else is there, and cannot be asked.
        return None if error.errno == errno.ELOOP else UNKNOWN


class Following:
    """What there is to do: the files as they are, beside what the table says of them.

    Parameters
    ----------
    libraries : iterable of path
    out : Path
    about : About
        Of the table that is wanted.
    restart, retry : bool
        See `scan`.

    Attributes
    ----------
    todo : list of (str, bool)
        Files to score, and whether the table knows them.
    fits : bool
        Whether there is a former table, or none, whose rows can stay.
    """

    def __init__(
        self,
        libraries: Iterable[str | os.PathLike[str]],
        out: Path,
        about: About,
        *,
        restart: bool,
        retry: bool,
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
        self.listed = {printable(path): path for path in self._list(libraries)}
        self._same: dict[str, bool] = {}
        self._touched: dict[str, FileStamp] = {}
        closed: dict[str, None] = {}
        if out.exists() and self.fits and not unfinished.restarted:
            for row in read_rows(out):
                self._look(
                    row["path"], FileStamp.of(row), retry and row["error"] is not None, closed
                )
        for name, known in unfinished.keys.items():
            self._look(name, known, retry and name in unfinished.failed, closed)
        self.todo: list[tuple[str, bool]] = []
        for name, path in self.listed.items():
            if name not in self._same and seen(path) == UNKNOWN:
                closed[os.path.dirname(path)] = None
            elif not self._same.get(name):
                self.todo.append((path, name in self._same))
        self.unreadable += closed
        self.same = len(self.listed) - len(self.todo)

    def _look(self, name: str, known: FileStamp, again: bool, closed: dict[str, None]) -> None:
        """Look at a file that the table or a journal knows."""
        path = self.listed.get(name)
        now = None if path is None else seen(path)
        if path is None or now is None:
            return
        self._touched.pop(name, None)
        if now == UNKNOWN:
            closed[os.path.dirname(path)] = None
        self._same[name] = now == UNKNOWN or (not again and known.is_still(now, path))
        if self._same[name] and now[:3] not in (known[:3], UNKNOWN[:3]):
            # Written down, so that the next scan need not look into it again.
            self._touched[name] = now._replace(sample=known.sample)

    def __getstate__(self) -> dict[str, Any]:
        # The other processes need to know what to do, not what is there.
        return {**self.__dict__, "listed": {}, "_same": {}, "_touched": {}}

    def _list(self, libraries: Iterable[str | os.PathLike[str]]) -> list[str]:
        files: dict[str, None] = {}
        for library in libraries:
            root = os.path.abspath(library)
            if not os.fspath(library) or not os.path.exists(root):
                raise ScanError(f"there is no '{printable(library)}'", wanted="a folder of music")
            songs = dict.fromkeys(find_songs([root], unreadable=self.unreadable))
            if not songs:
                # An empty folder is more often a drive that is not mounted than music all gone.
                closed = f"{len(self.unreadable)} folders that cannot be looked into"
                raise ScanError(
                    f"no audio files in '{printable(root)}'",
                    found=closed if self.unreadable else "",
                    wanted="music",
                    remedy="is its drive there? The table has been left as it is",
                )
            files |= songs
            self.roots.append(printable(root))
        return list(files)

    def _keeps(self, path: str) -> bool:
        """Return whether a row stays in the table: its file is there, or has not been
        looked for.
        """
        if path in self.listed:
            return True
        hidden = any(_below(path, printable(folder)) for folder in self.unreadable)
        return hidden or not any(_below(path, root) for root in self.roots)

    def finish(self, out: Path, about: About, parts: Iterable[Counts] = ()) -> Counts:
        """Put the journals' rows into the table, and drop what is gone."""
        found = Counts(same=self.same, unreadable=self.unreadable)
        unfinished = Unfinished(out)
        former = read_rows(out) if out.exists() and self.fits else iter(())
        again = read_rows(out) if unfinished.keys and out.exists() else iter(())
        corrections = Remembered(again)

        def rows() -> Iterator[Row]:
            # Of two rows of a song, the journal's comes first.
            new = ((row["path"], 0, row) for row in unfinished.rows())
            old = ((row["path"], 1, row) for row in former)
            both = heapq.merge(new, old, key=lambda entry: entry[:2])
            for path, entries in groupby(both, key=lambda entry: entry[0]):
                of_song = list(entries)
                row = of_song[0][2]
                if self._keeps(path) and not row.get("gone"):
                    if not of_song[0][1]:
                        row["correction"] = corrections.of(row)
                    if path in self._touched:
                        row |= self._touched[path]._asdict()
                    found.count(row)
                    yield row
                else:
                    found.gone += of_song[-1][1]

        if out.exists() and not self.fits:  # another model's table is replaced as a whole
            found.gone = sum(row["path"] not in self.listed for row in read_rows(out))
        found.songs = write_rows(out, rows(), about)
        unfinished.clear()
        for part in parts:
            found.new, found.changed = found.new + part.new, found.changed + part.changed
            found.failed, found.errors = found.failed + part.failed, found.errors + part.errors
        return found


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _check(out: Path, about: About, former: About | None, unfinished: Unfinished) -> None:
    """Refuse to mix the rows of different models or settings in one table."""
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
