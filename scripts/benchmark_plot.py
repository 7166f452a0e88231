"""Scoring time against the number of songs, the seconds of audio, and the cores."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark_music import is_mp3, long_song
from benchmark_scoring import ours, theirs
from benchmark_sides import Side, in_turn, sides

TURNS = 3
OURS, OURS_32, THEIRS = "genrenet", "genrenet, float32", "librosa + eager PyTorch"
SCANS = "genrenet scan, processes of a core,\nwith their start"
COLOURS = {OURS: "C0", OURS_32: "C1", THEIRS: "C2", SCANS: "C3"}
MINUTES = (1, 5, 15, 30)
SHARES = (0.125, 0.25, 0.5, 1.0)

Curves = dict[str, dict[float, float]]
"""Seconds by the value on the horizontal axis, by side."""


def draw(name: str, paths: Sequence[str], file: Path, temporary: Path) -> dict[str, Curves]:
    """Measure and draw.

    Parameters
    ----------
    name : str
        Checkpoint, or one of `benchmark_references.RANDOM`.
    paths : sequence of str
        Songs.
    file : path
        Target file of the figure.
    temporary : path
        Folder for long songs and tables.

    Returns
    -------
    dict
        The data in the figure, by panel.
    """
    from benchmark_references import RANDOM

    counts = sorted({max(1, round(share * len(paths))) for share in SHARES})
    # Evenly picked, so that any number of songs has the same share of MP3s.
    some = {n: [paths[int(i * len(paths) / n)] for i in range(n)] for n in counts}
    source, lengths = next(filter(is_mp3, paths), None), dict[int, Sequence[str]]()
    for minutes in MINUTES if source is not None else ():
        song = long_song(str(source), temporary / f"{minutes}.mp3", 60 * minutes)
        lengths[60 * minutes] = [str(song)]
    songs, seconds = _measured(name, [some, lengths])
    found = {"songs": songs, "seconds": seconds, "cores": _cores(name, paths)}
    if name not in RANDOM:
        found["cores"][SCANS] = _scans(name, paths, temporary)
    _draw(found, name, len(paths), file)
    return found


def _measured(name: str, panels: Sequence[Mapping[int, Sequence[str]]]) -> list[Curves]:
    """Seconds of some songs for all sides, by panel and value on the axis."""
    started = {
        OURS: Side(ours, name, "auto", []),
        OURS_32: Side(ours, name, "32", []),
        THEIRS: Side(theirs, name, []),
    }
    found: list[Curves] = [{side: {} for side in started} for _ in panels]
    with sides(started) as asked:
        for curves, jobs in zip(found, panels, strict=True):
            for size, paths in jobs.items():
                for side, times in in_turn(asked, TURNS, 1, paths).items():
                    curves[side][size] = statistics.median(times)
    return found


def _cores(name: str, paths: Sequence[str]) -> Curves:
    """Seconds with one core and with two, ours by its workers, the reference by its threads."""
    curves: Curves = {OURS: {}, THEIRS: {}}
    for cores in (1, 2):
        started = {
            OURS: Side(ours, name, "auto", paths, cores, threads=cores),
            THEIRS: Side(theirs, name, paths, threads=cores),
        }
        with sides(started) as asked:
            for side, times in in_turn(asked, TURNS).items():
                curves[side][cores] = statistics.median(times)
    return curves


def _scans(name: str, paths: Sequence[str], temporary: Path) -> dict[float, float]:
    """Seconds of the whole program with one process and with two, of one core each."""
    library = temporary / "library"
    library.mkdir()
    for number, path in enumerate(paths):
        (library / f"{number:04d}{Path(path).suffix}").symlink_to(Path(path).resolve())
    seconds: dict[float, float] = {}
    for processes in (1, 2):
        table = temporary / f"{processes}.parquet"
        command = [sys.executable, "-m", "genrenet", "scan", str(library), "--out", str(table)]
        command += ["--checkpoint", name, "--trim", "0", "--processes", str(processes)]
        command += ["--workers", "1", "--device", "cpu"]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds[processes] = time.perf_counter() - start
        if done.returncode:
            print(f"genrenet scan --processes {processes}: {done.stderr.strip()}")
            return {}
    return seconds


def _draw(found: Mapping[str, Curves], name: str, n_songs: int, file: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    titles = {
        "songs": ("number of songs", "seconds"),
        "seconds": ("seconds of audio in one file", "seconds"),
        "cores": (f"cores or processes ({n_songs} songs)", "seconds"),
    }
    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    for axis, (panel, (along, up)) in zip(axes, titles.items(), strict=True):
        for side, points in found[panel].items():
            if points:
                _curve(axis, side, points)
        axis.set(xlabel=along, ylabel=up, ylim=(0, None))
        if panel == "cores":
            axis.set_xticks([1, 2])
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle(f"Scoring with {name}: cost against songs, seconds of audio and cores")
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def _curve(axis: Any, side: str, points: Mapping[float, float]) -> None:
    style = "--" if side == THEIRS else ":" if side == SCANS else "-"
    seconds, colour = list(points.values()), COLOURS[side]
    axis.plot(list(points), seconds, marker="o", linestyle=style, color=colour, label=side)
