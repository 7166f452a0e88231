"""Detect cheaply whether a file has changed: size, times, inode, a sample of its content.

All comparisons of files with their earlier states are here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

_END, _BLOCK, _BETWEEN = 1 << 16, 1 << 12, 8


class FileState(NamedTuple):
    """The system's metadata of a file; times in nanoseconds, all -1 if there is none."""

    size: int
    mtime: int
    ctime: int
    inode: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileState:
        """Query the system, without opening the file.

        Raises
        ------
        OSError
            It does not exist, or cannot be accessed.
        """
        found = os.stat(path)
        inode = found.st_ino & (2**63 - 1)  # the range of SQLite
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, inode)

    @classmethod
    def find(cls, path: str | os.PathLike[str]) -> FileState:
        """Query the system; all -1 if it fails."""
        try:
            return cls.of(path)
        except OSError:
            return cls(-1, -1, -1, -1)


class FileStamp(NamedTuple):
    """The recorded state of a file.

    Attributes
    ----------
    size : int
        Bytes.
    mtime : int
        Modification time, ns.
    file_id : str or None
        Inode and time of the last change of its metadata, which includes renaming; None in an older
        table.
    sample : str or None
        See `content_sample`; None if unknown.
    """

    size: int
    mtime: int
    file_id: str | None = None
    sample: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> FileStamp:
        """Return the state recorded in a table's row."""
        return cls(row["size"], row["mtime"], row.get("file_id"), row.get("sample"))

    @classmethod
    def now(cls, path: str, *, sampled: bool = False) -> FileStamp:
        """Return the present state of a file.

        Parameters
        ----------
        path : str
        sampled : bool
            Also read a sample of its content; otherwise it is not opened.

        Raises
        ------
        OSError
            It does not exist, or cannot be read.
        """
        size, mtime, ctime, inode = FileState.of(path)
        sample = content_sample(path) if sampled else None
        return cls(size, mtime, f"{inode:x}-{ctime:x}", sample)

    def is_still(self, now: FileStamp, path: str) -> bool:
        """Return whether a file with the state ``now`` has the same content.

        It is opened only if there are signs of a change: another modification time, or both another
        inode and another change of metadata, as after two files have swapped their names. Either
        alone is common: from `chmod`, and on drives that renumber their files.
        """
        if self.size != now.size:
            return False
        same_time = self.mtime == now.mtime
        if same_time and not self._replaced(now):
            return True
        if self.sample is None:
            return same_time
        try:
            return self.sample == (now.sample or content_sample(path))
        except OSError:
            return False

    def _replaced(self, now: FileStamp) -> bool:
        if self.file_id is None or now.file_id is None:
            return False
        pairs = zip(self.file_id.split("-"), now.file_id.split("-"), strict=False)
        return all(was != found for was, found in pairs)


def content_sample(path: str | os.PathLike[str]) -> str:
    """Return the digest of a file's length, both its ends and a few places between them.

    Distinguishes songs, and versions of a song, by reading a few hundred kilobytes at any length: a
    new tag moves or changes one of the ends. Files of up to 256 KiB are read completely.

    Parameters
    ----------
    path : path

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    found = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        found.update(str(size).encode() + b"\n")
        for start, length in _sampled(size):
            file.seek(start)
            while length and (block := file.read(length)):
                found.update(block)
                length -= len(block)
    return found.hexdigest()[:32]


def _sampled(size: int) -> list[tuple[int, int]]:
    """Return the places where a file of a size is sampled: starts and lengths."""
    if size <= 4 * _END:
        return [(0, size)]
    step = (size - 2 * _END) // _BETWEEN
    between = [(_END + number * step + (step - _BLOCK) // 2, _BLOCK) for number in range(_BETWEEN)]
    return [(0, _END), *between, (size - _END, _END)]
