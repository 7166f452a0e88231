"""Decode in separate processes, so that a crash of a decoder affects only that file.

If a decoder hangs, runs out of memory or crashes, the file that it was decoding has an error.
Processes are started on demand, by any thread, and reused. They are new processes, not forks of
this one, and import only the decoders.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

from genrenet.audio import errors
from genrenet.audio.decoding import AudioInfo
from genrenet.audio.errors import AudioError, DecodingLimitError, Mono, Path, failure
from genrenet.audio.wire import Message, receive, send
from genrenet.utils.errors import GenrenetError

SECONDS = "GENRENET_DECODE_SECONDS"
"""Environment variable: seconds that a decoder may run without progress; 60 by default."""

MEGABYTES = "GENRENET_DECODE_MB"
"""Environment variable: memory limit of a decoder's data in megabytes; 1024 by default."""

IN_PROCESS = "GENRENET_DECODE_IN_PROCESS"
"""Environment variable: 1 to decode in this process, without limits."""

_FILES = 1000  # per process, which is then replaced: codecs may leak memory
_PATIENCE = 2.0  # seconds to wait for a file to be released

_START = """
import signal, socket, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that asked
seconds, megabytes, *sys.path = sys.argv[1:]
if sys.platform == "win32":
    link = socket.fromshare(sys.stdin.buffer.read())
else:
    link = socket.socket(fileno=0)
from genrenet.audio import worker
worker.main(link, float(seconds), int(megabytes))
"""


def limits() -> tuple[float, int]:
    """Return the limits of a decoder in seconds and megabytes, from the environment."""
    given = os.environ.get(SECONDS, "60"), os.environ.get(MEGABYTES, "1024")
    with suppress(ValueError):
        seconds, megabytes = float(given[0]), int(given[1])
        if seconds > 0 and megabytes > 0:
            return seconds, megabytes
    raise GenrenetError(
        f"{SECONDS} and {MEGABYTES}",
        found=f"{given[0]!r} and {given[1]!r}",
        wanted="a number of seconds and a whole number of megabytes, above 0",
    )


class _Worker:
    """A decoding process, and the connection to it."""

    def __init__(self) -> None:
        self.limits, self.owner, self.files = limits(), os.getpid(), 0
        seconds, megabytes = self.limits
        self.link, theirs = socket.socketpair()
        # One thread: idle threads would use memory, and decoding needs none.
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        paths = [path or os.getcwd() for path in sys.path]
        command = [sys.executable, "-W", "ignore", "-c", _START, str(seconds), str(megabytes)]
        with theirs:
            self.process = subprocess.Popen(
                [*command, *paths],
                stdin=subprocess.PIPE if sys.platform == "win32" else theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # codecs print messages about damaged files
                env={**os.environ, **one},
            )
            if sys.platform == "win32":
                with self.process.stdin as stdin:
                    stdin.write(theirs.share(self.process.pid))
        self.link.settimeout(seconds)

    @property
    def here(self) -> bool:
        """Whether this process started it: a fork must not use the connection that it shares."""
        return self.owner == os.getpid()

    def end(self) -> int | None:
        """Kill it at once, and return how it ended if it already had."""
        if not self.here:
            return None
        with suppress(subprocess.TimeoutExpired):  # a process that is ending by itself
            self.process.wait(0.1)
        ended = self.process.poll()
        self.process.kill()
        with suppress(subprocess.TimeoutExpired):  # waiting for a disk, it cannot be killed yet
            self.process.wait(_PATIENCE)
        self.link.close()
        return ended


