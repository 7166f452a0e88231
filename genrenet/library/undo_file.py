"""The undo file: the changes by tagging, one line per file, on disk before the file is changed.

A line is JSON with ``path`` (as in the table), ``old`` and ``new`` (the values of the genre before
and after, null if there is none), ``table`` and, for other fields than the genre, the ``field``.
Runs append to it. Only the last line can be incomplete, if a run was killed; its file was not
changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from genrenet.library.tag_values import GENRE
from genrenet.utils.errors import GenrenetError, printable

_START = b'{"path": '
_LAST = 2**20  # bytes; far longer than any line


class UndoFileError(GenrenetError):
    """An undo file that cannot be read or written, or a file of another kind."""


class UndoFile:
    """An undo file to append to; its content is kept, except an incomplete last line.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UndoFileError
        It cannot be written, or is of another kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._held = open(path, "a+b")  # noqa: SIM115 - `close` closes it
        except OSError as error:
            raise self._unwritable(error) from error
        self._held.seek(0)
        if not _START.startswith(self._held.read(len(_START))):
            self._held.close()
            raise _no_undo_file(path)
        end = self._held.seek(0, os.SEEK_END)
        self._held.seek(max(0, end - _LAST))
        self._held.truncate(end - len(self._held.read().rpartition(b"\n")[2]))

    def add(
        self,
        path: str,
        old: Sequence[str] | None,
        new: Sequence[str] | None,
        table: str,
        field: str = GENRE,
    ) -> None:
        """Add a change of a field; it is on disk when this returns.

        Raises
        ------
        UndoFileError
        """
        line = {"path": path, "old": old, "new": new, "table": table}
        if field != GENRE:
            line["field"] = field
        try:
            self._held.write(json.dumps(line).encode() + b"\n")
            self._held.flush()
            os.fsync(self._held.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # of a line that `add` has failed to write; all others are on disk
            self._held.close()

    def _unwritable(self, error: OSError) -> UndoFileError:
        return UndoFileError(
            f"cannot write the undo file '{printable(self.path)}'",
            found=str(error),
            remedy="free some space, or pass --undo-file; every change so far is recorded",
        )


def read_changes(path: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield changes in order: path, values before, values after (both as JSON), table and field.

    Raises
    ------
    UndoFileError
        The file cannot be read, is damaged, or is of another kind.
    """
    try:
        with open(path, "rb") as held:
            for line in held:
                if not _START.startswith(line[: len(_START)]):
                    raise _no_undo_file(path)
                if line.endswith(b"\n"):
                    found = json.loads(line)
                    old, new = json.dumps(found["old"]), json.dumps(found["new"])
                    yield found["path"], old, new, found["table"], found.get("field", GENRE)
    except (OSError, ValueError, KeyError) as error:
        raise _no_undo_file(path, f"{type(error).__name__}: {error}") from error


def _no_undo_file(path: Path, found: str = "something else") -> UndoFileError:
    return UndoFileError(
        f"'{printable(path)}' is not an undo file, or is damaged",
        found=found,
        wanted="what 'genrenet tag TABLE --write' wrote",
    )
