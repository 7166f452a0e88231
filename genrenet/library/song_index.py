"""Fast nearest-neighbour search in a large library: an approximate index, cached on disk.

Up to `EXACT` songs are all compared. For more there is a graph index (HNSW; Malkov and Yashunin,
2018), built by usearch in half precision; its candidates are compared exactly. For a million songs
made of real embeddings with jitter (200 numbers each) a query for the ten nearest took 0.24 ms,
with none of them missed in 300 queries; comparing all took 159 ms. Building the index took 450 s on
two busy cores, reading it again 0.8 s.
`scripts/benchmark.py near-songs` measures it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genrenet.library.similarity import Floats, SongSpace
from genrenet.utils.atomic import replacing
from genrenet.utils.cache import cache_folder, changed, unwritable
from genrenet.utils.extras import needed_by
from genrenet.utils.hardware import cores

EXACT = 50_000
"""Maximum number of songs for exact search: a few milliseconds per query."""

KIND, KEPT = "near-songs", 4
"""Folder of the cache, and the number of indexes kept there."""

_LINKS, _EFFORT, _SEARCH = 16, 128, 128
_AT_ONCE = 1 << 16


class SongIndex:
    """The songs of a space, searched by similarity.

    Results are exact until `build` has built the index, and for small libraries.

    Parameters
    ----------
    space : SongSpace
    exact : int >= 0
        Maximum number of songs without an index.

    Examples
    --------
    >>> index = SongIndex(SongSpace([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]], "scores"))
    >>> index.build()
    >>> index.nearest(index.space.vectors[:1], 2)[0].tolist()
    [[0, 1]]
    """

    def __init__(self, space: SongSpace, exact: int = EXACT) -> None:
        self.space = space
        self._exact = exact
        self._index: Any = None

    def __len__(self) -> int:
        return len(self.space)

    @property
    def approximate(self) -> bool:
        """Whether results come from the index."""
        return self._index is not None

    def build(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Build the index, or read it from the cache; a million songs take some minutes.

        Parameters
        ----------
        progress : callable, optional
            Called with (songs in the index, total number of songs).

        Raises
        ------
        CacheError
            It was built, but could not be stored.
        """
        if len(self.space) <= self._exact:
            return
        with needed_by(f"an index of {len(self.space)} songs"):
            from usearch.index import Index

        vectors = self.space.vectors
        file = cache_folder(KIND) / f"{_name(vectors)}.usearch"
        with suppress(Exception):  # a damaged file is rebuilt
            found = Index.restore(file, view=True) if file.is_file() else None
            if found is not None and len(found) == len(vectors):
                file.touch()
                self._index = found
                return
        # Of unit vectors the inner product is the cosine, and zeros have one too.
        index = Index(
            ndim=vectors.shape[1],
            metric="ip",
            dtype="f16",
            connectivity=_LINKS,
            expansion_add=_EFFORT,
            expansion_search=_SEARCH,
        )
        for first in range(0, len(vectors), _AT_ONCE):
            some = vectors[first : first + _AT_ONCE]
            index.add(np.arange(first, first + len(some)), some, threads=cores())
            if progress is not None:
                progress(first + len(some), len(vectors))
        self._index = index
        _keep(index, file)

    def nearest(self, vectors: ArrayLike, k: int) -> tuple[NDArray[np.int64], Floats]:
        """Return songs nearest to some unit vectors; see `SongSpace.nearest`."""
        index, k = self._index, min(k, len(self))
        if index is None or k == 0:
            return self.space.nearest(vectors, k)
        asked = np.asarray(vectors, np.float32)
        songs = np.empty((len(asked), k), np.int64)
        cosines = np.empty((len(asked), k), np.float32)
        for row, vector in enumerate(asked):
            # Half precision ties near songs: more than requested are found, then compared.
            found = np.asarray(index.search(vector, min(2 * k, len(self))).keys, np.int64)
            if len(found) < k:  # a graph may have unreachable parts
                songs[row], cosines[row] = (part[0] for part in self.space.nearest([vector], k))
                continue
            exact = self.space.vectors[found] @ vector
            order = np.lexsort((found, -exact))[:k]
            songs[row], cosines[row] = found[order], exact[order]
        return songs, cosines


def _name(vectors: Floats) -> str:
    """Return the cache name of an index of vectors."""
    import usearch

    made = f"{usearch.__version__} {_LINKS} {_EFFORT} {vectors.shape}"
    found = hashlib.sha256(made.encode())
    found.update(np.ascontiguousarray(vectors).data)
    return found.hexdigest()[:32]


def _keep(index: Any, file: Path) -> None:
    try:
        with replacing(file, sync=False) as part:
            index.save(part)
        for old in sorted(file.parent.glob("*.usearch"), key=changed)[:-KEPT]:
            old.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:
        raise unwritable(file.parent, OSError(str(error))) from error
