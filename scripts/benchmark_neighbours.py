"""Speed and memory of distances between songs' Gaussians, compared with a loop over pairs.

The loop is timed on the pairs of a few songs and extrapolated to all: its time per pair does not
depend on their number. Its precision matrices (an inverse per song) are not timed. For both the
best of a few runs counts, as other work on the machine can only increase the time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmarking import machine
from genrenet_plugins.baselines.gaussians import join_rows, nearest, split_rows, symmetric_kl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SONGS, SAMPLE = 5_000, 300
QUERIES, LIBRARY, K = 50_000, 1_000, 5
LIMIT_GB, TARGET = 2.0, 500.0


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    about = machine(("numpy",))
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


def random_songs(songs: int, d: int = 15, seed: int = 0) -> Floats:
    """Gaussians with a variety like those of MFCCs, of shape (songs, d + d * d)."""
    rng = np.random.default_rng(seed)
    means = rng.uniform(-100, 100, (songs, d))
    noise = rng.standard_normal((songs, d, 3 * d))
    covariances = noise @ noise.transpose(0, 2, 1)
    deviations = np.sqrt(10 ** rng.uniform(-1, 3, (songs, d)))
    scales = deviations / np.sqrt(np.einsum("nii->ni", covariances))
    rows: Floats = join_rows(means, covariances * scales[:, :, None] * scales[:, None, :])
    return rows


def loop(X: Floats) -> tuple[Floats, float]:
    """Distances of all pairs, one after the other, and the seconds of the loop."""
    means, covariances = split_rows(X)
    precisions, d = np.linalg.inv(covariances), means.shape[1]
    found = np.empty((len(X), len(X)))
    start = time.perf_counter()
    for i in range(len(X)):
        for j in range(len(X)):
            gap = means[i] - means[j]
            traces = np.trace(precisions[i] @ covariances[j])
            traces += np.trace(precisions[j] @ covariances[i])
            found[i, j] = (traces + gap @ (precisions[i] + precisions[j]) @ gap) / 2 - d
    return found, time.perf_counter() - start


def measure() -> list[dict[str, Any]]:
    """Measure all pairs, nearest songs, and memory.

    Returns
    -------
    list of dict
        ``name``, ``seconds``, ``reference_seconds``, ``ratio`` (reference by ours) and ``note``.
        Where memory is measured, there is no reference, but an entry ``gigabytes``.
    """
    few, songs = random_songs(SAMPLE), random_songs(SONGS, seed=1)
    (wanted, seconds), (_, again) = loop(few), loop(few)
    error = float(np.max(np.abs(symmetric_kl(few) - wanted) / np.maximum(wanted, 1)))
    reference = min(seconds, again) / SAMPLE**2 * SONGS**2
    note = f"loop timed on {SAMPLE} x {SAMPLE} and extrapolated"
    return [
        _row(
            f"KL distances, {SONGS:,} x {SONGS:,} songs",
            _best(lambda: symmetric_kl(songs)),
            reference,
            f"{note}; largest difference {error:.0e} of the value, or of 1 where it is smaller",
        ),
        _row(
            f"{K} nearest by KL, {SONGS:,} x {SONGS:,} songs",
            _best(lambda: nearest(songs, songs, K)),
            reference,
            f"{note}; sorting left out of the loop",
        ),
        _memory(),
    ]


def _row(name: str, seconds: float, reference: float, note: str) -> dict[str, Any]:
    return {
        "name": name,
        "seconds": seconds,
        "reference_seconds": reference,
        "ratio": reference / seconds,
        "note": note,
    }


def _best(job: Callable[[], object], times: int = 5) -> float:
    """Minimum seconds of a few runs."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _memory() -> dict[str, Any]:
    """Seconds and peak memory of a separate process, including its imports."""
    asked = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True)
    seconds, peak = (float(text) for text in asked.stdout.split())
    return {
        "name": f"{K} nearest by KL, {QUERIES:,} x {LIBRARY:,} songs",
        "seconds": seconds,
        "reference_seconds": None,
        "ratio": None,
        "gigabytes": peak,
        "note": f"peak {peak:.2f} GB of a whole process (should be under {LIMIT_GB:g})",
    }


def _nearest_once() -> None:
    songs = random_songs(LIBRARY, seed=1)
    # Some songs repeated: so many different ones would take more memory than the search.
    queries = np.tile(random_songs(1_000), (QUERIES // 1_000, 1))
    start = time.perf_counter()
    nearest(queries, songs, K)
    print(time.perf_counter() - start, _peak_gigabytes())


def _peak_gigabytes() -> float:
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage on Linux may include the parent process
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        if "VmHWM" in lines:
            return float(lines["VmHWM"].split()[0]) * 1024 / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


if __name__ == "__main__":
    _nearest_once()
