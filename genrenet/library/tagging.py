"""Write the genres of a scanned library's table into the files' own tags, and undo it.

Before a file is changed, its change is recorded in the undo file. Undoing processes a file's
changes from the last to the first, as long as the genre is the one that was written.

Files with new tags have changed, and the next scan would score them again; so the table is updated
with their new state (see `genrenet.utils.file_stamp`), if it had the state just before.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from itertools import groupby
from pathlib import Path

from genrenet.library.albums import rows_by_album
from genrenet.library.genre_tags import GenreTagError, write_fields
from genrenet.library.nfo import NFO, plan_nfo_back, write_nfo
from genrenet.library.table import (
    Row,
    count_rows,
    file_of,
    read_about,
    read_rows,
    table_lock,
    write_rows,
)
from genrenet.library.tag_plans import Changes, Outcome, Wish, is_scored, plan, plan_back
from genrenet.library.tag_rules import Rules
from genrenet.library.undo_file import UndoFile, read_changes
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.file_stamp import FileStamp

Show = Callable[[int, int], None]
_HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class TaggingStoppedError(GenrenetError):
    """A disk that cannot be written any more; the remaining songs are unchanged."""


def tag_songs(
    table: Path,
    wish: Wish,
    *,
    undo: Path | None = None,
    show: Show | None = None,
    albums: bool = False,
    rules: Rules | None = None,
) -> Generator[Outcome, None, None]:
    """Write the genres of a table into the files' tags.

    The table is updated when the iterator ends or is closed.

    Parameters
    ----------
    table : Path
        The table of a scanned library.
    wish : Wish
    undo : Path, optional
        The undo file, appended to. Without it nothing is written: the outcomes are those planned.
    show : callable, optional
        Called with (songs done, total number of songs).
    albums : bool
        Combine the scores of songs of an album; see `genrenet.library.albums`.
    rules : Rules, optional
        Other settings for some folders.

    Raises
    ------
    TableError
        The table cannot be read or written.
    UndoFileError
        The undo file cannot be written, or the file is of another kind.
    TaggingStoppedError
        The disk is full or read-only.
    """
    total, labels = count_rows(table), read_about(table).labels

    def rows() -> Iterator[Row]:
        return rows_by_album(read_rows(table), labels) if albums else read_rows(table)

    def planned(row: Row) -> Outcome:
        return plan(row, rules.wish(row["path"], wish) if rules else wish)

    if undo is None:
        for done, row in enumerate(rows(), 1):
            yield planned(row)
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
                outcome = planned(row)
                if outcome.kind == "tagged":
                    for field, (old, new) in outcome.changes().items():
                        lines.add(row["path"], old, new, home, field)
                    outcome = touched.write(outcome)
                yield outcome
                if show:
                    show(done, total)
        finally:
            touched.update(table.resolve())


def undo_tags(
    undo: Path, *, write: bool = False, show: Show | None = None
) -> Generator[Outcome, None, None]:
    """Restore the tags that files had before they were tagged.

    Parameters
    ----------
    undo : Path
        Undo file of `tag_songs`. Fields with neither the written nor the former value are not
        changed.
    write : bool
        Write the files; otherwise the outcomes are those planned.
    show : callable, optional
        Called with (files done, total number of files).

    Raises
    ------
    UndoFileError
        The undo file cannot be read, or is damaged.
    TableError
        A table with these files cannot be written.
    """
    with (
        closing(sqlite3.connect("")) as lines,  # "": on disk
        closing(_Touched()) as touched,
        ExitStack() as locks,
    ):
        lines.execute("CREATE TABLE lines (path, old, new, home, field)")
        lines.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", read_changes(undo))
        homes = [file_of(home) for (home,) in lines.execute("SELECT DISTINCT home FROM lines")]
        tables = [Path(home) for home in sorted(homes) if os.path.isfile(home)]
        # From the start: a scan that reads the files meanwhile would score them again.
        for table in tables if write else ():
            locks.enter_context(table_lock(table))
        total = lines.execute("SELECT COUNT(DISTINCT path) FROM lines").fetchone()[0]
        backwards = lines.execute(
            "SELECT path, field, old, new FROM lines ORDER BY path, rowid DESC"
        )
        try:
            for done, (path, some) in enumerate(groupby(backwards, lambda line: line[0]), 1):
                changes: dict[str, Changes] = {}
                for _, field, old, new in some:
                    changes.setdefault(field, []).append((json.loads(old), json.loads(new)))
                if NFO in changes:
                    outcome, carry_out = plan_nfo_back(path, changes[NFO]), write_nfo
                else:
                    outcome, carry_out = plan_back(path, changes), touched.write
                if write and outcome.kind == "tagged":
                    outcome = carry_out(outcome)
                yield outcome
                if show:
                    show(done, total)
        finally:
            for table in tables if write else ():
                touched.update(table)


class _Touched:
    """The files written, with their state before and after, on disk."""

    def __init__(self) -> None:
        self._held = sqlite3.connect("")
        columns = "path TEXT PRIMARY KEY, was, now"
        self._held.execute(f"CREATE TABLE files ({columns}) WITHOUT ROWID")
        self._any = False

    def write(self, outcome: Outcome) -> Outcome:
        """Carry out a plan; a failure is recorded in the outcome."""
        file = file_of(outcome.path)
        try:
            was = FileStamp.now(file, sampled=True)
            write_fields(file, {field: new for field, (_, new) in outcome.changes().items()})
            now = FileStamp.now(file, sampled=True)
        except (GenreTagError, OSError) as error:
            _stop_if_hopeless(error, file)
            return Outcome(outcome.path, "failed", error=str(error))
        values = (outcome.path, json.dumps(was), json.dumps(now))
        self._held.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", values)
        self._any = True
        return outcome

    def update(self, table: Path) -> None:
        """Update the files in a table that had their earlier state."""
        if self._any:
            write_rows(table, map(self._updated, read_rows(table)), read_about(table))

    def _updated(self, row: Row) -> Row:
        asked = "SELECT was, now FROM files WHERE path = ?"
        if found := self._held.execute(asked, (row["path"],)).fetchone():
            was, now = (FileStamp(*json.loads(text)) for text in found)
            if is_scored(row, was):
                row |= now._asdict()
        return row

    def close(self) -> None:
        """Clear the list."""
        self._held.close()


def _stop_if_hopeless(error: BaseException, file: str) -> None:
    """Raise an error if no other song on the disk can be written either."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _HOPELESS:
            raise TaggingStoppedError(
                f"cannot write into '{printable(os.path.dirname(file))}'",
                found=cause.strerror or str(cause),
                remedy="free some space, or make the disk writable; the same command then resumes",
            ) from error
        cause = cause.__cause__ or cause.__context__
