"""The classical features compared with pyAudioAnalysis and librosa, on decoded songs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmark_music import RATE, evenly
from benchmark_sides import Side, in_turn, sides
from benchmarking import Comparison, common_options, machine, report
from numpy.typing import NDArray

SECONDS = 30.0
Run = Callable[[], None]


def decoded(folder: Path | None, count: int) -> list[NDArray[np.float32]]:
    """Songs, evenly picked; synthesised ones without a folder."""
    from genrenet import audio

    if folder is None:
        from genrenet.data.synthesis import GENRES, synthesise_song

        kinds = [GENRES[i % len(GENRES)] for i in range(count)]
        return [synthesise_song(genre, i, 0, SECONDS, RATE) for i, genre in enumerate(kinds)]
    paths = sorted(str(path) for path in folder.rglob("*") if audio.is_audio_path(path))
    return [audio.load(path, RATE, duration=SECONDS) for path in evenly(paths, count)]


def ours(name: str, folder: Path | None, count: int) -> Run:
    """The package's features."""
    import torch

    from genrenet.features import mfcc
    from genrenet.features.short_term import short_term

    functions: dict[str, Callable[..., Any]] = {"mfcc": mfcc, "short_term": short_term}
    waves = [torch.from_numpy(song)[None] for song in decoded(folder, count)]

    def run() -> None:
        for wave in waves:
            functions[name](wave)

    return run


def by_pyaudioanalysis(folder: Path | None, count: int) -> Run:
    """Its 34 short-term features, without their deltas."""
    from pyAudioAnalysis import ShortTermFeatures

    loud = [song.astype(np.float64) * 32768 for song in decoded(folder, count)]
    step = round(0.050 * RATE)

    def run() -> None:
        for song in loud:
            ShortTermFeatures.feature_extraction(song, RATE, step, step, deltas=False)

    return run


def by_librosa(folder: Path | None, count: int) -> Run:
    """Its MFCC."""
    import librosa

    songs = decoded(folder, count)

    def run() -> None:
        for song in songs:
            librosa.feature.mfcc(y=song, sr=RATE)

    return run


FEATURES: list[tuple[str, str, str, Callable[..., Run], float]] = [
    ("34 short-term features", "short_term", "pyAudioAnalysis", by_pyaudioanalysis, 10.0),
    ("MFCC", "mfcc", "librosa", by_librosa, 3.0),
]
"""Feature, its name here, the reference, and the target ratio of speeds."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 25, "folder of music; synthesised songs without it")
    parser.add_argument("--songs", type=int, default=5, help="how many, 30 s of each (%(default)s)")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    found, about = [], machine(("torch", "numpy", "scipy", "librosa", "pyAudioAnalysis"))
    given: tuple[Any, ...] = (options.data, options.songs)
    for threads in (1, None):
        for what, name, reference, theirs, target in FEATURES:
            started = {
                "ours": Side(ours, name, *given, threads=threads),
                "theirs": Side(theirs, *given, threads=threads),
            }
            # Fewer runs for the slow ones.
            turns = options.turns if name == "mfcc" else max(1, options.turns // 5)
            with sides(started) as asked:
                times = in_turn(asked, turns)
                used = asked["ours"].threads
            found.append(Comparison(what, reference, used, times["ours"], times["theirs"], target))
    return report(found, {**about, "songs": options.songs, "seconds": SECONDS}, options.json)
