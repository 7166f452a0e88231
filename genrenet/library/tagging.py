"""Writing the genres of a scanned library's table into the files' own tags, and taking them back.

Before a file is touched, its change is in the undo file. Taking back goes through a file's changes
from the last to the first, as long as the genre is what was written.

Files that were written are changed files, which the next scan would score again; so the table gets
what they are now (see `genrenet.utils.file_stamp`), if it had known them as they were just
before.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from genrenet.library.albums import rows_by_album
from genrenet.library.corrections import answered
from genrenet.library.genre_tags import GenreTagError, has_genre, read_genre, write_genre
from genrenet.library.table import (
    Row,
    count_rows,
    file_of,
    read_about,
    read_rows,
    table_lock,
    write_rows,
)
from genrenet.library.undo_file import UndoFile, read_changes
from genrenet.utils.errors import printable
from genrenet.utils.file_stamp import FileStamp

Genre = list[str] | None
Show = Callable[[int, int], None]

FAILED = ("gone", "changed", "failed")
"""Kinds of `Outcome` that carry an error."""


@dataclass(frozen=True)
class Wish:
    """Which songs are tagged, and how.

    Attributes
    ----------
    min_confidence : float, from 0 to 1
        Songs below it are left alone.
    names : mapping of str to tuple of str
        What is written for a genre, nothing if songs of this genre are left alone; genres that it
        does not name are written as they are.
    keep_existing : bool
        Leave files alone that have a genre, in whichever of their tags.
    force : bool
        Tag files too that are not the ones that were scored.
    """

    min_confidence: float = 0.5
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keep_existing: bool = True
    force: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became, or would become, of one song.

    Attributes
    ----------
    path : str
        As in the table.
    kind : str
        "tagged"; "same": has the genre already; left alone since "unsure", "unmapped" (the map
        says so), "kept" (has a genre) or "nothing" (the table has none, or it is no music); or one
        of `FAILED`.
        Of taking back: "tagged", "same" or one of `FAILED`.
    old, new : list of str, or None
        The genre before and after; of "tagged" songs only.
    error : str
        What is the matter, '' if nothing is.
    """

    path: str
    kind: str
    old: Genre = None
    new: Genre = None
    error: str = ""


def tag_songs(
    table: Path,
    wish: Wish,
    *,
    undo: Path | None = None,
    show: Show | None = None,
    albums: bool = False,
) -> Generator[Outcome, None, None]:
    """Write the genres of a table into the files' tags.

    The table is brought up to date when the iterator ends or is closed.

    Parameters
    ----------
    table : Path
        The table of a scanned library.
    wish : Wish
    undo : Path, optional
        The undo file, appended to. Without it nothing is written: the outcomes say what would be.
    show : callable, optional
        Told the number of songs done and of all.
    albums : bool
        Let the songs of an album inform each other; see `genrenet.library.albums`.

    Raises
    ------
    TableError
        The table cannot be read or written.
    UndoFileError
        The undo file cannot be written, or is something else.
    """
    total, labels = count_rows(table), read_about(table).labels

    def rows() -> Iterator[Row]:
        return rows_by_album(read_rows(table), labels) if albums else read_rows(table)

    if undo is None:
        for done, row in enumerate(rows(), 1):
            yield _plan(row, wish)
            if show:
                show(done, total)
        return
    home = printable(table.resolve())
    with (
        table_lock(table.resolve()),
        closing(UndoFile(undo)) as lines,
        closing(_Touched()) as touched,
    ):
        try:
            for done, row in enumerate(rows(), 1):
                outcome = _plan(row, wish)
                if outcome.kind == "tagged":
                    lines.add(row["path"], outcome.old, outcome.new, home)
                    outcome = touched.write(outcome)
                yield outcome
                if show:
                    show(done, total)
        finally:
            touched.update(table.resolve())


