"""Peak memory of the programs: it grows neither with the number of songs nor with their length."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark_music import is_mp3, long_song, songs
from benchmarking import BenchmarkError, Limit, common_options, machine, report

FEW = 10
GROWTH = 10.0
"""Maximum increase of memory for many songs relative to `FEW`, in percent."""

GIGABYTES = 1.2
"""Limit for a song of hours, including all imports of the program."""

WATCH = 0.02
"""Seconds between two measurements of a process."""


def peak(command: Sequence[str]) -> tuple[int, float]:
    """Run a program.

    Parameters
    ----------
    command : sequence of str

    Returns
    -------
    peak : int
        In bytes: the sum of the maximum resident sizes of the program and of its child processes.
    seconds : float
        How long it took.

    Raises
    ------
    BenchmarkError
        It failed.
    """
    start, peaks = time.perf_counter(), dict[int, int]()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        while running.poll() is None:
            for process in _family(running.pid):
                peaks[process] = max(peaks.get(process, 0), _largest(process))
            time.sleep(WATCH)
        seconds = time.perf_counter() - start
        error = running.stderr.read().decode(errors="replace") if running.stderr else ""
    if running.returncode:
        raise BenchmarkError(f"{' '.join(command)}: {error.strip()}")
    return sum(peaks.values()), seconds


def _family(process: int) -> list[int]:
    """A process and its descendants."""
    found = [process]
    for parent in found:
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, tasks.read_text().split())
            except OSError:  # it has ended in the meantime
                continue
    return found


def _largest(process: int) -> int:
    """Maximum resident size so far in bytes; `getrusage` may include that of the parent process."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0]) * 1024 if "VmHWM" in lines else 0


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 3, "folder of music; synthesised songs without it")
    parser.add_argument("--songs", type=int, default=300, help=f"against {FEW} (%(default)s)")
    parser.add_argument("--hours", type=float, default=3.0, help="of the long song (%(default)s)")
    parser.add_argument("--checkpoint", default="emotify-cnn", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    if not Path("/proc/self/task").is_dir():
        raise BenchmarkError("peaks of other processes are known on Linux alone")
    about = machine(("torch", "numpy", "av", "soundfile"))
    with TemporaryDirectory() as name:
        temporary = Path(name)
        many = songs(options.data, options.songs, temporary)
        few = [many[i * len(many) // FEW] for i in range(FEW)]
        peaks: dict[int, list[int]] = {len(few): [], len(many): []}
        seconds = 0.0
        for turn in range(options.turns):
            for paths in (few, many):
                library = _library(paths, temporary / f"{len(paths)}-{turn}")
                found, seconds = peak(_scan(library, temporary, options.checkpoint))
                peaks[len(paths)].append(found)
        # The maximum counts: a peak may be missed, but not invented.
        small, large = max(peaks[len(few)]), max(peaks[len(many)])
        note = f"{large / 1e9:.2f} GB and {small / 1e9:.2f} GB; the former in {seconds:.0f} s"
        growth = 100.0 * (large / small - 1.0)
        what = f"genrenet scan of {len(many)} songs takes more memory than of {len(few)}"
        limits = [Limit(what, growth, "%", GROWTH, note)]
        source = next(filter(is_mp3, many), None)
        if source is not None:
            limits.append(_long(source, temporary, options))
    return report(limits, about, options.json)


def _long(source: str, temporary: Path, options: argparse.Namespace) -> Limit:
    song = long_song(source, temporary / "long.mp3", 3600.0 * options.hours)
    table = temporary / "long.csv"
    command = [sys.executable, "-m", "genrenet", "classify", str(song), "--timeline"]
    command += ["--format", "csv", "--out", str(table), "--checkpoint", options.checkpoint]
    found, seconds = peak([*command, "--device", "cpu"])
    frames = len(table.read_text("utf-8").splitlines()) - 1
    what = f"genrenet classify of an MP3 of {options.hours:g} hours"
    return Limit(what, found / 1e9, "GB", GIGABYTES, f"{frames} frames in {seconds:.0f} s")


def _scan(library: Path, temporary: Path, checkpoint: str) -> list[str]:
    table = temporary / f"{library.name}.parquet"
    command = [sys.executable, "-m", "genrenet", "scan", str(library), "--out", str(table)]
    return [*command, "--checkpoint", checkpoint, "--device", "cpu"]


def _library(paths: Sequence[str], folder: Path) -> Path:
    """A folder of links to some songs."""
    folder.mkdir()
    for number, path in enumerate(paths):
        (folder / f"{number:04d}{Path(path).suffix}").symlink_to(Path(path).resolve())
    return folder
