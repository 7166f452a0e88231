"""What happens in the folders of a library, as the system tells of it.

The system's events say which path something happened to, mostly. They are no more than hints here:
some get lost where very many come at once, network drives tell nothing of what other machines do,
and the number of folders that may be watched is limited. `Events.lost` and `Events.untold` say so.
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
"""File systems that other machines change too, of which this one's system does not tell."""

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
    """Return the kind of file system that a path is on; '' where that is not known."""
    place, best = os.path.realpath(path), ("", "")
    for disk in psutil.disk_partitions(all=True):
        at = disk.mountpoint.rstrip(os.sep) + os.sep
        if (place + os.sep).startswith(at) and len(at) >= len(best[0]):
            remote = "remote" in disk.opts.split(",")  # so Windows says of drives of others
            best = (at, "remote" if remote else disk.fstype.lower())
    return best[1]


def on_network(path: str) -> bool:
    """Return whether a path is on a drive that other machines change too."""
    kind = file_system(path)
    return kind in NETWORK or kind.startswith("fuse.")


class Events(FileSystemEventHandler):
    """Collects the paths of a library that something happened to.

    Parameters
    ----------
    roots : sequence of str
        Absolute paths of folders; all must be there.
    ignored : str
        A path: nothing is told of it, nor of what is below it.

    Attributes
    ----------
    happened : threading.Event
        Set as soon as there is something to `take`.
    lost : bool
        Events may have been lost since this was last set to False.
    relinked : bool
        A link to a folder has come or gone, so other folders are to be watched.
    untold : str
        Why not all changes are told of; '' where they are.
    """

    def __init__(self, roots: Sequence[str], ignored: str) -> None:
        self.roots, self.ignored = [*roots], ignored
        self.happened = threading.Event()
        self.lost, self.relinked, self.untold = False, False, ""
        self._paths: set[str] = set()
        self._count, self._lock = 0, threading.Lock()
        self._most = 8192  # half of what Linux and Windows keep by default
        with suppress(OSError, ValueError):
            self._most = int(_QUEUE.read_text()) // 2
        self._names = _real_places(self.roots)
        self._links = {name for _, name in self._names}
        self._tangled = _overlap([place for place, _ in self._names])
        self._mute = _Mute(self)
        # Of folders that are made and renamed at once; harmless.
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
        """Watch one folder more: where the limit is reached, those before it failed in silence."""
        with tempfile.TemporaryDirectory() as folder:
            self._observer.unschedule(self._observer.schedule(self, folder, event_filter=_KINDS))

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note what an event is about; the observer calls it."""
        self._count += 1
        paths = (event.src_path, event.dest_path)
        for path in (os.fsdecode(path) for path in paths if isinstance(path, str | bytes) and path):
            name = self._name(path)
            if name is None or within(name, self.ignored):
                continue
            # Windows says of a folder that is gone only that something is.
            folder = event.is_directory or (event.event_type == "deleted" and os.name == "nt")
            if folder or os.path.splitext(name)[1].lower() in SUFFIXES:
                with self._lock:
                    self._paths.add(name)
                self.happened.set()
            elif name in self._links or os.path.isdir(name):  # a link to another folder
                self.lost = self.relinked = True
                self.happened.set()

    def take(self) -> set[str]:
        """Return paths that something happened to since the last time."""
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
        with suppress(RuntimeError, OSError):  # never begun
            self._observer.stop()
            self._observer.join()

    def _name(self, path: str) -> str | None:
        """Return a path as a scan lists it; None of a hidden one."""
        for place, name in self._names:
            if within(path, place):
                below = path[len(place) :].strip(os.sep)
                if any(part.startswith(".") for part in below.split(os.sep)):
                    return None
                return os.path.join(name, below) if below else name
        return None


class _Mute(logging.Handler):
    """Hears what watchdog has to say, which is that events were lost, in the place of a user."""

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
    """Return the folders to watch, links followed, and what each is called; the deepest first."""
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