def undo_tags(
    undo: Path, *, write: bool = False, show: Show | None = None
) -> Generator[Outcome, None, None]:
    """Give files back the genre that they had before they were tagged.

    Parameters
    ----------
    undo : Path
        What `tag_songs` wrote. Files whose genre is neither what was written nor what was there
        before are left alone.
    write : bool
        Do it; otherwise the outcomes say what would be.
    show : callable, optional
        Told the number of files done and of all.

    Raises
    ------
    UndoFileError
        The undo file cannot be read, or is damaged.
    TableError
        A table that tells of these files cannot be written.
    """
    with closing(sqlite3.connect("")) as lines, closing(_Touched()) as touched:  # "": on disk
        lines.execute("CREATE TABLE lines (path, old, new, home)")
        lines.executemany("INSERT INTO lines VALUES (?, ?, ?, ?)", read_changes(undo))
        total = lines.execute("SELECT COUNT(DISTINCT path) FROM lines").fetchone()[0]
        backwards = lines.execute("SELECT path, old, new FROM lines ORDER BY path, rowid DESC")
        try:
            for done, (path, some) in enumerate(groupby(backwards, lambda line: line[0]), 1):
                changes = [(json.loads(old), json.loads(new)) for _, old, new in some]
                outcome = _plan_back(path, changes)
                if write and outcome.kind == "tagged":
                    outcome = touched.write(outcome)
                yield outcome
                if show:
                    show(done, total)
        finally:
            for (home,) in lines.execute("SELECT DISTINCT home FROM lines").fetchall():
                if os.path.isfile(table := file_of(home)):
                    with table_lock(Path(table)):
                        touched.update(Path(table))


def _plan(row: Row, wish: Wish) -> Outcome:
    """Return what to do with a song, its file unchanged as yet."""
    row, path = answered(row), row["path"]
    if row["genre"] is None or row["error"] or row["genres"] == "":
        return Outcome(path, "nothing")
    if not (row["confidence"] or 0) >= wish.min_confidence:
        return Outcome(path, "unsure")
    new = list(wish.names.get(row["genre"], (row["genre"],)))
    if not new:
        return Outcome(path, "unmapped")
    file = file_of(path)
    if not os.path.lexists(file):
        return Outcome(path, "gone", error=f"'{path}' is gone since the scan")
    try:
        old = read_genre(file)
        now = FileStamp.now(file, sampled=True)
        kept = wish.keep_existing and old != new and has_genre(file)
    except (GenreTagError, OSError) as error:
        return Outcome(path, "failed", error=str(error))
    if old == new:
        # Asked first: a file that an interrupted run has written is no longer the table's.
        return Outcome(path, "same")
    if kept:
        return Outcome(path, "kept")
    if not wish.force and not _is_scored(row, now):
        what = f"'{path}' has changed since the scan: scan again, or pass --force"
        return Outcome(path, "changed", error=what)
    return Outcome(path, "tagged", old, new)


def _plan_back(path: str, changes: list[tuple[Genre, Genre]]) -> Outcome:
    """Return what to do with a file that was changed so, the last change first."""
    file = file_of(path)
    if not os.path.lexists(file):
        return Outcome(path, "gone", error=f"'{path}' is gone since it was tagged")
    try:
        found = genre = read_genre(file)
    except GenreTagError as error:
        return Outcome(path, "failed", error=str(error))
    known = False
    for old, new in changes:
        if genre == new:
            genre = old
        elif genre != old:  # neither done nor, as after an interruption, still to be done
            break
        known = True
    if not known:
        what = f"the genre of '{path}' is no longer what was written: {found}; it is left alone"
        return Outcome(path, "changed", error=what)
    return Outcome(path, "same") if genre == found else Outcome(path, "tagged", found, genre)


def _is_scored(row: Row, now: FileStamp) -> bool:
    """Return whether a file holds what it held when the table's row was made."""
    was = FileStamp.of(row)
    if was.sample is None:  # an older table's
        return was[:2] == now[:2]
    return was.sample == now.sample


class _Touched:
    """The files written, each as it was before and is now, on disk."""

    def __init__(self) -> None:
        self._held = sqlite3.connect("")
        columns = "path TEXT PRIMARY KEY, was, now"
        self._held.execute(f"CREATE TABLE files ({columns}) WITHOUT ROWID")
        self._any = False

    def write(self, outcome: Outcome) -> Outcome:
        """Carry out a plan; a failure becomes the outcome."""
        file = file_of(outcome.path)
        try:
            was = FileStamp.now(file, sampled=True)
            write_genre(file, outcome.new)
            now = FileStamp.now(file, sampled=True)
        except (GenreTagError, OSError) as error:
            return Outcome(outcome.path, "failed", error=str(error))
        values = (outcome.path, json.dumps(was), json.dumps(now))
        self._held.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", values)
        self._any = True
        return outcome

    def update(self, table: Path) -> None:
        """Tell a table of the files that it knew as they were before."""
        if self._any:
            write_rows(table, map(self._updated, read_rows(table)), read_about(table))

    def _updated(self, row: Row) -> Row:
        asked = "SELECT was, now FROM files WHERE path = ?"
        if found := self._held.execute(asked, (row["path"],)).fetchone():
            was, now = (FileStamp(*json.loads(text)) for text in found)
            if _is_scored(row, was):
                row |= now._asdict()
        return row

    def close(self) -> None:
        """Forget them."""
        self._held.close()
