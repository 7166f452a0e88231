"""Seconds and memory of ``genrenet classify`` with each model, start-up included."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark_memory import peak
from benchmark_music import songs
from benchmarking import BenchmarkError, Limit, common_options, machine, report

MODELS = ("genres", "genres-fused", "genres-cnn", "audioset-genres", "emotify-cnn", "gtzan10-crnn")


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 3, "folder of music; synthesised songs of a minute without it")
    parser.add_argument(
        "--songs",
        type=int,
        default=100,
        help="how many; if there are fewer, each is taken several times (%(default)s)",
    )
    parser.add_argument(
        "--models",
        nargs="+",
        default=list(MODELS),
        metavar="CHECKPOINT",
        help="default: %(default)s; those that cannot be opened are left out",
    )


def run(options: argparse.Namespace) -> int:
    """Measure and report; there are no targets."""
    about = machine(("torch", "numpy", "av", "soundfile"))
    found = []
    with TemporaryDirectory() as name:
        temporary = Path(name)
        paths = songs(options.data, options.songs, temporary)
        folder = temporary / "music"
        folder.mkdir()
        for number in range(options.songs):
            path = Path(paths[number % len(paths)]).resolve()
            (folder / f"{number:04d}{path.suffix}").symlink_to(path)
        for model in options.models:
            found += _measured(model, folder, options)
    return report(found, about, options.json)


def _measured(model: str, folder: Path, options: argparse.Namespace) -> list[Limit]:
    command = [sys.executable, "-m", "genrenet", "classify", str(folder), "--checkpoint", model]
    command += ["--device", "cpu", "--format", "csv"]
    try:
        turns = [peak(command) for _ in range(options.turns)]
    except BenchmarkError as error:
        print(f"{model} is left out: {error}")
        return []
    memory, seconds = max(one for one, _ in turns), min(one for _, one in turns)
    what = f"genrenet classify of {options.songs} songs, {model}"
    return [Limit(what, seconds, "s", note=f"{memory / 1e9:.2f} GB of memory")]
