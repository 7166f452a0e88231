#!/usr/bin/env python3
"""How fast the package is: ratios against references that are measured in the same run.

Ours and the reference take turns, so that whatever else the machine does meets both. The table
shows medians with the middle half of the times; the ratio is the median of the turns' ratios.

    python scripts/benchmark.py features --data ../shared/data --json features.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genrenet import audio

RATE = 22_050
PAUSE = 0.3
"""Seconds before each measurement."""


@dataclass
class Comparison:
    """Times of both sides in seconds, turn by turn, and how often faster ours should be."""

    what: str
    reference: str
    threads: int
    ours: list[float]
    theirs: list[float]
    target: float

    @property
    def ratio(self) -> float:
        """How often faster ours is."""
        return statistics.median(b / a for a, b in zip(self.ours, self.theirs, strict=True))

    def row(self) -> list[str]:
        """Cells of the table."""
        times = [_spread(self.ours), _spread(self.theirs)]
        verdict = "met" if self.ratio >= self.target else "MISSED"
        last = [f"{self.ratio:.1f}x", f"{self.target:g}x {verdict}"]
        return [self.what, self.reference, str(self.threads), *times, *last]

    def summary(self) -> dict[str, Any]:
        """What goes into the JSON file."""
        return {**asdict(self), "ratio": self.ratio, "met": self.ratio >= self.target}


def _spread(times: Sequence[float]) -> str:
    low, middle, high = np.percentile(times, [25, 50, 75]) * 1e3
    return f"{middle:.1f} ({low:.1f}-{high:.1f})"


def alternate(
    ours: Callable[[], object], theirs: Callable[[], object], turns: int
) -> tuple[list[float], list[float]]:
    """Seconds that both take, one after the other, after a turn that does not count."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 1):
        for side, run in zip(times, (ours, theirs), strict=True):
            # Threads of the other side's library wait for more work a while before they sleep.
            time.sleep(PAUSE)
            start = time.perf_counter()
            run()
            if turn:
                side.append(time.perf_counter() - start)
    return times


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        cpu = names[0] if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def report(comparisons: Sequence[Comparison], about: dict[str, Any], file: Path | None) -> None:
    """Print the table, and write the JSON file if one is wanted."""
    rows = [["what", "reference", "threads", "ours, ms", "theirs, ms", "ratio", "target"]]
    rows += [comparison.row() for comparison in comparisons]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    if file is not None:
        held = {"machine": about, "results": [one.summary() for one in comparisons]}
        file.write_text(json.dumps(held, indent=2) + "\n")


def _songs(folder: Path | None, n_songs: int) -> list[np.ndarray]:
    """Songs decoded beforehand, evenly picked; synthesised ones where there is no folder."""
    if folder is None:
        from genrenet.synthesis import GENRES, synthesise_song

        kinds = [GENRES[i % len(GENRES)] for i in range(n_songs)]
        return [synthesise_song(genre, i, 0, 30.0, RATE) for i, genre in enumerate(kinds)]
    paths = sorted(path for path in folder.rglob("*") if audio.is_audio_path(path))
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, n_songs).astype(int)]
    return [audio.load(path, RATE, duration=30.0) for path in chosen]


def features(options: argparse.Namespace) -> int:
    """The classical features against pyAudioAnalysis and librosa, on songs decoded beforehand."""
    if options.threads is None:
        # The environment's number of threads is read once, when NumPy and torch are loaded.
        codes = []
        for threads in ("1", ""):
            names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
            environment = {**os.environ, **{name: threads for name in names if threads}}
            number = threads or "0"
            file = options.json and options.json.with_stem(f"{options.json.stem}-{number}")
            command = [sys.executable, __file__, "features", "--threads", number]
            command += ["--songs", str(options.songs), "--turns", str(options.turns)]
            command += ["--data", str(options.data)] if options.data else []
            command += ["--json", str(file)] if file else []
            codes.append(subprocess.run(command, env=environment, check=False).returncode)
        return max(codes)
    warnings.simplefilter("ignore")  # the references' own, of old namespaces
    import librosa
    from pyAudioAnalysis import ShortTermFeatures

    from genrenet.features import mfcc, short_term

    songs = _songs(options.data, options.songs)
    waves = [torch.from_numpy(song)[None] for song in songs]
    loud = [song.astype(np.float64) * 32768 for song in songs]
    step = round(0.050 * RATE)

    def theirs_34() -> None:
        for song in loud:
            ShortTermFeatures.feature_extraction(song, RATE, step, step, deltas=False)

    sides = [
        ("34 short-term features", "pyAudioAnalysis", short_term, theirs_34, 10.0),
        (
            "MFCC",
            "librosa",
            mfcc,
            lambda: [librosa.feature.mfcc(y=song, sr=RATE) for song in songs],
            3.0,
        ),
    ]
    found = []
    for what, reference, function, theirs, target in sides:
        turns = options.turns if reference == "librosa" else max(3, options.turns // 5)
        times = alternate(lambda f=function: [f(wave) for wave in waves], theirs, turns)
        found.append(Comparison(what, reference, torch.get_num_threads(), *times, target))
    about = machine(("torch", "numpy", "scipy", "librosa", "pyAudioAnalysis"))
    seconds = sum(map(len, songs)) / RATE
    report(found, {**about, "songs": len(songs), "seconds": round(seconds, 1)}, options.json)
    return 0 if all(one.ratio >= one.target for one in found) else 1


def neighbours(options: argparse.Namespace) -> int:
    """Distances between songs' Gaussians against a loop over pairs, and their memory."""
    from benchmark_neighbours import LIMIT_GB, TARGET, measure

    about = {**machine(("numpy",)), "threads": torch.get_num_threads()}
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    rows = measure()
    for row in rows:
        ratio = "" if row["ratio"] is None else f", {row['ratio']:.0f}x the loop"
        print(f"{row['name']}: {row['seconds']:.2f} s{ratio}; {row['note']}")
    if options.json is not None:
        options.json.write_text(json.dumps({"machine": about, "results": rows}, indent=2) + "\n")
    met = rows[0]["ratio"] >= TARGET and rows[-1]["gigabytes"] < LIMIT_GB
    verdict = "met" if met else "MISSED"
    print(f"all pairs at least {TARGET:g}x, memory under {LIMIT_GB:g} GB: {verdict}")
    return 0 if met else 1


def main() -> int:
    """Run one benchmark; the exit status says whether its targets were met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="BENCHMARK")
    one = commands.add_parser("features", help="34 short-term features and MFCC")
    one.add_argument("--data", type=Path, help="folder of music; synthesised songs without it")
    one.add_argument("--songs", type=int, default=5, help="how many, 30 s of each (%(default)s)")
    one.add_argument("--turns", type=int, default=25, help="of MFCC; a fifth of it for the rest")
    one.add_argument("--threads", type=int, help="set by the program itself: 1, or 0 for all")
    one.add_argument("--json", type=Path, help="write the results; the threads join its name")
    one.set_defaults(run=features)
    two = commands.add_parser("neighbours", help="KL distances of all pairs of songs")
    two.add_argument("--json", type=Path, help="write the results")
    two.set_defaults(run=neighbours)
    options = parser.parse_args()
    return int(options.run(options))


if __name__ == "__main__":
    raise SystemExit(main())
