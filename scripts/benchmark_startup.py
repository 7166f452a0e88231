"""Startup time of commands, compared with ``python -c "import torch"``."""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark_memory import peak
from benchmark_music import songs
from benchmarking import BenchmarkError, Limit, common_options, machine, report

TORCH = "import torch"
CLASSIFY = "genrenet classify of one song"
TENSORS, NO_TENSORS = 1.7, 0.5
"""Limits as multiples of ``import torch``: for a command that classifies, and without tensors."""

LIBRARY = 10
"""Number of songs in the table of a library."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 7, "folder of music; synthesised songs of 30 s without it")
    parser.add_argument("--checkpoint", default="emotify-cnn", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    about = machine(("torch", "numpy", "pandas", "pyarrow", "av"))
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "music").mkdir()
        paths = songs(options.data, LIBRARY, folder / "music", seconds=30.0)
        sides = _sides(paths, folder, options.checkpoint)
        times: dict[str, list[float]] = {what: [] for what in sides}
        for turn in range(options.turns + 1):
            for what, command in sides.items():
                seconds = _seconds(command, folder)
                if turn:  # the first run reads the files from the disk
                    times[what].append(seconds)
        limits = [
            _ratio(what, times[what], times[TORCH], TENSORS if what == CLASSIFY else NO_TENSORS)
            for what in sides
            if what != TORCH
        ]
        if Path("/proc/self/task").is_dir():
            largest = max(peak(sides[CLASSIFY])[0] for _ in range(3))
            limits.append(Limit(f"{CLASSIFY}, memory with its decoder", largest / 1e6, "MB"))
    print(f"{TORCH}: {min(times[TORCH]):.2f} s, median {statistics.median(times[TORCH]):.2f} s")
    return report(limits, about, options.json, seconds=times)


def _sides(paths: Sequence[str], folder: Path, checkpoint: str) -> dict[str, list[str]]:
    """Commands by name, with all that they need."""
    library, table, listing = folder / "library", folder / "genres.parquet", folder / "songs.csv"
    library.mkdir()
    with open(listing, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "genre", "artist"])
        for number, path in enumerate(paths):
            link = library / f"{number:02d}{Path(path).suffix}"
            link.symlink_to(Path(path).resolve())
            rows.writerow([link, f"genre {number % 2}", f"artist {number}"])
    program = [sys.executable, "-m", "genrenet"]
    scan = [*program, "scan", str(library), "--out", str(table), "--checkpoint", checkpoint]
    _seconds(scan, folder)
    playlist = ["playlist", str(table), "--min-confidence", "0", "--out", "all.m3u8"]
    return {
        TORCH: [sys.executable, "-c", TORCH],
        CLASSIFY: [*program, "classify", str(paths[0]), "--checkpoint", checkpoint],
        "genrenet checkpoints list": [*program, "checkpoints", "list"],
        "genrenet plugins": [*program, "plugins"],
        "genrenet tag of a table": [*program, "tag", str(table)],
        "genrenet playlist from a table": [*program, *playlist],
        "genrenet scan without new songs": scan,
        "genrenet data split of a table": [*program, "data", "split", str(listing), "--no-audio"],
    }


def _seconds(command: Sequence[str], folder: Path) -> float:
    """Run a command to its end in a folder, and measure it."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)}: {done.stderr.strip()}")
    return seconds


def _ratio(what: str, ours: Sequence[float], theirs: Sequence[float], limit: float) -> Limit:
    """Compare the minimum times: other work on the machine can only increase them."""
    middle = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    note = f"{min(ours):.2f} s; median of the turns {statistics.median(ours):.2f} s, {middle:.2f} x"
    return Limit(what, min(ours) / min(theirs), f'x "{TORCH}"', limit, note)
