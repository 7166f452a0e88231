"""Networks on the log-mel of one frame, compared with plain eager PyTorch with the same weights."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from typing import Literal

import numpy as np
from benchmark_sides import Side, in_turn, sides
from benchmarking import BenchmarkError, Comparison, common_options, machine, report
from numpy.typing import NDArray

Precision = Literal["32", "bf16"]
TARGETS: dict[Precision, float] = {"32": 3.5, "bf16": 6.0}
COMPILED = " compiled"
TOLERANCE = 1e-4
RUNS = 5
Run = Callable[[], NDArray[np.float32]]


def ours(name: str, precision: Precision, compiled: bool) -> Run:
    """The network as inference uses it."""
    import torch
    from benchmark_references import model_named, music_logmel

    from genrenet.models.optimised import optimised
    from genrenet.utils.hardware import keep_freed_memory

    keep_freed_memory()
    model = model_named(name)
    logmel = music_logmel(model)
    network = optimised(model, precision, compiled=compiled).network

    def run() -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(network(logmel)[0])

    return run


def theirs(name: str) -> Run:
    """The network as it was published."""
    import torch
    from benchmark_references import PlainNetwork, model_named, music_logmel

    model = model_named(name)
    logmel, network = music_logmel(model), PlainNetwork(model.network)

    def run() -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(network(logmel)[0])

    return run


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 15, "")
    parser.add_argument("--no-compile", action="store_true", help="leave out compiled networks")
    parser.add_argument(
        "--networks",
        nargs="+",
        default=["random-cnn", "random-crnn"],
        metavar="CHECKPOINT",
        help="checkpoints, or random weights in the published sizes (%(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    from genrenet.utils.hardware import fast_half

    found, about = [], machine(("torch", "numpy"))
    variants: dict[str, Precision] = dict(zip(TARGETS, TARGETS, strict=True))
    if not options.no_compile and (shutil.which("g++") or shutil.which("clang++")):
        variants |= {precision + COMPILED: precision for precision in TARGETS}
    for name in options.networks:
        started = {
            variant: Side(ours, name, precision, COMPILED in variant)
            for variant, precision in variants.items()
        }
        with sides({"theirs": Side(theirs, name), **started}) as asked:
            wanted = asked["theirs"].answer()
            differences = {v: float(np.abs(asked[v].answer() - wanted).max()) for v in variants}
            if not differences["32"] <= TOLERANCE * max(1.0, float(np.abs(wanted).max())):
                raise BenchmarkError(f"{name}: logits differ by {differences['32']:.2g}")
            times = in_turn(asked, options.turns, RUNS)
            for variant, precision in variants.items():
                # Without hardware support for bfloat16, `auto` never uses it.
                judged = precision == "32" or fast_half("cpu")
                found.append(
                    Comparison(
                        f"{name}, a frame, {variant}",
                        "eager float32",
                        asked["theirs"].threads,
                        times[variant],
                        times["theirs"],
                        TARGETS[precision] if judged else None,
                        f"logits to {differences[variant]:.0e}",
                    )
                )
    return report(found, about, options.json)
