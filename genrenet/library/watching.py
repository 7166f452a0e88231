"""Watch a library: keep its table up to date when songs are added, changed, moved or deleted.

Changed paths are collected from the system's events (`genrenet.library.events`) and by periodic
scans, where events are not available or may have been lost. A file is read once it has been
unchanged for some seconds: incomplete copies are not scored. Results are appended to the table's
journals at once, where they are safe. The table itself is written at intervals, the longer the
larger it is. Its lock is held for one update at a time, so that other commands can use the table.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import TypeVar

from genrenet.audio.names import find_songs
from genrenet.library.changes import Counts, LibraryAway, holds_something
from genrenet.library.events import Events
from genrenet.library.journal import parts_folder
from genrenet.library.locking import TableBusy, watch_lock
from genrenet.library.scanning import Scan
from genrenet.library.scoring import Progress
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.file_stamp import FileState
from genrenet.utils.hardware import give_back_memory
from genrenet.utils.paths import within
from genrenet.utils.politeness import Pauses

STILL_SECONDS = 3.0
"""Seconds without changes for a file to count as finished."""

POLL_SECONDS = 60.0
"""Seconds between scans of a library without events."""

SELDOM_SECONDS = 12 * 3600.0
"""Seconds between scans of a library with events, as events can be lost."""

LOOK_SHARE, WRITE_SHARE = 1 / 300, 1 / 20
"""Maximum share of the time for scanning the library, and for writing the table."""

WRITE_SECONDS = 10.0
"""Minimum seconds between two writes of the table."""

UPDATE_SECONDS = 20.0
"""Seconds of scoring after which other commands can use the table."""

CHECK_SECONDS = 10.0
"""Seconds between checks that the folders exist."""

RETRY_SECONDS = 30.0
_GAP = 0.5

T = TypeVar("T")
Say = Callable[[str], None]


class Watcher:
    """Keeps a table up to date; a context manager, one at a time for a table.

    Parameters
    ----------
    how : Scan
        Created with ``watching=True``.
    tell : callable
        Called with the `Counts` of each update.
    say : callable
        Called with a message for the user: what is wrong, and when it is resolved.
    poll : float > 0, optional
        Scan the library every so many seconds, without events.
    pauses : Pauses, optional
        Decides when no songs are scored.
    still : float
        See `STILL_SECONDS`.

    Raises
    ------
    TableBusy
        Another one watches for the same table; on entering the context.
    """

    def __init__(
        self,
        how: Scan,
        tell: Callable[[Counts], None],
        say: Say,
        *,
        poll: float | None = None,
        pauses: Pauses | None = None,
        still: float = STILL_SECONDS,
    ) -> None:
        self.how, self.tell, self.say = how, tell, say
        self.poll, self.pauses, self.still = poll, pauses or Pauses(), still
        self.roots = [os.path.abspath(library) for library in how.libraries]
        self._held = ExitStack()
        self._events: Events | None = None
        self._places: dict[str, tuple[int, int]] = {}
        self._gone: set[str] = set()
        self._pending: dict[str, tuple[FileState, float]] = {}
        self._left: dict[str, None] = {}
        self._resting = self._untold = ""
        self._missing = False
        self._trouble: set[str] = set()
        self._check_at = self._retry_at = self._write_at = 0.0
        self._compare_at = time.monotonic() + SELDOM_SECONDS

    def __enter__(self) -> Watcher:
        self.how.check()
        self._held.enter_context(watch_lock(self.how.out))
        return self

    def __exit__(self, *_: object) -> None:
        with self._held:
            self._deafen()
            if self._dirty:
                try:
                    self.how.run(only=(), write=True)
                except GenrenetError as error:
                    self.say(f"{error} (kept in '{printable(parts_folder(self.how.out))}')")

    def begin(
        self, *, restart: bool = False, retry: bool = False, progress: Progress | None = None
    ) -> None:
        """Update the table as a scan does; changes in the meantime are recorded.

        Raises
        ------
        GenrenetError
            See `genrenet.library.scanning.scan`.
        """
        if self.how.out.exists():
            self._check()
        else:  # a library that has never been seen is an error
            self._listen({root: _place(root) for root in self.roots if holds_something(root)})
            self.how.libraries = [*self.roots]
        while not self._away:
            counts = self.how.run(
                restart=restart, retry=retry, progress=progress, enough=self._must_rest
            )
            self.tell(counts)
            if not counts.left:
                break
            restart = retry = False
            self._rest(len(counts.left))
            while self._must_rest():
                time.sleep(1)
            self._rest(0)
        else:
            return
        self._wrote(0.0)
        self._compare_at = time.monotonic() + self._every
        give_back_memory()

    def follow(self) -> None:
        """Keep the table up to date until the process is asked to end.

        Raises
        ------
        KeyboardInterrupt
            It has been asked to.
        GenrenetError
            A permanent error: a damaged table, or one that another model has written in the
            meantime.
        """
        while True:
            self.step()

    def step(self) -> None:
        """Wait for work, and do it."""
        self._wait()
        now = time.monotonic()
        if now >= self._check_at:
            self._check()
        if self._away:
            return
        self._gather(now)
        if now < self._retry_at:
            return
        missing = not self.how.out.exists()
        if missing and not self._missing:
            self._compare_at = now
        self._missing = missing
        if now >= self._compare_at:
            self._compare()
        if ready := self._ready(now):
            self._update(ready)
        if self._dirty and time.monotonic() >= self._write_at:
            self._write()

    @property
    def idle(self) -> bool:
        """Whether there is no work: no file is waited for, and the table is complete."""
        heard = self._events is not None and self._events.happened.is_set()
        return not (heard or self._pending or self._left or self._dirty or self._away)

    @property
    def _away(self) -> bool:
        return self._gone >= {*self.roots}

    @property
    def _dirty(self) -> bool:
        return parts_folder(self.how.out).exists()

    def _wait(self) -> None:
        now = time.monotonic()
        until = [self._check_at, self._compare_at]
        if not self._away:
            if self._pending:
                until.append(now + min(1.0, self.still / 2))
            if self._left:
                until.append(now + (1.0 if self._resting else _GAP))
            if self._dirty:
                until.append(self._write_at)
        if now < self._retry_at:
            until = [self._check_at, self._retry_at]
        seconds = max(0.01, min(until) - now)
        if self._events is None:
            time.sleep(seconds)
        elif self._events.happened.wait(seconds):
            time.sleep(min(0.2, self.still / 4))  # more events follow at once

    # Events in the folders

    def _check(self) -> None:
        """Check which folders exist, and whether they are the same; continue with those."""
        self._check_at = time.monotonic() + CHECK_SECONDS
        places = {root: _place(root) for root in self.roots if holds_something(root)}
        for root in self.roots:
            if root not in places and root not in self._gone:
                self._gone.add(root)
                self.say(
                    f"'{printable(root)}' is empty: is its drive connected? Its songs stay in the "
                    "table, and watching continues when the music is back"
                )
            elif root in places and root in self._gone:
                self._gone.remove(root)
                self.say(f"'{printable(root)}' is available again")
        if places != self._places:
            self._listen(places)

    def _listen(self, places: dict[str, tuple[int, int]]) -> None:
        """Subscribe to events of folders, and scan them once."""
        self._deafen()
        self._places, self._compare_at = places, time.monotonic()
        self.how.libraries = [*places]
        if self.poll is not None or not places:
            return
        self._events = Events([*places], str(parts_folder(self.how.out)))
        if self._events.untold and not self._untold:
            self._untold = self._events.untold
            self.say(f"{self._untold}: the folders are checked every minute instead")

    def _deafen(self) -> None:
        if self._events is not None:
            self._events.close()
            self._events = None

    def _gather(self, now: float) -> None:
        """Collect events, and wait until there are no more."""
        if self._events is None:
            return
        for path in self._events.take():
            if os.path.isdir(path):
                self._pend(find_songs([path]), now)
            self._pend([path], now)
        if self._events.relinked:
            self._listen(self._places)
        elif self._events.lost:
            self._events.lost = False
            self._compare_at = min(self._compare_at, now + self.still)

    def _pend(self, paths: Iterable[str], now: float) -> None:
        for path in paths:
            self._pending[path] = (FileState.find(path), now)

    def _ready(self, now: float) -> list[str]:
        """Return paths that have been unchanged for long enough, and those left from before."""
        ready = []
        for path, (state, since) in [*self._pending.items()]:
            if not any(within(path, root) for root in self._places):
                del self._pending[path]  # found again when its folder is back
            elif now - since >= self.still:
                if (found := FileState.find(path)) == state:
                    ready.append(path)
                else:
                    self._pending[path] = (found, now)
        if self._left and not self._must_rest():
            self._rest(0)
            ready += self._left
        return ready

    # Updates

    def _compare(self) -> None:
        """Scan everything."""
        began = time.monotonic()
        found = self._attempt("look", self.how.look)
        now = time.monotonic()
        if found is not None:
            self._compare_at = now + self._every
            if self.poll is None:
                self._compare_at = max(self._compare_at, now + (now - began) / LOOK_SHARE)
            self._pend((path for path in found if path not in self._pending), now)

    @property
    def _every(self) -> float:
        return self.poll or (POLL_SECONDS if self._untold else SELDOM_SECONDS)

    def _must_rest(self) -> bool:
        return bool(self.pauses.reason())

    def _update(self, ready: list[str]) -> None:
        deadline = time.monotonic() + UPDATE_SECONDS

        def enough() -> bool:
            return time.monotonic() > deadline or self._must_rest()

        counts = self._attempt(
            "update", lambda: self.how.run(only=ready, write=False, enough=enough)
        )
        if counts is None:
            return
        for path in ready:
            self._pending.pop(path, None)
            self._left.pop(path, None)
        self._left |= dict.fromkeys(counts.left)
        if self._left:
            self._rest(len(self._left))
        if counts.new or counts.changed:
            give_back_memory()
        if counts.new or counts.changed or counts.moved or counts.gone:
            self.tell(counts)

    def _write(self) -> None:
        began = time.monotonic()
        if self._attempt("write", lambda: self.how.run(only=(), write=True)) is not None:
            self._wrote(time.monotonic() - began)

    def _wrote(self, seconds: float) -> None:
        self._write_at = time.monotonic() + max(WRITE_SECONDS, seconds / WRITE_SHARE)

    def _attempt(self, kind: str, work: Callable[[], T]) -> T | None:
        """Run an action; a temporary error is reported once, and the action repeated."""
        try:
            found = work()
        except TableBusy:  # until the other command has ended
            self._retry_at = time.monotonic() + 1
            return None
        except GenrenetError as error:
            if not _passes(error) and self.how.out.parent.is_dir():
                raise
            before = {*self._gone}
            if isinstance(error, LibraryAway):
                self._check()
            if before != self._gone:
                return None  # already reported
            if not self._trouble:
                later = f"finished work is kept; this is tried again every {RETRY_SECONDS:g} s"
                self.say(str(GenrenetError(error.what, found=error.found, remedy=later)))
            self._trouble.add(kind)
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return None
        if kind in self._trouble:
            self._trouble.remove(kind)
            if not self._trouble:
                self.say("works again")
        return found

    def _rest(self, songs: int) -> None:
        """Report once that songs are left for later, and once that they are no longer."""
        reason = self.pauses.reason() if songs else ""
        if reason and not self._resting:
            self.say(f"{reason}: {songs} songs wait")
        elif self._resting and not reason:
            self.say("continuing")
        self._resting = reason


def _place(root: str) -> tuple[int, int]:
    """Return the identity of a folder, to recognise another one with the same name."""
    with suppress(OSError):
        found = os.stat(root)
        return found.st_dev, found.st_ino
    return -1, -1


def _passes(error: GenrenetError) -> bool:
    """Return whether an error may be temporary: of a disk, not of its content."""
    cause = error.__cause__
    return isinstance(error, LibraryAway) or isinstance(cause, OSError | sqlite3.OperationalError)
