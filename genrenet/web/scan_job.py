"""A scan that updates the served table, in the background of the server."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genrenet.inference.taxonomy import BUILT_IN, Taxonomy, taxonomy
from genrenet.library.changes import Counts
from genrenet.library.locking import is_watched
from genrenet.library.scanning import Scan, identity_of, model_of, unopened
from genrenet.library.table import About, read_about
from genrenet.utils.errors import GenrenetError, printable
from genrenet.web.errors import NotUsable
from genrenet.web.music_folder import in_background
from genrenet.web.scoring import HEARTBEAT, Model, Scoring

SOON = 1.5
"""Seconds within which a scan that cannot start reports it."""

PAUSE = 0.25
"""Minimum seconds between two reports of a scan."""

PATIENCE = 60.0
"""Maximum seconds that a correction waits for a scan to pause."""

_COUNTED = ("songs", "new", "changed", "moved", "gone", "same", "failed")
_SUMMED = ("new", "changed", "moved", "gone", "failed")


class ScanJob:
    """At most one scan at a time, which does not depend on a client.

    Parameters
    ----------
    table : path
    folder : callable
        Returns the folder in the form of the table's paths.
    scoring : Scoring
        Its settings are those of the scan if the table does not contain them.
    checkpoints : sequence of str
        Of the served models: one of them may have been used for the table.
    on_end : callable
        Called when the table may have changed.
    on_fault : callable
        Called with an exception that is a bug.
    """

    def __init__(
        self,
        table: str,
        folder: Callable[[], str],
        scoring: Scoring,
        checkpoints: Sequence[str],
        on_end: Callable[[], None],
        on_fault: Callable[[Exception], None],
    ) -> None:
        self.table, self.folder, self.scoring = table, folder, scoring
        self.checkpoints, self._on_end, self._on_fault = checkpoints, on_end, on_fault
        self._changed = threading.Condition()
        self._status: dict[str, Any] = {"state": "idle"}
        self._stop = threading.Event()
        self._scan: Scan | None = None
        self._waiting, self._holds = 0, False

    def status(self) -> dict[str, Any]:
        """Return the progress.

        Returns
        -------
        dict
            ``state``: "idle", "running", "done", "cancelled" or "failed"; ``done`` and ``total``
            songs of a running one, when known; ``counts`` of one that has ended; ``error`` of one
            that failed.
        """
        with self._changed:
            return {**self._status}

    def start(self, *, retry: bool = False) -> dict[str, Any]:
        """Start a scan, unless one is running.

        Parameters
        ----------
        retry : bool
            Score songs again that had an error.

        Returns
        -------
        dict
            See `status`.

        Raises
        ------
        NotUsable
            It cannot be started: for example, another command is using the table.
        """
        with self._changed:
            if self._status["state"] == "running":
                return {**self._status}
            if is_watched(Path(self.table)):
                raise NotUsable(
                    "'genrenet scan --watch' keeps this table up to date",
                    remedy="wait for it, or end it and try again",
                )
            self._stop.clear()
            self._status = {"state": "running"}
            in_background(lambda: self._run(retry), "genrenet-scan")
            self._changed.wait_for(lambda: len(self._status) > 1, SOON)
            if self._status["state"] == "failed":
                raise NotUsable(self._status["error"])
            return {**self._status}

    def cancel(self) -> dict[str, Any]:
        """Stop the scan after the songs in progress; finished songs are kept in the table."""
        self._stop.set()
        return self.status()

    def follow(self) -> Iterator[dict[str, Any]]:
        """Yield the status whenever it changes, and at intervals, until the scan has ended."""
        while True:
            status = self.status()
            yield status
            if status["state"] != "running":
                return
            time.sleep(PAUSE)
            with self._changed:
                if self._status == status:
                    self._changed.wait(HEARTBEAT)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Context in which a running scan saves its results and does not use the table.

        Raises
        ------
        NotUsable
            It does not pause within `PATIENCE` seconds.
        """
        with self._changed:
            self._waiting += 1
        try:
            with self._changed:
                if not self._changed.wait_for(lambda: not self._holds, PATIENCE):
                    raise NotUsable("a scan is at work on the table", remedy="try again later")
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()

    def without_folder(self, error: GenrenetError) -> str:
        """Return the text of an error that may name the table, without its folder."""
        found = str(error)
        for table in (os.path.abspath(self.table), os.path.realpath(self.table)):
            found = found.replace(f"{printable(os.path.dirname(table))}{os.sep}", "")
        return found

    def _scanned(self, retry: bool) -> Counts:
        """Scan, in parts if others want to write the table meanwhile."""
        scan, before, done = self._opened(), None, 0

        def progress(now: int, total: int) -> None:
            self._set(state="running", done=done + now, total=done + total)

        while True:
            with self._changed:
                self._changed.wait_for(lambda: not self._waiting)
                self._holds = True
            try:
                counts = scan.run(
                    retry=retry,
                    progress=progress,
                    enough=lambda: self._stop.is_set() or self._waiting > 0,
                )
            finally:
                with self._changed:
                    self._holds = False
                    self._changed.notify_all()
            if before is not None:
                counts.same = before.same
                for name in _SUMMED:
                    setattr(counts, name, getattr(counts, name) + getattr(before, name))
            if not counts.left or self._stop.is_set():
                return counts
            retry, before, done = False, counts, self.status().get("done", done)

    def _run(self, retry: bool) -> None:
        try:
            counts = self._scanned(retry)
        except GenrenetError as error:
            self._set(state="failed", error=self.without_folder(error))
        except Exception as error:  # a song or a model may raise anything
            self._on_fault(error)
            self._set(state="failed", error="the scan failed; the server's own output says why")
        else:
            state = "cancelled" if self._stop.is_set() else "done"
            counted = {name: getattr(counts, name) for name in _COUNTED}
            self._set(state=state, counts={**counted, "left": len(counts.left)})
        self._on_end()

    def _set(self, **status: Any) -> None:
        with self._changed:
            self._status = status
            self._changed.notify_all()

    def _opened(self) -> Scan:
        """Return the scan with the settings of the table; its model stays open."""
        about = read_about(self.table)
        if self._scan is None or self._scan.about.checkpoint != about.checkpoint:
            name = self._checkpoint(about)
            self._scan = self._new(name, about)
        return self._scan

    def _new(self, name: str, about: About) -> Scan:
        def opened() -> Model:
            from genrenet.inference.classify import open_method

            return open_method(name, self.scoring.device)

        return Scan(
            [self.folder()],
            self.table,
            unopened(name, opened),
            about.checkpoint,
            trim=about.settings.get("trim"),
            frames=about.settings.get("frames"),
            device=self.scoring.device,
            workers=self.scoring.workers,
            taxonomy=self._taxonomy(about),
        )

    def _checkpoint(self, about: About) -> str:
        """Return the checkpoint that was used for the table."""
        for name in self.checkpoints:
            if identity_of(name) == about.checkpoint:
                return name
        found = model_of(self.table)
        if found is None:
            raise NotUsable(
                f"the table was made by {about.checkpoint}, which is not here",
                remedy="start the server with --checkpoint and its file, or scan anew",
            )
        return found

    def _taxonomy(self, about: About) -> Taxonomy | None:
        """Return the taxonomy of the table."""
        wanted, served = about.settings.get("taxonomy"), self.scoring.taxonomy
        if wanted is None:
            return None
        if served is not None and served.name == wanted:
            return served
        if wanted in BUILT_IN:
            return taxonomy(wanted)
        raise NotUsable(
            f"the table's genres are called as the taxonomy '{wanted}' says",
            remedy="start the server with --taxonomy and its file",
        )
