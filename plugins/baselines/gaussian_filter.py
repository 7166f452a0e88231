"""A filter for large collections: propose candidate neighbours before computing distances.

A Gaussian of d dimensions with mean m and covariance S becomes the symmetric positive definite
matrix ::

    [S + m m^T   m]
    [m^T         1]

of d + 1 dimensions, where a distance of such matrices that is invariant to linear maps is one of
Gaussians (Calvo and Oller). The Euclidean distance of their logarithms is close to it, and so to
the symmetrised Kullback-Leibler distance, the more so the nearer two songs are to each other and to
the centre of the whitened `GaussianTable`. A graph index of these vectors (HNSW) proposes
candidates; only their distances are computed and decide.

This is filter-and-refine as in Schnitzer et al., with another filter than their FastMap, whose
vectors are computed from distances to pivots. For 30,000 Gaussians of real songs with jitter, the
share of the ten nearest that were among the nearest 20 (50, 100) vectors was: this filter 1.00
(1.00, 1.00), means and logarithms of the covariances 0.97 (1.00, 1.00), classical scaling of the
distances' roots to 1,000 landmarks 0.94 (1.00, 1.00), FastMap of 40 pivots 0.80 (0.95, 0.99) on the
roots of the distances and 0.55 (0.74, 0.84) on the distances.

For 300,000 of them, with 512 queries at once on two cores, 0.999 of the ten nearest were found at
37 times the speed of comparing all, and 0.996 at 82 times the speed with local scaling from a
sample of 2,000 songs; building the graph took 114 s. `scripts/benchmark.py kl-filter` measures it
again, with 100,000 songs unless `--songs` is given.

Sources
-------
D. Schnitzer, A. Flexer, G. Widmer, "A filter-and-refine indexing method for fast similarity search
in millions of music tracks", ISMIR 2009. M. Calvo, J. M. Oller, "A distance between multivariate
normal distributions based in an embedding into the Siegel group", Journal of Multivariate Analysis
35, 1990. V. Arsigny et al., "Log-Euclidean metrics for fast and simple calculus on diffusion
tensors", Magnetic Resonance in Medicine 56, 2006. Y. Malkov, D. Yashunin, "Efficient and robust
approximate nearest neighbor search using hierarchical navigable small world graphs", IEEE
Transactions on Pattern Analysis and Machine Intelligence 42, 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.utils.extras import needed_by
from genrenet.utils.hardware import cores

from ..shared import Floats, Integers
from .gaussian_table import BLOCK, GaussianTable, blocks, distances_of_pairs

LINKS, EFFORT = 16, 96
"""Links of a song in the graph, and number of candidates when it is inserted."""


class GaussianFilter:
    """A graph index of the songs of a table.

    It is built in parallel, so two graphs of the same songs may differ slightly in their recall.

    Parameters
    ----------
    songs : GaussianTable

    Attributes
    ----------
    graph : ndarray of uint8
        In usearch's format, in half precision.
    """

    def __init__(self, songs: GaussianTable) -> None:
        with needed_by("a filter of songs"):
            from usearch.index import Index

        size = len(songs.offset) + 1
        index = Index(
            ndim=size * (size + 1) // 2,
            metric="l2sq",
            dtype="f16",
            connectivity=LINKS,
            expansion_add=EFFORT,
        )
        for rows, vectors in _embedded(songs):
            index.add(np.arange(rows.start, rows.stop), vectors, threads=cores())
        self.graph = np.frombuffer(index.save() or b"", np.uint8)

    def __getstate__(self) -> dict[str, Any]:
        return {"graph": self.graph}

    def proposals(self, queries: GaussianTable, count: int) -> Iterator[tuple[slice, Integers]]:
        """Yield for each block of queries rows of ``count`` candidate songs, in no order.

        Parameters
        ----------
        queries : GaussianTable
            Transformed like the filter's.
        count : int > 0
            At most the number of songs. If the graph reaches fewer, the first one is repeated.
        """
        index = self.opened()
        index.expansion_search = max(count, 64)
        for rows, vectors in _embedded(queries):
            # For one query usearch returns another type of matches.
            asked = np.repeat(vectors, 2, axis=0) if len(vectors) == 1 else vectors
            found = index.search(asked, count, threads=cores())
            keys = found.keys[: len(vectors)].astype(np.intp)
            counts = found.counts[: len(vectors), None]
            yield rows, np.where(np.arange(count) < counts, keys, keys[:, :1])

    def opened(self) -> Any:
        """Return the index, opened once."""
        if "_opened" not in self.__dict__:
            from usearch.index import Index

            self._opened = Index.restore(self.graph.tobytes())
        return self._opened


def refined(
    graph: GaussianFilter, queries: GaussianTable, songs: GaussianTable, count: int
) -> Iterator[tuple[slice, Floats, Integers]]:
    """Yield for each block of queries the distances to the filter's candidates, and their rows.

    Both of shape (queries, count); the distance of a repeated candidate is infinite.
    """
    for rows, few in graph.proposals(queries, count):
        few = np.sort(few, axis=1)
        pairs = np.repeat(np.arange(rows.start, rows.stop), few.shape[1])
        distances = distances_of_pairs(queries, pairs, songs, few.ravel()).reshape(few.shape)
        distances[:, 1:][few[:, 1:] == few[:, :-1]] = np.inf
        yield rows, distances, few


def embedded(songs: GaussianTable) -> NDArray[np.float32]:
    """Return vectors of shape (songs, (d + 1) (d + 2) / 2), close together for similar songs.

    The squared Euclidean distance of two is about twice their songs' distance.
    """
    return np.concatenate([vectors for _, vectors in _embedded(songs)])


def _embedded(songs: GaussianTable) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    d = len(songs.offset)
    rows, columns = (np.arange(d), np.arange(d)) if songs.diagonal else np.triu_indices(d)
    shrink = np.where(rows == columns, 1.0, np.sqrt(0.5))
    upper = np.triu_indices(d + 1)
    stretch = np.where(upper[0] == upper[1], 1.0, np.sqrt(2.0))
    for part in blocks(len(songs), BLOCK):
        means, _, covariances, _, _ = songs.parts(part)
        joint = np.zeros((len(means), d + 1, d + 1))
        joint[:, rows, columns] = joint[:, columns, rows] = covariances * shrink
        joint[:, :d, :d] += means[:, :, None] * means[:, None, :]
        joint[:, :d, d] = joint[:, d, :d] = means
        joint[:, d, d] = 1.0
        values, axes = np.linalg.eigh(joint)
        logs = np.log(np.maximum(values, np.finfo(np.float64).tiny))
        flat = ((axes * logs[:, None, :]) @ axes.transpose(0, 2, 1))[:, upper[0], upper[1]]
        yield part, np.ascontiguousarray(flat * stretch, np.float32)
