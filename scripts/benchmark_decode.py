"""Decoding to mono at 12 kHz, compared with librosa, soundfile with torchaudio, and Essentia."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark_music import is_mp3, songs
from benchmark_sides import Side, in_turn, sides
from benchmarking import Comparison, common_options, machine, report

RATE = 12_000
Run = Callable[[], int]


def ours(paths: Sequence[str]) -> Run:
    """`genrenet.audio.load`."""
    from genrenet import audio

    return lambda: sum(len(audio.load(path, RATE)) for path in paths)


def by_librosa(paths: Sequence[str]) -> Run:
    """librosa.load."""
    import librosa

    return lambda: sum(len(librosa.load(path, sr=RATE)[0]) for path in paths)


def by_torchaudio(paths: Sequence[str]) -> Run:
    """soundfile.read, the channels' mean, torchaudio's resampling."""
    import soundfile
    import torch
    from torchaudio.functional import resample

    def samples(path: str) -> int:
        wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return len(resample(torch.from_numpy(wave).mean(dim=1), rate, RATE))

    return lambda: sum(map(samples, paths))


def by_essentia(paths: Sequence[str]) -> Run:
    """Essentia's MonoLoader."""
    from essentia.standard import MonoLoader

    return lambda: sum(len(MonoLoader(filename=path, sampleRate=RATE)()) for path in paths)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 5, "folder of music; synthesised songs without it")
    parser.add_argument("--songs", type=int, default=24, help="half of them MP3s (%(default)s)")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met: there are none."""
    about = machine(("soundfile", "av", "soxr", "librosa", "torchaudio", "essentia"))
    found = []
    references = {"librosa": by_librosa, "soundfile + torchaudio": by_torchaudio}
    if find_spec("essentia") is not None:
        references["Essentia"] = by_essentia
    with TemporaryDirectory() as temporary:
        half = options.songs // 2
        paths = songs(options.data, 2 * half, Path(temporary), mp3s=half)
        kinds = {"MP3": [path for path in paths if is_mp3(path)]}
        kinds["others"] = [path for path in paths if not is_mp3(path)]
        for kind, some in kinds.items():
            if not some:
                continue
            started = {name: Side(make, some) for name, make in references.items()}
            with sides({"ours": Side(ours, some), **started}) as asked:
                seconds = asked["ours"].answer() / RATE
                times = in_turn(asked, options.turns)
                for name in references:
                    what = f"decode {len(some)} {kind}, {seconds:.0f} s of audio"
                    both = times["ours"], times[name]
                    found.append(Comparison(what, name, asked[name].threads, *both))
    return report(found, about, options.json)
