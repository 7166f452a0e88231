"""Common parts of the benchmarks: comparisons, limits, and the report.

A comparison has two sides, ours and a reference (see `benchmark_sides`). Each side is a separate
process: memory allocator settings, busy-waiting threads, and loaded modules of one cannot affect
the other. They run in turn, never at once, so that other work on the machine affects both. Tables
show medians with the interquartile range of the times; a ratio is the median of the turns' ratios.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np


class BenchmarkError(Exception):
    """A side that failed, or two sides with different results."""


others: list[float] = []
"""Cores that other programs used in the pauses between measurements."""

BUSY = 0.1
"""Number of used cores from which on a multi-threaded reference is slowed down unfairly."""


@dataclass
class Comparison:
    """Times of both sides in seconds, turn by turn, and the target ratio of speeds."""

    what: str
    reference: str
    threads: int
    ours: list[float]
    theirs: list[float]
    target: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return statistics.median(b / a for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def met(self) -> bool:
        """Whether the target, if any, is met."""
        return self.target is None or self.ratio >= self.target

    def row(self) -> list[str]:
        """Cells of the table."""
        wanted = "" if self.target is None else f"{self.target:g}x {_verdict(self.met)}"
        found = [spread(self.ours), spread(self.theirs), f"{self.ratio:.1f}x", wanted]
        return [self.what, self.reference, str(self.threads), *found, self.note]

    def summary(self) -> dict[str, Any]:
        """The entry in the JSON file."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


@dataclass
class Limit:
    """A figure with an optional upper limit."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether it is below the limit."""
        return self.limit is None or self.value < self.limit

    def line(self) -> str:
        """A line of text."""
        wanted = "" if self.limit is None else f" (under {self.limit:g}: {_verdict(self.met)})"
        note = f"; {self.note}" if self.note else ""
        return f"{self.what}: {self.value:.3g} {self.unit}{wanted}{note}"

    def summary(self) -> dict[str, Any]:
        """The entry in the JSON file."""
        return {**asdict(self), "met": self.met}


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def spread(times: Sequence[float]) -> str:
    """Median and interquartile range of some seconds, in milliseconds."""
    low, middle, high = np.percentile(times, [25, 50, 75]) * 1e3
    digits = 3 if high < 1 else 1
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """The machine on which the figures are measured."""
    from torch.backends.cpu import get_cpu_capability

    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        cpu = names[0] if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "instructions": get_cpu_capability(),
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
    found: Sequence[Comparison | Limit], about: Mapping[str, Any], file: Path | None, **more: Any
) -> int:
    """Print the table, and write the JSON file, with further entries, if one is requested.

    Returns
    -------
    int
        Exit status: 0 if all targets were met.
    """
    rows = [["what", "reference", "threads", "ours, ms", "theirs, ms", "ratio", "target", ""]]
    rows += [one.row() for one in found if isinstance(one, Comparison)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    about = {**about, "others": round(statistics.mean(others), 2) if others else None}
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    if others and about["others"] > BUSY:
        print(
            f"NOT AT REST: other programs used {about['others']} cores meanwhile. Threads that "
            "wait for each other then wait for these too: the ratios say nothing."
        )
    for row in rows if len(rows) > 1 else []:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    for one in found:
        if isinstance(one, Limit):
            print(one.line())
    if file is not None:
        held = {"machine": dict(about), "results": [one.summary() for one in found], **more}
        file.write_text(json.dumps(held, indent=2) + "\n")
    return 0 if all(one.met for one in found) else 1


def common_options(parser: ArgumentParser, turns: int, data: str) -> None:
    """Add ``--turns`` with a default, ``--json`` and, if described, ``--data``."""
    if data:
        parser.add_argument("--data", type=Path, metavar="FOLDER", help=data)
    parser.add_argument("--turns", type=int, default=turns, help="that count (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")
