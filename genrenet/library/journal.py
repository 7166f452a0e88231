"""Journals of a running scan: one line per song, so that an interrupted scan can be resumed.

A scan of ``genres.parquet`` keeps its journals in the folder ``genres.parquet.parts``, one per
process. Each begins with a line of metadata common to all its rows; an incomplete last line is
ignored. A journal is only ever appended to, so it works on network drives too.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from genrenet.library.table import About, Row, TableError
from genrenet.utils.errors import printable
from genrenet.utils.file_stamp import FileStamp

SYNC_SECONDS = 5.0
"""Seconds of work that a power failure may lose; a killed process loses none."""

_RESTART = "restart"


class JournalError(TableError):
    """A journal that cannot be written, or belongs to another scan."""


def parts_folder(out: Path) -> Path:
    """Return the folder of the journals of a table."""
    return out.with_name(out.name + ".parts")


class Journal:
    """The journal of one process.

    Parameters
    ----------
    out : Path
        The table that is being written.
    part : int >= 0
        Number of the process.
    about : About

    Raises
    ------
    JournalError
        It cannot be written; also when a row is added.
    """

    def __init__(self, out: Path, part: int, about: About) -> None:
        self.file = parts_folder(out) / f"{part:05d}.jsonl"
        self._synced = time.monotonic()
        self._lock = FileLock(self.file.with_suffix(".lock"))
        try:
            self.file.parent.mkdir(exist_ok=True)
            self._lock.acquire(timeout=0)
            # Anything after the last complete line was being written when the scan was killed.
            self._handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            end = _whole(self.file)
            if end and not _has_rows(self.file, end):
                end = 0  # its first line may be of a scan that never wrote a row
            os.ftruncate(self._handle, end)
            if not end:
                self._write(asdict(about))
        except Timeout:
            raise JournalError(
                f"'{printable(self.file)}' is being written",
                found="a process of an earlier scan that is still running",
                remedy="wait until it is done, or stop it",
            ) from None
        except OSError as error:
            raise self._full(error) from error

    def add(self, row: Row) -> None:
        """Append a row; it is kept whatever happens to the process."""
        try:
            # Another process may have an older row of the song.
            self._write({**row, "at": time.time_ns()})
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._handle)
                self._synced = time.monotonic()
        except OSError as error:
            raise self._full(error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)
        self._lock.release()

    def _write(self, entry: Row) -> None:
        line = json.dumps(entry).encode() + b"\n"
        while line:  # a nearly full disk accepts a part
            line = line[os.write(self._handle, line) :]

    def _full(self, error: OSError) -> JournalError:
        return JournalError(
            f"cannot write '{printable(self.file)}'",
            found=error.strerror or str(error),
            remedy="free some space, then run the same command again; finished work is kept",
        )


class Unfinished:
    """The content of a table's journals, by song.

    Parameters
    ----------
    out : Path
        The table.

    Attributes
    ----------
    about : About or None
        The metadata of the journals; None if there are no journals.
    keys : dict of str to FileStamp
        The state of the file of every song in them.
    failed : set of str
        Those of them that have an error.

    Raises
    ------
    JournalError
        They are damaged, or do not belong together.
    """

    def __init__(self, out: Path) -> None:
        self.folder = parts_folder(out)
        self.files = sorted(self.folder.glob("*.jsonl"))
        self.about: About | None = None
        self.keys: dict[str, FileStamp] = {}
        self.failed: set[str] = set()
        self._places: dict[str, tuple[int, int]] = {}
        self._times: dict[str, int] = {}
        for number, file in enumerate(self.files):
            try:
                self._read(number, file)
            except OSError as error:
                raise self._foreign(file, str(error)) from error

    def rows(self, paths: Collection[str] | None = None) -> Iterator[Row]:
        """Yield the latest row of every song, or of given songs, sorted by path."""
        with ExitStack() as stack:
            handles = [stack.enter_context(open(file, "rb")) for file in self.files]
            wanted = self._places if paths is None else self._places.keys() & {*paths}
            for path in sorted(wanted):
                number, offset = self._places[path]
                handles[number].seek(offset)
                yield json.loads(handles[number].readline())

    @property
    def restarted(self) -> bool:
        """Whether this scan ignores the former table."""
        return (self.folder / _RESTART).exists()

    def restart(self) -> None:
        """Discard the journals, and ignore the former table."""
        self.clear()
        try:
            self.folder.mkdir(exist_ok=True)
            (self.folder / _RESTART).touch()
        except OSError as error:
            raise self._foreign(self.folder, str(error)) from error
        self.files, self.about, self.keys, self._places = [], None, {}, {}
        self.failed, self._times = set(), {}

    def clear(self) -> None:
        """Remove the journals: their content is in the table, or not needed."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, number: int, file: Path) -> None:
        end = _whole(file)
        if not _has_rows(file, end):
            return
        with open(file, "rb") as held:
            while (offset := held.tell()) < end:
                try:
                    entry = json.loads(held.readline())
                    if offset:
                        self._take(entry, (number, offset))
                        continue
                    about = About(**entry)
                except (ValueError, TypeError, KeyError) as error:
                    raise self._foreign(file, str(error)) from error
                if self.about not in (None, about):
                    raise self._foreign(file, "journals of different scans")
                self.about = about

    def _take(self, row: Row, place: tuple[int, int]) -> None:
        path = row["path"]
        if self._times.get(path, -1) > row["at"]:
            return
        self._times[path], self._places[path] = row["at"], place
        self.keys[path] = FileStamp.of(row)
        (self.failed.discard if row.get("error") is None else self.failed.add)(path)

    def _foreign(self, file: Path, found: str) -> JournalError:
        return JournalError(
            f"'{printable(file)}' is not a journal that can be resumed",
            found=found,
            remedy="start over with --restart, or remove it",
        )


def _has_rows(file: Path, end: int) -> bool:
    """Return whether a journal has more than its first line, complete."""
    with open(file, "rb") as held:
        return len(held.readline()) < end


def _whole(file: Path) -> int:
    """Return the number of bytes of a journal up to the end of its last complete line."""
    step, end = 1 << 16, file.stat().st_size
    with open(file, "rb") as held:
        while end:
            begin = max(0, end - step)
            held.seek(begin)
            found = held.read(end - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            end = begin
    return 0
