"""A file as it was when a song was scored, and whether it still is that file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from genrenet.utils.cache import content_sample


class Seen(NamedTuple):
    """What is remembered of a file.

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
        See `genrenet.utils.cache.content_sample`; None where it is not known.
    """

    size: int
    mtime: int
    file_id: str | None = None
    sample: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Seen:
        """What a table's row remembers."""
        return cls(row["size"], row["mtime"], row.get("file_id"), row.get("sample"))

    @classmethod
    def now(cls, path: str, *, sampled: bool = False) -> Seen:
        """A file as it is.

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
        found = os.stat(path)
        file_id = f"{found.st_ino:x}-{found.st_ctime_ns:x}"
        sample = content_sample(path) if sampled else None
        return cls(found.st_size, found.st_mtime_ns, file_id, sample)

    def is_still(self, now: Seen, path: str) -> bool:
        """Whether a file that is ``now`` so holds what it held.

        It is opened only where something speaks for a change: another modification time, or both
        another inode and another change of status, as after two files have swapped their names.
        Either alone is common: of `chmod`, and of drives that number their files anew.
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

    def _replaced(self, now: Seen) -> bool:
        if self.file_id is None or now.file_id is None:
            return False
        pairs = zip(self.file_id.split("-"), now.file_id.split("-"), strict=False)
        return all(was != found for was, found in pairs)
