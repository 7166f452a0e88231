"""Training data from the prepared store, compared with decoding in every epoch.

An epoch is one random frame of every training song, batched by the loader but not used: the
network's work is the same on both sides. Files and store are in the system's cache.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from benchmark_music import songs
from benchmark_opening import LENGTH, first_batch, large_collection, large_store
from benchmark_sides import Side, in_turn, sides
from benchmarking import Comparison, Limit, common_options, machine, report

if TYPE_CHECKING:
    from genrenet.data.datamodule import GenreDataModule

TARGET = 5.0
LIMIT = 5.0
"""Seconds from opening a store to the first batch."""

Workers = int | Literal["auto"]


def data_module(source: Path, store: Path | None, workers: Workers = 0) -> GenreDataModule:
    """Frames of a collection, from its store or from its files."""
    from genrenet.data.datamodule import GenreDataModule

    folder = None if store is None else str(store)
    return GenreDataModule(str(source), store=folder, num_workers=workers, trim=0.0)


def epochs(source: Path, store: Path | None, workers: Workers) -> Callable[[], int]:
    """Run one epoch after the other; return the number of songs of each."""
    from genrenet.data.datasets import FrameSampler
    from genrenet.utils.hardware import keep_freed_memory

    if store is not None:  # as in `genrenet fit`
        keep_freed_memory()
    data = data_module(source, store, workers)
    data.prepare_data()
    data.setup("fit")
    loader, epoch = data.train_dataloader(), 0

    def run() -> int:
        nonlocal epoch
        assert isinstance(loader.sampler, FrameSampler)
        # Other spans of the files are decoded in every epoch.
        loader.sampler.set_epoch(epoch)
        epoch += 1
        return sum(len(batch["song"]) for batch in loader)

    return run


def opening(source: Path, store: Path) -> Callable[[], dict[str, float]]:
    """All steps from the imports to the first batch; returns seconds of each."""
    import genrenet.data.datamodule  # noqa: F401

    return lambda: first_batch(data_module(source, store))


def large_opening(songs: int, store: Path) -> Callable[[], dict[str, float]]:
    """Like `opening`, with a catalog of many songs that has been read."""
    collection = large_collection(songs, store)

    def run() -> dict[str, float]:
        data = data_module(store, store)
        data.catalog = collection
        return first_batch(data)

    return run


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 3, "collection of music; synthesised songs without it")
    parser.add_argument(
        "--large",
        type=int,
        default=1_000_000,
        metavar="SONGS",
        help="size of the large store (%(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    found: list[Comparison | Limit] = []
    about = machine(("torch", "pytorch-lightning", "pandas", "pyarrow", "soundfile", "av"))
    with TemporaryDirectory() as temporary:
        store = Path(temporary, "store")
        source = options.data or _synthesised(Path(temporary, "songs"))
        for workers in (0, "auto"):
            started = {
                "ours": Side(epochs, source, store, workers),
                "theirs": Side(epochs, source, None, workers),
            }
            with sides(started) as asked:
                n_songs = asked["ours"].answer()
                times = in_turn(asked, options.turns)
            ours, theirs = times["ours"], times["theirs"]
            both = f"{n_songs / median(ours):.0f} and {n_songs / median(theirs):.0f} songs a second"
            what = f"an epoch of {n_songs} songs, num_workers={workers}"
            found.append(Comparison(what, "decoding", 1, ours, theirs, TARGET, both))
        found += _opened("the store of these songs", Side(opening, source, store), options.turns)
        many = Path(temporary, "many")
        large_store(many, options.large)
        what = f"a store of {options.large:,} songs of {LENGTH} samples"
        found += _opened(what, Side(large_opening, options.large, many), 1)
    return report(found, about, options.json)


def _opened(what: str, side: Side, turns: int) -> list[Limit]:
    """The steps to the first batch; the target is for those from opening the store on."""
    with sides({"ours": side}):
        answers = [side.answer() for _ in range(turns + 1)][1:]
    steps = {step: median(answer[step] for answer in answers) for step in answers[0]}
    judged = [step for step in steps if step in ("open", "datasets", "batch")]
    everything = sum(steps.values())
    parts = ", ".join(f"{step} {steps[step]:.2f}" for step in judged)
    total = sum(steps[step] for step in judged)
    found = [Limit(f"first batch from {what}", total, "s", LIMIT, f"of which {parts}")]
    before = [step for step in steps if step not in judged]
    parts = ", ".join(f"{step} {steps[step]:.2f}" for step in before)
    return [*found, Limit("with what training does before that", everything, "s", note=parts)]


def _synthesised(folder: Path) -> Path:
    for genre in ("one", "other"):
        (folder / genre).mkdir(parents=True)
        songs(None, 20, folder / genre)
    return folder
