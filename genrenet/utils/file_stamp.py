"""What tells cheaply that a file is still what it was: size, times, inode, a sample of its content.

This is the one place where files are compared with their earlier states.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

_END, _BLOCK, _BETWEEN = 1 << 16, 1 << 12, 8


class FileState(NamedTuple):
    """What the system says of a file; times in nanoseconds, all -1 where there is none."""

    size: int
    mtime: int
    ctime: int
    inode: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileState:
        """Ask the system, which does not open the file.

        Raises
        ------
        OSError
            It is not there, or cannot be reached.
        """
        found = os.stat(path)
        inode = found.st_ino & (2**63 - 1)  # what SQLite can hold
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, inode)

    @classmethod
    def find(cls, path: str | os.PathLike[str]) -> FileState:
        """Ask the system; all -1 where it has no answer."""
        try:
            return cls.of(path)
        except OSError:
            return cls(-1, -1, -1, -1)


class FileStamp(NamedTuple):
    """What a table remembers of a file.

    Attributes
    ----------
    size : int
        Bytes.
    mtime : int
        Modification time, ns.
    file_id : str or None
        Inode and time of the last change of its status, which renaming is; None where an older
        table does not say.
    sample : str or None
        See `content_sample`; None where it is not known.
    """

    size: int
    mtime: int
    file_id: str | None = None
    sample: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> FileStamp:
        """Return what a table's row remembers."""
        return cls(row["size"], row["mtime"], row.get("file_id"), row.get("sample"))

    @classmethod
    def now(cls, path: str, *, sampled: bool = False) -> FileStamp:
        """Return a file as it is.

        Parameters
        ----------
        path : str
        sampled : bool
            Look into it; otherwise it is not opened.

        Raises
        ------
        OSError
            It is not there, or cannot be read.
        """
        size, mtime, ctime, inode = FileState.of(path)
        sample = content_sample(path) if sampled else None
        return cls(size, mtime, f"{inode:x}-{ctime:x}", sample)

    def is_still(self, now: FileStamp, path: str) -> bool:
        """Return whether a file that is ``now`` so holds what it held.

        It is opened only where something speaks for a change: another modification time, or both
        another inode and another change of status, as after two files have swapped their names.
        Either alone is common: of `chmod`, and of drives that renumber their files.
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

    Tells songs apart, and a song from its later versions, in a few hundred kilobytes however long
    it is: a new tag moves or changes one of the ends. Files of up to 256 KiB are read whole.

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
    """Return where a file of so many bytes is looked at: starts and lengths."""
    if size <= 4 * _END:
        return [(0, size)]
    step = (size - 2 * _END) // _BETWEEN
    between = [(_END + number * step + (step - _BLOCK) // 2, _BLOCK) for number in range(_BETWEEN)]
    return [(0, _END), *between, (size - _END, _END)]