class _Pool:
    """The idle processes, and all of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.idle: list[_Worker] = []
        self.all: set[_Worker] = set()

    def take(self) -> _Worker:
        wanted = limits()
        with self.lock:
            while self.idle:
                worker = self.idle.pop()
                if worker.limits == wanted and worker.process.poll() is None:
                    return worker
                self._drop(worker)
        worker = _Worker()
        with self.lock:
            self.all.add(worker)
        return worker

    def give(self, worker: _Worker) -> None:
        if not worker.here:
            return
        with self.lock:
            if worker.files < _FILES and len(self.idle) < (os.cpu_count() or 1) + 2:
                self.idle.append(worker)
            else:
                self._drop(worker)

    def drop(self, worker: _Worker) -> int | None:
        """Kill a worker that has a file."""
        with self.lock:
            self.all.discard(worker)
        return worker.end()

    def _drop(self, worker: _Worker) -> None:
        self.all.discard(worker)
        worker.link.close()  # it ends by itself
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(_PATIENCE)
        worker.end()

    def close(self) -> None:
        """End all processes."""
        for worker in list(self.all):
            if worker.here:
                worker.process.kill()
        for worker in list(self.all):
            worker.end()
        self.all.clear()
        self.idle.clear()

    def forget(self) -> None:
        """Start without processes in a fork: they belong to the process that started them."""
        for worker in self.all:
            worker.link.close()
            worker.process.returncode = 0  # not a child of this process
        self.__init__()  # type: ignore[misc]


_POOL = _Pool()
atexit.register(_POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.forget)


def start() -> None:
    """Start a process ahead of its first file, without waiting for it."""
    if not in_process():
        with suppress(OSError, GenrenetError):  # reported to the caller that needs it
            _POOL.give(_POOL.take())


def in_process() -> bool:
    """Return whether decoding in this process was requested."""
    return os.environ.get(IN_PROCESS, "0") not in ("", "0")


class Remote:
    """A file that a separate process decodes; see `genrenet.audio.decoding.Opened`."""

    def __init__(self, path: Path) -> None:
        self.path, self.notes, self._owed = path, list[str](), 0
        self._worker: _Worker | None = None
        name = os.fspath(path)
        with suppress(OSError):  # the current folder has been deleted
            name = os.path.join(os.getcwd(), name)
        try:
            self._worker = _POOL.take()
        except OSError as error:
            raise failure(DecodingLimitError, path, f"no process to decode in ({error})") from error
        self._worker.files += 1
        try:
            self._ask({"do": "open", "path": os.fsencode(name).hex()})
        except BaseException:
            self.close()
            raise

    def info(self) -> AudioInfo:
        """Return the properties of the file."""
        found = self._ask({"do": "info"})
        assert isinstance(found, dict)
        return AudioInfo(**{name: value for name, value in found.items() if name != "kind"})

    def pieces(self, hz: int | None, offset: float, duration: float | None) -> Iterator[Mono]:
        """Yield the samples of a span, piece by piece."""
        if not ((hz is None or hz >= 1) and offset >= 0 and (duration is None or duration > 0)):
            raise ValueError(f"out of range: rate {hz}, offset {offset} or duration {duration}")
        span = {"rate": hz, "offset": offset, "duration": duration}
        while self._owed:
            self._answer(fail=False)
        found = self._ask({"do": "read", **span})
        while not isinstance(found, dict):
            self._send({"do": "next"})  # it decodes while this piece is used
            yield found
            found = self._answer()
        self.notes += [note for note in found["notes"] if note not in self.notes]

    def close(self) -> None:
        """Release the file, and the process for other files."""
        worker = self._worker
        if worker is None or not worker.here:
            return
        try:
            worker.link.settimeout(_PATIENCE)
            self._send({"do": "close"})
            while self._owed:
                self._answer(fail=False)
            worker.link.settimeout(worker.limits[0])
        except BaseException as error:
            self._lose()
            if not isinstance(error, AudioError):
                raise
            return
        self._worker = None
        _POOL.give(worker)

    def __del__(self) -> None:
        with suppress(Exception):
            if self._worker is not None and self._worker.here:
                self._lose()

    def _lose(self) -> int | None:
        worker, self._worker = self._worker, None
        return None if worker is None else _POOL.drop(worker)

    def _ask(self, message: Message) -> Message | Mono:
        self._send(message)
        return self._answer()

    def _send(self, message: Message) -> None:
        if self._worker is None:
            raise failure(DecodingLimitError, self.path, "that its decoder has ended")
        self._owed += 1
        with suppress(ConnectionError):  # reported when reading
            send(self._worker.link, message)

    def _answer(self, fail: bool = True) -> Message | Mono:
        """Return the next answer, or raise the error in it."""
        worker = self._worker
        if worker is None or not worker.here:
            raise failure(DecodingLimitError, self.path, "that its decoder is not of this process")
        try:
            found = receive(worker.link)
            while isinstance(found, dict) and found["kind"] == "alive":
                found = receive(worker.link)
        except TimeoutError:
            self._lose()
            what = f"no progress in {worker.limits[0]:g} s"
            raise failure(DecodingLimitError, self.path, what) from None
        except OSError:
            found = None
        except BaseException:  # Ctrl-C: pending answers could not be assigned
            self._lose()
            raise
        if found is None:
            ended = self._lose()
            raise failure(DecodingLimitError, self.path, f"that its decoder {_how(ended)}")
        self._owed -= 1
        if fail and isinstance(found, dict) and "texts" in found:
            raise self._error(found)
        return found

    def _error(self, found: Message) -> AudioError:
        kind = getattr(errors, found["kind"])
        error = failure(kind, self.path, *found["texts"], **found["more"])
        if found["cause"]:
            error.__cause__ = RuntimeError(found["cause"])
        return error


def _how(ended: int | None) -> str:
    """Return how a process ended, as text."""
    if ended is None:
        return "sends nothing any more"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-ended).name}"
    return f"ended with status {ended}"
