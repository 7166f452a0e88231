"""Locks of tables: one command writes at a time, and one watches a library permanently.

A command holds ``.TABLE.lock`` while it works. One that watches a library holds it only for each
update, and ``.TABLE.watch.lock`` as long as it runs; others wait for its update to end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from genrenet.utils.errors import GenrenetError, printable

PATIENCE = 120.0
"""Maximum seconds that a command waits for the update of a watching one."""


class TableError(GenrenetError):
    """A table of a library that cannot be read or written."""


class TableBusy(TableError):
    """Another command is using a table."""


def _lock_of(file: Path, kind: str) -> FileLock:
    return FileLock(file.with_name(f".{file.name}.{kind}"))


@contextmanager
def _held(file: Path, lock: FileLock, patience: float, busy: str, remedy: str) -> Iterator[None]:
    try:
        lock.acquire(timeout=patience, poll_interval=0.05)
    except Timeout:
        raise TableBusy(busy, remedy=remedy) from None
    except OSError as error:
        raise TableError(
            f"cannot write into '{printable(file.parent)}'",
            found=error.strerror or str(error),
            remedy="choose another place",
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def table_lock(file: Path, *, watching: bool = False) -> Iterator[None]:
    """Lock a table against writing by others.

    Parameters
    ----------
    file : Path
        The table.
    watching : bool
        This is the command that watches the library; others wait for it.

    Raises
    ------
    TableBusy
        Another command is using it.
    TableError
        The folder cannot be written.
    """
    busy = f"another scan or tagging is at work on '{printable(file)}'"
    patience = PATIENCE if not watching and is_watched(file) else 0.0
    lock = _lock_of(file, "lock")
    with _held(file, lock, patience, busy, "wait for it, or use another file"):
        yield


@contextmanager
def watch_lock(file: Path) -> Iterator[None]:
    """Hold the lock of the only command that watches a library for a table.

    Raises
    ------
    TableBusy
        Another one does.
    TableError
        The folder cannot be written.
    """
    busy = f"another 'genrenet scan --watch' keeps '{printable(file)}' up to date"
    lock = _lock_of(file, "watch.lock")
    # Others hold it for a moment to check for a watcher.
    with _held(file, lock, 1.0, busy, "end it, or use another file"):
        yield


def is_watched(file: Path) -> bool:
    """Return whether a command watches a library for a table."""
    lock = _lock_of(file, "watch.lock")
    if not Path(lock.lock_file).exists():
        return False
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False
