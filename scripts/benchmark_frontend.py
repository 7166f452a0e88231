"""The log-mel of a 29.12-s frame, compared with librosa, torchaudio and nnAudio."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from benchmark_sides import Side, in_turn, sides
from benchmarking import BenchmarkError, Comparison, common_options, machine, report
from numpy.typing import NDArray

TOLERANCE = 1e-3  # dB
RUNS = 20
SETTINGS: dict[str, Any] = {"n_fft": 512, "hop_length": 256, "n_mels": 96}
Run = Callable[[], NDArray[np.float32]]


def ours() -> Run:
    """`LogMel` as inference uses it."""
    import torch
    from benchmark_references import music_frame

    from genrenet.models.frontend import LogMel
    from genrenet.utils.hardware import keep_freed_memory

    keep_freed_memory()
    frontend, wave = LogMel(backend="fft", level="keep"), torch.from_numpy(music_frame())[None]

    def run() -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(frontend(wave)[0])

    return run


def by_librosa() -> Run:
    """melspectrogram and power_to_db."""
    from benchmark_references import librosa_logmel, music_frame

    from genrenet.models.frontend import LogMel

    settings, wave = LogMel(backend="fft", level="keep").settings, music_frame()
    return lambda: librosa_logmel(wave, settings)


def by_torchaudio() -> Run:
    """torchaudio's MelSpectrogram and AmplitudeToDB."""
    from torchaudio.transforms import MelSpectrogram

    return _by_torch(
        MelSpectrogram(12_000, power=2.0, norm="slaney", mel_scale="slaney", **SETTINGS)
    )


def by_nnaudio() -> Run:
    """nnAudio's MelSpectrogram and torchaudio's AmplitudeToDB."""
    from nnAudio.features.mel import MelSpectrogram

    return _by_torch(MelSpectrogram(sr=12_000, power=2.0, htk=False, verbose=False, **SETTINGS))


def _by_torch(mel: Callable[..., Any]) -> Run:
    import torch
    from benchmark_references import music_frame
    from torchaudio.transforms import AmplitudeToDB

    decibels, wave = AmplitudeToDB("power", 80.0), torch.from_numpy(music_frame())[None]

    def run() -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(decibels(mel(wave) ** 2)[0])

    return run


REFERENCES: dict[str, tuple[Callable[[], Run], float | None]] = {
    "librosa": (by_librosa, 1.5),
    "torchaudio": (by_torchaudio, None),
    "nnAudio": (by_nnaudio, None),
}
"""Factory of each, and the target ratio of speeds."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 25, "")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    about = machine(("torch", "numpy", "scipy", "librosa", "torchaudio", "nnAudio"))
    started = {name: Side(make) for name, (make, _) in REFERENCES.items()}
    with sides({"ours": Side(ours), **started}) as asked:
        wanted = asked["ours"].answer()
        for name in started:
            difference = float(np.abs(asked[name].answer() - wanted).max())
            if difference > TOLERANCE:
                raise BenchmarkError(f"{name}'s log-mel differs by {difference:.2g} dB")
        times = in_turn(asked, options.turns, RUNS)
        found = [
            Comparison(
                "log-mel of a frame", name, asked[name].threads, times["ours"], times[name], target
            )
            for name, (_, target) in REFERENCES.items()
        ]
    return report(found, about, options.json)
