"""Speed and recall of the filter of ``kl-knn``, compared with comparing all songs.

A song lies between a real one of ``--data`` and one of its nearest (without it, random songs):
their Gaussians are mixed, and jittered by linear maps. Both methods get the same queries at once,
in batches; both use the same sample for the songs' mean distances to their own neighbours.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from benchmark_neighbours import random_songs
from benchmarking import Limit, machine, report
from genrenet_plugins.baselines.gaussian_filter import GaussianFilter
from genrenet_plugins.baselines.gaussians import (
    GaussianTable,
    join_rows,
    nearest,
    split_rows,
    symmetric_kl,
)
from genrenet_plugins.baselines.local_scaling import (
    filtered_nearest,
    filtered_reaches,
    nearest_by_scaled,
    reaches,
)
from numpy.typing import NDArray

Floats = NDArray[np.float64]
T = TypeVar("T")

ASKED, K, SCALED, CANDIDATES, BLOCK = 512, 10, 10, 100, 512
RECALL, TIMES = 0.95, 20.0
_AT_ONCE, _NEAR = 1 << 15, 20


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--songs", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--sample", type=int, default=2_000, help="default: %(default)s")
    parser.add_argument("--all", action="store_true", help="local scaling from all songs, too")
    parser.add_argument("--jitter", type=float, default=0.1, help="default: %(default)s")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="folder of music")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    about = machine(("numpy", "usearch"))
    rng = np.random.default_rng(0)
    real = random_songs(300) if options.data is None else _real(options.data)
    rows = jittered(real, options.songs + ASKED, options.jitter, rng)
    table = GaussianTable.of(rows[: options.songs])
    asked = GaussianTable.of(rows[options.songs :], like=table)
    del rows
    graph, made = _timed(lambda: GaussianFilter(table))
    graph.opened()
    sample = rng.permutation(options.songs)[: options.sample]
    reach, scaled_in = _timed(lambda: reaches(table, SCALED, BLOCK, sample))
    limits = [Limit("making the graph", made, "s"), Limit("reaches by a sample", scaled_in, "s")]

    def compare(
        what: str, exact: Callable[[], tuple[Floats, NDArray[np.intp]]], reach: Floats | None
    ) -> None:
        (_, wanted), all_songs = _timed(exact)
        (_, found), few = _timed(
            lambda: filtered_nearest(graph, asked, table, K, CANDIDATES, reach, SCALED)
        )
        times, missed = all_songs / few, _others(wanted, found)
        each = 1e3 / ASKED
        note = f"{all_songs * each:.3g} ms a question, filtered {few * each:.3g} ms: {times:.1f}x"
        limits.append(Limit(f"{what}: seconds by seconds of all", 1 / times, "", 1 / TIMES, note))
        limits.append(Limit(f"{what}: {K} nearest missed", missed, "", 1 - RECALL))

    compare("distances", lambda: nearest(asked, table, K), None)

    def by_sample() -> tuple[Floats, NDArray[np.intp]]:
        return nearest_by_scaled(asked, table, reach, K, SCALED, BLOCK)

    compare("scaled by a sample", by_sample, reach)
    if options.all:
        every, seconds = _timed(lambda: reaches(table, SCALED, BLOCK))
        limits.append(Limit("reaches by all songs", seconds, "s"))
        own, seconds = _timed(lambda: filtered_reaches(graph, table, SCALED))
        limits.append(Limit("reaches by the filter", seconds, "s"))

        def exact() -> tuple[Floats, NDArray[np.intp]]:
            return nearest_by_scaled(asked, table, every, K, SCALED, BLOCK)

        compare("scaled by the filter, against all", exact, own)
        sampled = _others(exact()[1], by_sample()[1])
        limits.append(Limit(f"{K} nearest other than those by all, by a sample", sampled, ""))
    return report(limits, about, options.json)


def _others(some: NDArray[np.intp], others: NDArray[np.intp]) -> float:
    """Return the share of the neighbours that differ from the others'."""
    return 1 - float(np.mean([len({*a} & {*b}) / K for a, b in zip(some, others, strict=True)]))


def jittered(
    real: Floats, count: int, jitter: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return Gaussians like some real ones, of shape (count, d + d * d)."""
    near = np.argsort(symmetric_kl(real), axis=1)[:, 1 : 1 + _NEAR]
    rows = np.empty((count, real.shape[1]), np.float32)
    for first in range(0, count, _AT_ONCE):
        some = rows[first : first + _AT_ONCE]
        one = rng.integers(0, len(real), len(some))
        share = rng.random((len(some), 1))
        other = near[one, rng.integers(0, near.shape[1], len(some))]
        means, covariances = split_rows(share * real[one] + (1 - share) * real[other])
        d = means.shape[1]
        roots = np.linalg.cholesky(covariances)
        means += jitter * (roots @ rng.standard_normal((len(some), d, 1)))[:, :, 0]
        roots += jitter / np.sqrt(d) * roots @ rng.standard_normal((len(some), d, d))
        some[:] = join_rows(means, roots @ roots.transpose(0, 2, 1))
    return rows


def _real(folder: Path) -> Floats:
    from genrenet import audio
    from genrenet.features import MFCC_GAUSSIAN, cached_features

    paths = sorted(str(path) for path in folder.rglob("*") if audio.is_audio_path(path))
    found = cached_features(paths, MFCC_GAUSSIAN)
    return np.array([song.vector for song in found if song.vector is not None])


def _timed(job: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    return job(), time.perf_counter() - start
