"""File system events in the folders of a library.

Events usually contain the path of a change. They are only hints here: some get lost if very many
arrive at once, network drives do not report changes by other machines, and the number of folders
that can be watched is limited. `Events.lost` and `Events.untold` report this.
"""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import threading
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from watchdog import events as kinds
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from genrenet.audio.names import SUFFIXES
from genrenet.utils.errors import printable
from genrenet.utils.paths import within

NETWORK = frozenset((
    "9p", "afp", "afpfs", "afs", "ceph", "cifs", "davfs", "drvfs", "fakeowner", "glusterfs",
    "lustre", "ncpfs", "nfs", "nfs4", "prl_fs", "remote", "smb2", "smb3", "smbfs", "v9fs", "vboxsf",
    "virtiofs", "vmhgfs", "webdav"))  # fmt: skip
"""File systems that other machines can change without events on this one."""

_KINDS = [
    getattr(kinds, name)
    for name in (
        *("FileCreatedEvent", "FileModifiedEvent", "FileMovedEvent", "FileDeletedEvent"),
        *("FileClosedEvent", "FileAttribEvent"),
        *("DirCreatedEvent", "DirMovedEvent", "DirDeletedEvent"),
    )
    if hasattr(kinds, name)
]
_QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


def file_system(path: str) -> str:
    """Return the type of file system of a path; '' if unknown."""
    place, best = os.path.realpath(path), ("", "")
    for disk in psutil.disk_partitions(all=True):
        at = disk.mountpoint.rstrip(os.sep) + os.sep
        if (place + os.sep).startswith(at) and len(at) >= len(best[0]):
            remote = "remote" in disk.opts.split(",")  # reported by Windows for network drives
            best = (at, "remote" if remote else disk.fstype.lower())
    return best[1]


def on_network(path: str) -> bool:
    """Return whether a path is on a drive that other machines can change."""
    kind = file_system(path)
    return kind in NETWORK or kind.startswith("fuse.")


class Events(FileSystemEventHandler):
    """Collects the paths of a library that have changed.

    Parameters
    ----------
    roots : sequence of str
        Absolute paths of folders; all must exist.
    ignored : str
        A path: changes of it, and below it, are ignored.

    Attributes
    ----------
    happened : threading.Event
        Set as soon as there are changes to `take`.
    lost : bool
        Events may have been lost since this was last set to False.
    relinked : bool
        A link to a folder was added or removed, so other folders are to be watched.
    untold : str
        Why not all changes are reported; '' if they are.
    """

    def __init__(self, roots: Sequence[str], ignored: str) -> None:
        self.roots, self.ignored = [*roots], ignored
        self.happened = threading.Event()
        self.lost, self.relinked, self.untold = False, False, ""
        self._paths: set[str] = set()
        self._count, self._lock = 0, threading.Lock()
        self._most = 8192  # half of the default of Linux and Windows
        with suppress(OSError, ValueError):
            self._most = int(_QUEUE.read_text()) // 2
        self._names = _real_places(self.roots)
        self._links = {name for _, name in self._names}
        self._tangled = _overlap([place for place, _ in self._names])
        self._mute = _Mute(self)
        # Caused by folders that are created and renamed at once; harmless.
        warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
        self._observer = Observer()
        if far := [root for root in roots if on_network(root)]:
            self.untold = f"'{printable(far[0])}' is on a network drive"
        try:
            for place, _ in self._names:
                self._observer.schedule(self, place, recursive=True, event_filter=_KINDS)
            self._observer.start()
            self._probe()
        except OSError as error:
            self._stop()
            self.untold = _limit(error)

    def _probe(self) -> None:
        """Watch one more folder: if the limit was reached, earlier ones failed silently."""
        with tempfile.TemporaryDirectory() as folder:
            self._observer.unschedule(self._observer.schedule(self, folder, event_filter=_KINDS))

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Record the path of an event; called by the observer."""
        self._count += 1
        paths = (event.src_path, event.dest_path)
        for path in (os.fsdecode(path) for path in paths if isinstance(path, str | bytes) and path):
            name = self._name(path)
            if name is None or within(name, self.ignored):
                continue
            # For a deleted folder, Windows only reports that something was deleted.
            folder = event.is_directory or (event.event_type == "deleted" and os.name == "nt")
            if folder or os.path.splitext(name)[1].lower() in SUFFIXES:
                with self._lock:
                    self._paths.add(name)
                self.happened.set()
            elif name in self._links or os.path.isdir(name):  # a link to another folder
                self.lost = self.relinked = True
                self.happened.set()

    def take(self) -> set[str]:
        """Return paths that have changed since the last call."""
        self.happened.clear()
        with self._lock:
            found, self._paths = self._paths, set()
        if self._count > self._most or (self._tangled and found):
            self.lost = True
        self._count = 0
        return found

    def close(self) -> None:
        """Stop listening."""
        self._stop()
        self._mute.close()

    def _stop(self) -> None:
        with suppress(RuntimeError, OSError):  # never started
            self._observer.stop()
            self._observer.join()

    def _name(self, path: str) -> str | None:
        """Return a path in the form of a scan's list; None for a hidden one."""
        for place, name in self._names:
            if within(path, place):
                below = path[len(place) :].strip(os.sep)
                if any(part.startswith(".") for part in below.split(os.sep)):
                    return None
                return os.path.join(name, below) if below else name
        return None


class _Mute(logging.Handler):
    """Handler of watchdog's log, which reports lost events."""

    def __init__(self, events: Events) -> None:
        super().__init__(logging.WARNING)
        self.events, self.logger = events, logging.getLogger("watchdog")
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.events.lost = True
        self.events.happened.set()

    def close(self) -> None:
        self.logger.removeHandler(self)
        super().close()


def _real_places(roots: Sequence[str]) -> list[tuple[str, str]]:
    """Return the folders to watch and their names in the scan; the deepest first."""
    found: dict[str, str] = {}
    places = [(os.path.realpath(root), root) for root in roots]
    while places:
        place, name = places.pop(0)
        if place in found:
            continue
        found[place] = name
        for folder, folders, _ in os.walk(name):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for one in folders:
                path = os.path.join(folder, one)
                if os.path.islink(path):
                    places.append((os.path.realpath(path), path))
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def _overlap(places: Sequence[str]) -> bool:
    return any(one != two and within(one, two) for one in places for two in places)


def _limit(error: OSError) -> str:
    setting = {errno.ENOSPC: "max_user_watches", errno.EMFILE: "max_user_instances"}
    if name := setting.get(error.errno or 0):
        return (
            f"the system's limit of watched folders is reached (sysctl fs.inotify.{name} raises it)"
        )
    return f"the system does not tell of changes ({error.strerror or error})"
