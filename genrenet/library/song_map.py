"""A map of a library: songs as points in a plane, similar songs close to each other.

Some thousand songs are laid out by t-SNE (van der Maaten and Hinton, 2008) on their principal
components; any other song is placed among its five nearest of them. So the time grows linearly with
the number of songs. Maps are cached.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from genrenet.library.similarity import Floats, top
from genrenet.utils.cache import DAMAGE, CacheError, cache_folder, read_arrays, write_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "maps"
LANDMARKS = 4000
"""Number of songs that t-SNE lays out."""

COMPONENTS, NEAREST, PERPLEXITY = 50, 5, 30
_SHARPNESS = 20.0
_AT_ONCE = 1 << 24  # cosines
_HELD = 4 * LANDMARKS


def song_map(vectors: Floats, *, landmarks: int = LANDMARKS, seed: int = 0) -> Floats:
    """Return a position on a map for every song.

    Parameters
    ----------
    vectors : ndarray of float32, shape (songs, features)
        Unit vectors; see `genrenet.library.similarity.SongSpace`.
    landmarks : int > 0
        See `LANDMARKS`.
    seed : int
        Seed of the layout.

    Returns
    -------
    ndarray of float32, shape (songs, 2)
        From -1 to 1, around 0.
    """
    name = hashlib.sha256(f"1 {landmarks} {seed} {vectors.shape}".encode())
    name.update(np.ascontiguousarray(vectors).data)
    with suppress(CacheError, *DAMAGE):
        return read_arrays(cache_folder(KIND) / f"{name.hexdigest()[:32]}.npz")["places"]
    places = _places(vectors, landmarks, np.random.default_rng(seed))
    with suppress(CacheError):  # it can be computed again
        write_arrays(cache_folder(KIND) / f"{name.hexdigest()[:32]}.npz", places=places)
    return places


def _places(vectors: Floats, landmarks: int, rng: np.random.Generator) -> Floats:
    if len(vectors) <= landmarks:
        return _scaled(_laid_out(vectors, rng))
    chosen = np.sort(rng.choice(len(vectors), landmarks, replace=False))
    held = vectors[chosen]
    laid = _scaled(_laid_out(held, rng))
    places = _among(vectors, held, laid)
    # Songs with the same five landmarks would have the same position.
    spread = np.float32(_spacing(laid) / 2)
    places += spread * rng.standard_normal(places.shape, np.float32)
    places[chosen] = laid
    return _scaled(places)


def with_places(places: Floats, vectors: Floats) -> Floats:
    """Return a map on which new songs are placed among their nearest neighbours.

    Parameters
    ----------
    places : ndarray of float32, shape (songs, 2)
        Positions to keep; NaN for new songs.
    vectors : ndarray of float32, shape (songs, features)

    Returns
    -------
    ndarray of float32, shape (songs, 2)
    """
    new = np.isnan(places[:, 0])
    known = np.flatnonzero(~new)
    held = known[:: max(1, len(known) // _HELD)]
    found: Floats = places.copy()
    if new.any():
        found[new] = _among(vectors[new], vectors[held], places[held])
    return found


def _among(vectors: Floats, held: Floats, laid: Floats) -> Floats:
    """Return positions of songs between their nearest ones among ``held``, laid out as ``laid``."""
    places = np.empty((len(vectors), 2), np.float32)
    at_once = max(1, _AT_ONCE // len(held))
    for first in range(0, len(vectors), at_once):
        cosines = vectors[first : first + at_once] @ held.T
        near = top(cosines, min(NEAREST, len(held)))
        found = np.take_along_axis(cosines, near, 1)
        weights = np.exp(_SHARPNESS * (found - found[:, :1]))
        weights /= weights.sum(axis=1, keepdims=True)
        places[first : first + at_once] = (weights[:, :, None] * laid[near]).sum(axis=1)
    return places


def _laid_out(vectors: Floats, rng: np.random.Generator) -> Floats:
    """Return positions of a few thousand songs at most."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    state = int(rng.integers(2**31))
    components = min(COMPONENTS, *vectors.shape)
    if len(vectors) < 4 or components < 2:
        flat = np.zeros((len(vectors), 2), np.float32)
        flat[:, 0] = np.linspace(-1, 1, len(vectors)) if len(vectors) > 1 else 0
        return flat
    if not np.ptp(vectors, axis=0).any():  # all songs are one
        return np.zeros((len(vectors), 2), np.float32)
    reduced = PCA(components, random_state=state).fit_transform(vectors)
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=state)
    # Its threads busy-wait for each other: next to other work, several are far slower than one.
    with threadpool_limits(1, "openmp"):
        found: Floats = tsne.fit_transform(reduced).astype(np.float32)
    return found


def _scaled(places: Floats) -> Floats:
    """Return positions centred at 0 whose largest coordinate is 1 in absolute value."""
    if not len(places):
        return places
    moved = places - (places.max(axis=0) + places.min(axis=0)) / 2
    reach = np.abs(moved).max()
    scaled: Floats = moved / reach if reach > 0 else moved
    return scaled


def _spacing(places: Floats) -> float:
    """Return the median distance from a position to the nearest other one."""
    from scipy.spatial import cKDTree

    distances: NDArray[np.float64] = cKDTree(places).query(places, 2)[0][:, 1]
    return float(np.median(distances))
