"""Classification of files, compared with librosa and plain eager PyTorch, song by song.

The frames and the weights are the same; both sides decode. Models are opened beforehand.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark_music import is_mp3, songs
from benchmark_scoring import Precision, ours, theirs
from benchmark_sides import Side, in_turn, sides
from benchmarking import Comparison, common_options, machine, report

TARGETS = {"CNN": 4.0, "CRNN": 5.0}
PRECISIONS: tuple[Precision, ...] = ("32", "auto")


def networks(names: Sequence[str]) -> dict[str, str]:
    """Type of network of each checkpoint; random weights if one cannot be opened."""
    from benchmark_references import model_named

    from genrenet.utils.errors import GenrenetError

    found = {}
    for name in names:
        try:
            kind = type(model_named(name).network).__name__
        except GenrenetError as error:
            name, kind = "random-crnn", "CRNN"
            print(f"random weights in the place of a checkpoint: {error}")
        found[name] = kind
    return found


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 5, "folder of music; synthesised songs without it")
    parser.add_argument("--songs", type=int, default=40, help="MP3s before all (%(default)s)")
    parser.add_argument(
        "--networks",
        nargs="+",
        default=["emotify-cnn", "random-cnn", "gtzan10-crnn"],
        metavar="CHECKPOINT",
        help="checkpoints, or random weights in the published sizes: random-cnn, random-crnn "
        "(%(default)s; random weights where a checkpoint cannot be opened)",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="draw cost against songs, seconds and cores"
    )


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    packages = ("torch", "numpy", "librosa", "soundfile", "av", "soxr")
    found, about, plot = [], machine(packages), {}
    with TemporaryDirectory() as temporary:
        paths = songs(options.data, options.songs, Path(temporary))
        about |= {"songs": len(paths), "MP3s": sum(map(is_mp3, paths))}
        kinds = networks(options.networks)
        for name, kind in kinds.items():
            found += compare(name, kind, paths, options.turns)
        if options.plot is not None:
            from benchmark_plot import draw

            plot = draw(list(kinds)[-1], paths, options.plot, Path(temporary))
    return report(found, about, options.json, plot=plot)


def compare(name: str, kind: str, paths: Sequence[str], turns: int) -> list[Comparison]:
    """Both sides with one checkpoint, ours in both precisions."""
    started: dict[str, Side] = {
        precision: Side(ours, name, precision, paths) for precision in PRECISIONS
    }
    with sides({"theirs": Side(theirs, name, paths), **started}) as asked:
        times = in_turn(asked, turns)
        wanted = asked["theirs"].answer()["genres"]
        found = []
        for precision in PRECISIONS:
            answer = asked[precision].answer()
            same = sum(a == b for a, b in zip(answer["genres"], wanted, strict=True))
            note = f"{same} of {len(paths)} genres the same"
            if answer["twice"]:
                note += f", {answer['twice']} of {answer['frames']} frames computed twice"
            found.append(
                Comparison(
                    f"{name}, {len(paths)} songs, {precision}",
                    "librosa + eager",
                    asked["theirs"].threads,
                    times[precision],
                    times["theirs"],
                    TARGETS.get(kind),
                    note,
                )
            )
    return found
