"""Speed and recall of similarity search in a large library, compared with comparing all songs.

The songs lie between real frames if ``--embeddings`` is a file of ``genrenet embed`` that has them
(each between one and a near one of it, with noise), else between random centres.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from benchmarking import Limit, machine, report
from numpy.typing import NDArray

from genrenet.library.similarity import SongSpace
from genrenet.library.song_index import SongIndex

Floats = NDArray[np.float32]

ASKED, K = 300, 10
RECALL, MILLISECONDS = 0.95, 50.0
_AT_ONCE = 1 << 16


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--songs", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--embeddings", type=Path, metavar="FILE", help=".npz, frame by frame")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    about = machine(("numpy", "usearch"))
    rng = np.random.default_rng(0)
    rows = _songs(options.embeddings, options.songs + ASKED, rng)
    space = SongSpace(rows[: options.songs], "embeddings")
    asked = space.place(rows[options.songs :])
    del rows
    index = SongIndex(space, exact=0)
    wanted, exact = _asked(index, asked)
    with TemporaryDirectory() as folder:
        os.environ["GENRENET_CACHE"] = folder
        start = time.perf_counter()
        index.build()
        built = time.perf_counter() - start
        again = SongIndex(space, exact=0)
        start = time.perf_counter()
        again.build()
        opened = time.perf_counter() - start
        found, seconds = _asked(index, asked)
    recall = float(np.mean([len({*a} & {*b}) / K for a, b in zip(found, wanted, strict=True)]))
    limits = [
        Limit("a question of all songs", 1e3 * exact, "ms"),
        Limit("a question of the index", 1e3 * seconds, "ms", MILLISECONDS),
        Limit(f"share of the {K} nearest that is missed", 1 - recall, "", 1 - RECALL),
        Limit("making the index", built, "s"),
        Limit("opening it again", opened, "s"),
    ]
    return report(limits, about, options.json)


def _asked(index: SongIndex, asked: Floats) -> tuple[NDArray[np.int64], float]:
    """Return the nearest songs of each query, one by one, and the mean seconds per query."""
    start = time.perf_counter()
    found = [index.nearest(one[None], K)[0][0] for one in asked]
    return np.array(found), (time.perf_counter() - start) / len(asked)


def _songs(file: Path | None, count: int, rng: np.random.Generator) -> Floats:
    if file is None:
        centres = rng.standard_normal((max(20, count // 150), 200), np.float32)
        near = rng.integers(0, len(centres), (len(centres), 20))
    else:
        from sklearn.neighbors import NearestNeighbors

        with np.load(file, allow_pickle=False) as held:
            centres = held["embeddings"].astype(np.float32)
        spread = centres.std(axis=0)
        centres = centres / np.where(spread > 0, spread, 1)
        near = NearestNeighbors(n_neighbors=20).fit(centres).kneighbors(return_distance=False)
    rows = np.empty((count, centres.shape[1]), np.float32)
    for first in range(0, count, _AT_ONCE):
        some = rows[first : first + _AT_ONCE]
        one = rng.integers(0, len(centres), len(some))
        other = near[one, rng.integers(0, near.shape[1], len(some))]
        share = rng.random((len(some), 1), np.float32)
        apart = np.abs(centres[one] - centres[other])
        noise = rng.standard_normal(some.shape, np.float32)
        some[:] = share * centres[one] + (1 - share) * centres[other] + 0.2 * apart * noise
    return rows
