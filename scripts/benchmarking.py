"""What the benchmarks share: sides in processes of their own, asked in turn, and the report.

A comparison has two sides, ours and a reference. Each side is a process that does nothing else:
settings of one's memory allocator, its threads that spin before they sleep, and what it has loaded
cannot help or hurt the other. They run in turn, never at once, so that whatever else the machine
does meets both. Tables show medians with the middle half of the times; a ratio is the median of the
turns' ratios.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
import traceback
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

PAUSE = 0.3
"""Seconds before each measurement: threads of the other side wait for work before they sleep."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class BenchmarkError(Exception):
    """A side that failed, or two sides that do not compute the same."""


class Side:
    """One side of a comparison, in a process of its own.

    Parameters
    ----------
    make : callable
        Prepares the work and gives it as a callable without arguments. A function at the top of a
        module: the process imports it.
    *arguments
        What ``make`` is called with.
    threads : int > 0, optional
        For numerical libraries, which read the environment once, when they are loaded; by default
        as many as each takes by itself.
    """

    def __init__(
        self, make: Callable[..., Callable[[], Any]], *arguments: Any, threads: int | None = None
    ) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        # No daemon: loaders of training data start processes of their own.
        self._process = context.Process(target=_serve, args=(theirs, make, arguments))
        with _threads(threads):
            self._process.start()
        theirs.close()
        self.threads = 0

    def wait(self) -> None:
        """Wait until the work is prepared."""
        if not self.threads:
            self.threads = self._received()

    def seconds(self, runs: int = 1) -> float:
        """Seconds that the work takes: the mean of some runs."""
        self.wait()
        self._pipe.send(runs)
        return float(self._received())

    def answer(self) -> Any:
        """What the work gives."""
        self.wait()
        self._pipe.send(0)
        return self._received()

    def close(self) -> None:
        """End the process."""
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


def _serve(pipe: Connection, make: Callable[..., Callable[[], Any]], arguments: Any) -> None:
    """What a side's process does: prepare, then run whenever it is told to."""
    try:
        run = make(*arguments)
        torch = sys.modules.get("torch")
        pipe.send(("ready", torch.get_num_threads() if torch else os.cpu_count() or 1))
        while True:
            runs = pipe.recv()
            if not runs:
                pipe.send(("answer", run()))
                continue
            start = time.perf_counter()
            for _ in range(runs):
                run()
            pipe.send(("seconds", (time.perf_counter() - start) / runs))
    except EOFError:
        return
    except Exception:
        pipe.send(("error", traceback.format_exc()))


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """The environment of processes that are started meanwhile."""
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
    """Sides by name, once they are ready; they end with the block."""
    with ExitStack() as stack:
        for side in started.values():
            stack.callback(side.close)
        for side in started.values():
            side.wait()
        yield started


def in_turn(sides: Mapping[str, Side], turns: int, runs: int = 1) -> dict[str, list[float]]:
    """Seconds each side takes, one after the other, after a turn that does not count.

    Parameters
    ----------
    sides : mapping of str to Side
    turns : int > 0
    runs : int > 0
        Of which a turn takes the mean: more for what takes milliseconds.

    Returns
    -------
    dict of str to list of float
        By the sides' names, turn by turn.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns + 1):
        for name, side in sides.items():
            time.sleep(PAUSE)
            seconds = side.seconds(runs)
            if turn:
                times[name].append(seconds)
    return times


@dataclass
class Comparison:
    """Times of both sides in seconds, turn by turn, and how often faster ours should be."""

    what: str
    reference: str
    threads: int
    ours: list[float]
    theirs: list[float]
    target: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        """How often faster ours is."""
        return statistics.median(b / a for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def met(self) -> bool:
        """Whether it is as fast as it should be, if that is asked."""
        return self.target is None or self.ratio >= self.target

    def row(self) -> list[str]:
        """Cells of the table."""
        wanted = "" if self.target is None else f"{self.target:g}x {_verdict(self.met)}"
        found = [spread(self.ours), spread(self.theirs), f"{self.ratio:.1f}x", wanted]
        return [self.what, self.reference, str(self.threads), *found, self.note]

    def summary(self) -> dict[str, Any]:
        """What goes into the JSON file."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


@dataclass
class Limit:
    """A figure that should stay below a limit, if there is one."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether it does."""
        return self.limit is None or self.value < self.limit

    def line(self) -> str:
        """A line of text."""
        wanted = "" if self.limit is None else f" (under {self.limit:g}: {_verdict(self.met)})"
        note = f"; {self.note}" if self.note else ""
        return f"{self.what}: {self.value:.3g} {self.unit}{wanted}{note}"

    def summary(self) -> dict[str, Any]:
        """What goes into the JSON file."""
        return {**asdict(self), "met": self.met}


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def spread(times: Sequence[float]) -> str:
    """Median and middle half of some seconds, in milliseconds."""
    low, middle, high = np.percentile(times, [25, 50, 75]) * 1e3
    digits = 3 if high < 1 else 1
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """What the figures are measured on."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        cpu = names[0] if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def report(
    found: Sequence[Comparison | Limit], about: Mapping[str, Any], file: Path | None
) -> int:
    """Print the table, and write the JSON file if one is wanted.

    Returns
    -------
    int
        Exit status: 0 where everything is as it should be.
    """
    rows = [["what", "reference", "threads", "ours, ms", "theirs, ms", "ratio", "target", ""]]
    rows += [one.row() for one in found if isinstance(one, Comparison)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    for row in rows if len(rows) > 1 else []:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    for one in found:
        if isinstance(one, Limit):
            print(one.line())
    if file is not None:
        held = {"machine": dict(about), "results": [one.summary() for one in found]}
        file.write_text(json.dumps(held, indent=2) + "\n")
    return 0 if all(one.met for one in found) else 1


def common_options(parser: ArgumentParser, turns: int, data: str) -> None:
    """Add ``--data``, ``--turns`` and ``--json``.

    Parameters
    ----------
    parser : ArgumentParser
    turns : int > 0
        How many by default.
    data : str
        What a folder of music is for; nothing where none is wanted.
    """
    if data:
        parser.add_argument("--data", type=Path, metavar="FOLDER", help=data)
    parser.add_argument("--turns", type=int, default=turns, help="that count (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")
