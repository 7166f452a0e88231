"""The two sides of a comparison, each in a separate process, measured in turn."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarking import BenchmarkError, others

PAUSE = 0.3
"""Seconds before each measurement: threads of the other side busy-wait before they sleep."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class Side:
    """One side of a comparison, in a separate process.

    Parameters
    ----------
    make : callable
        Prepares the work and returns it as a callable. A function at the top level of a module: the
        process imports it.
    *arguments
        Arguments of ``make``.
    threads : int > 0, optional
        For numerical libraries, which read the environment when they are loaded; by default their
        own choice.
    """

    def __init__(
        self, make: Callable[..., Callable[..., Any]], *arguments: Any, threads: int | None = None
    ) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        # Not a daemon: loaders of training data start processes of their own.
        self._process = context.Process(target=_serve, args=(theirs, make, arguments))
        with _threads(threads):
            self._process.start()
        theirs.close()
        self.threads = 0

    def wait(self) -> None:
        """Wait until the work is prepared."""
        if not self.threads:
            self.threads = self._received()

    def seconds(self, runs: int = 1, *given: Any) -> float:
        """Mean seconds of the work over some runs, with or without an argument."""
        self.wait()
        self._pipe.send((runs, given))
        return float(self._received())

    def answer(self) -> Any:
        """The result of the work."""
        self.wait()
        self._pipe.send((0, ()))
        return self._received()

    def close(self) -> None:
        """Kill the process."""
        self._pipe.close()
        self._process.join()

    def _received(self) -> Any:
        try:
            kind, value = self._pipe.recv()
        except EOFError:
            raise BenchmarkError("a side has ended without a word") from None
        if kind == "error":
            raise BenchmarkError(value)
        return value


def _serve(pipe: Connection, make: Callable[..., Callable[..., Any]], arguments: Any) -> None:
    """The body of a side's process: prepare, then run on request."""
    try:
        run = make(*arguments)
        torch = sys.modules.get("torch")
        pipe.send(("ready", torch.get_num_threads() if torch else os.cpu_count() or 1))
        while True:
            runs, given = pipe.recv()
            if not runs:
                pipe.send(("answer", run()))
                continue
            start = time.perf_counter()
            for _ in range(runs):
                run(*given)
            pipe.send(("seconds", (time.perf_counter() - start) / runs))
    except EOFError:
        return
    except Exception:
        pipe.send(("error", traceback.format_exc()))


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """Set the environment of processes that are started in the context."""
    before = dict(os.environ)
    if number is not None:
        os.environ.update(dict.fromkeys(THREADS, str(number)))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def sides(started: dict[str, Side]) -> Iterator[dict[str, Side]]:
    """Sides by name, once they are ready; they are killed at the end of the block."""
    with ExitStack() as stack:
        for side in started.values():
            stack.callback(side.close)
        for side in started.values():
            side.wait()
        yield started


def in_turn(
    sides: Mapping[str, Side], turns: int, runs: int = 1, *given: Any
) -> dict[str, list[float]]:
    """Seconds of each side, one after the other, after an uncounted warm-up.

    Parameters
    ----------
    sides : mapping of str to Side
    turns : int > 0
    runs : int > 0
        Number of runs per turn, of which the mean is taken: more for short work.
    *given
        Arguments of the work.

    Returns
    -------
    dict of str to list of float
        By the sides' names.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns + 1):
        for name, side in sides.items():
            _rest()
            seconds = side.seconds(runs, *given)
            if turn:
                times[name].append(seconds)
    return times


def _rest() -> None:
    """Wait for `PAUSE`, and record how many cores other programs use meanwhile."""
    start, before = time.perf_counter(), _busy()
    time.sleep(PAUSE)
    if PAUSE and before is not None:
        others.append(((_busy() or 0.0) - before) / (time.perf_counter() - start))


def _busy() -> float | None:
    """CPU seconds of all cores so far; None if the system does not report them."""
    statistics = Path("/proc/stat")
    if not statistics.is_file():
        return None
    user, nice, system, _, _, irq, softirq = statistics.read_text().split()[1:8]
    return sum(map(int, (user, nice, system, irq, softirq))) / os.sysconf("SC_CLK_TCK")
