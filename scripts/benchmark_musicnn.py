"""MusiCNN, from file to tags, compared with the published program (librosa and TensorFlow).

Both sides use the same patches of one song; models are opened beforehand. The published program
runs in the Python in which it is installed (see ``musicnn_original.py``); without it, librosa and
plain eager PyTorch are used instead.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from benchmark_music import songs
from benchmark_sides import Side, in_turn, sides
from benchmarking import BenchmarkError, Comparison, common_options, machine, report
from numpy.typing import NDArray

Precision = Literal["32", "bf16"]
Run = Callable[[], NDArray[np.float64]]

TARGETS: dict[Precision, float] = {"32": 1.4, "bf16": 2.5}
TOLERANCE = 0.1
"""Maximum difference of mean scores for both to count as equivalent. It does not compare networks:
our patches are 186 STFT frames apart, each with its own STFT, those of the program 187 frames apart
and cut from one STFT; each side has its own decoder and resampler."""

NAME, MODEL = "musicnn-msd", "MSD_musicnn"


def ours(precision: Precision, path: str) -> Run:
    """`score_songs`, as called by the programs that score libraries."""
    from genrenet.inference.classify import open_method, score_songs
    from genrenet.utils.hardware import keep_freed_memory

    keep_freed_memory()
    model = open_method(NAME, "cpu", precision)

    def run() -> NDArray[np.float64]:
        (result,) = score_songs([path], model, frames="all")
        return np.array([result.scores[label] for label in model.labels])

    return run


def original(python: str, path: str) -> Run:
    """The published program, in a Python of its own."""
    command = [python, str(Path(__file__).with_name("musicnn_original.py")), MODEL]
    program = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL, text=True)
    assert program.stdin is not None
    assert program.stdout is not None
    asking, answers = program.stdin, program.stdout
    if answers.readline().strip() != "ready":
        raise BenchmarkError(f"'{' '.join(command)}' does not start")

    def run() -> NDArray[np.float64]:
        print(path, file=asking, flush=True)
        return np.array(json.loads(answers.readline()))

    return run


def eager(path: str) -> Run:
    """The same program in librosa and plain PyTorch."""
    import librosa
    import torch
    from benchmark_references import model_named

    model = model_named(NAME)
    settings, frames = model.frontend.settings, model.frames
    sizes = {name: settings[name] for name in ("n_fft", "hop_length", "n_mels")}

    def run() -> NDArray[np.float64]:
        wave, rate = librosa.load(path, sr=frames.sample_rate)
        mel = librosa.feature.melspectrogram(y=wave, sr=rate, **sizes)
        logmel = torch.from_numpy(np.log10(10_000 * mel + 1))
        length = model.network.settings["n_stft_frames"]
        patches = logmel.unfold(1, length, length).transpose(0, 1)
        with torch.no_grad():
            return np.asarray(model.network(patches).sigmoid().double().mean(dim=0))

    return run


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 15, "folder of music, whose first MP3 is heard; a song is made without")
    parser.add_argument(
        "--original", metavar="PYTHON", help="interpreter in whose environment musicnn 0.1.0 is"
    )


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    from genrenet.utils.hardware import fast_half

    about, found = machine(("torch", "numpy", "librosa")), []
    with TemporaryDirectory() as temporary:
        (path,) = songs(options.data, 1, Path(temporary))
        reference = "librosa + TensorFlow" if options.original else "librosa + eager"
        asked = {"theirs": Side(original, options.original, path)} if options.original else {}
        asked = asked or {"theirs": Side(eager, path)}
        with sides(asked | {p: Side(ours, p, path) for p in TARGETS}) as asked:
            answers = {name: side.answer() for name, side in asked.items()}
            times = in_turn(asked, options.turns)
        for precision, target in TARGETS.items():
            difference = float(np.abs(answers[precision] - answers["theirs"]).max())
            if not difference <= TOLERANCE:
                raise BenchmarkError(f"{precision}: mean scores differ by {difference:.2g}")
            # Without hardware support for bfloat16, `auto` never uses it.
            judged = precision == "32" or fast_half("cpu")
            found.append(
                Comparison(
                    f"{NAME}, a song, {precision}",
                    reference,
                    asked["theirs"].threads,
                    times[precision],
                    times["theirs"],
                    target if judged else None,
                    f"least times {min(times['theirs']) / min(times[precision]):.2f}x, "
                    f"scores to {difference:.0e}",
                )
            )
    return report(found, about, options.json)
