"""Find a short path through songs, so that each is similar to the next.

The path starts as that of the nearest neighbour and is improved by 2-opt (G. A. Croes, 1958) and
Or-opt (I. Or, 1976) on the cosine distance until neither finds an improvement; its ends are free.
More songs than `BLOCK` are first bisected along their principal direction (D. Boley, "Principal
direction divisive partitioning", 1998), and each block's path begins near the end of the previous
one: time then grows linearly with the number of songs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Order = NDArray[np.int64]

BLOCK = 2000
"""Maximum number of songs whose distances are in memory at once (a matrix of 16 MB)."""

_GAIN = np.float32(1e-5)
_HELD = np.float32(-10)


def path_length(vectors: Floats) -> float:
    """Return the sum of the cosine distances from each song to the next, each from 0 to 2.

    Parameters
    ----------
    vectors : ndarray of float32, shape (songs, features)
        Unit vectors in the path's order.
    """
    return float(np.sum(1 - np.einsum("ij,ij->i", vectors[:-1], vectors[1:]), dtype=np.float64))


def short_path(vectors: Floats, start: int | None = None) -> Order:
    """Return an order of songs in which each is similar to the next.

    Parameters
    ----------
    vectors : ndarray of float32, shape (songs, features)
        Unit vectors; see `genrenet.library.similarity.SongSpace`.
    start : int, optional
        The first song; by default the better one of both ends of the path.

    Returns
    -------
    ndarray of int64, shape (songs,)
    """
    blocks = _blocks(vectors, np.arange(len(vectors)))
    if start is not None:
        first = next(at for at, block in enumerate(blocks) if start in block)
        blocks = [*blocks[first:], *blocks[:first][::-1]]
    path = np.zeros(0, np.int64)
    for block in blocks:
        held = vectors[block]
        begin: int | None = None
        if len(path):
            begin = int(np.argmax(held @ vectors[path[-1]]))
        elif start is not None:
            begin = int(np.flatnonzero(block == start)[0])
        path = np.concatenate([path, block[_path(held, begin)]])
    return path


def _blocks(vectors: Floats, rows: Order) -> list[Order]:
    """Return rows in parts of at most `BLOCK`, neighbours next to each other."""
    if len(rows) <= BLOCK:
        return [rows] if len(rows) else []
    centred = vectors[rows] - vectors[rows].mean(0)
    direction = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = rows[np.argsort(centred @ direction, kind="stable")]
    half = len(order) // 2
    return [part for rest in (order[:half], order[half:]) for part in _blocks(vectors, rest)]


def _path(vectors: Floats, start: int | None) -> Order:
    """Return a short path through one block.

    An additional point, equally near to all songs, closes the path to a tour: the path begins and
    ends there. With a given start it is kept at that end.
    """
    n = len(vectors)
    distance = np.zeros((n + 1, n + 1), np.float32)
    distance[:n, :n] = 1 - vectors @ vectors.T
    if start is not None:
        distance[n, start] = distance[start, n] = _HELD
    tour = np.append(n, _nearest_neighbours(distance[:n, :n], start or 0))
    shorter = n > 2
    while shorter:
        tour, shorter = _two_opt(tour, distance)
        tour = np.roll(tour, -int(np.flatnonzero(tour == n)[0]))
        tour, moved = _or_opt(tour, distance)
        shorter |= moved
    path = tour[1:]
    backwards = path[-1] == start if start is not None else path[-1] < path[0]
    return path[::-1] if backwards and n > 1 else path


def _nearest_neighbours(distance: Floats, start: int) -> Order:
    order = np.empty(len(distance), np.int64)
    order[0] = start
    free = np.ones(len(distance), bool)
    for at in range(1, len(order)):
        free[order[at - 1]] = False
        order[at] = np.where(free, distance[order[at - 1]], np.inf).argmin()
    return order


def _two_opt(tour: Order, distance: Floats) -> tuple[Order, bool]:
    """Reverse parts of a tour if that makes it shorter; one pass (2-opt)."""
    tour, found = tour.copy(), False
    after = np.roll(tour, -1)
    steps = distance[tour, after]
    for i in range(len(tour) - 2):
        while True:
            old = steps[i] + steps[i + 2 :]
            gain = old - distance[tour[i]][tour[i + 2 :]] - distance[after[i]][after[i + 2 :]]
            best = int(gain.argmax())
            if gain[best] <= _GAIN:
                break
            j = i + 2 + best
            tour[i + 1 : j + 1] = tour[i + 1 : j + 1][::-1].copy()
            after[i:j] = tour[i + 1 : j + 1]
            steps[i : j + 1] = distance[tour[i : j + 1], after[i : j + 1]]
            found = True
    return tour, found


def _or_opt(tour: Order, distance: Floats) -> tuple[Order, bool]:
    """Move one, two or three songs to positions that make a tour shorter; one pass (Or-opt)."""
    found = False
    for length in (1, 2, 3):
        after = np.roll(tour, -1)
        steps = distance[tour, after]
        for i in range(1, len(tour) - length + 1):
            end = i + length - 1
            first, last = tour[i], tour[end]
            saved = steps[i - 1] + steps[end] - distance[tour[i - 1], after[end]]
            if saved <= _GAIN:
                continue
            to_first, to_last = distance[first], distance[last]
            forth = to_first[tour] + to_last[after] - steps
            back = to_last[tour] + to_first[after] - steps
            cost = np.minimum(forth, back)
            cost[i - 1 : end + 1] = np.inf
            j = int(cost.argmin())
            if saved - cost[j] <= _GAIN:
                continue
            part = tour[i : end + 1] if forth[j] <= back[j] else tour[i : end + 1][::-1]
            if j < i:
                moved = [tour[: j + 1], part, tour[j + 1 : i], tour[end + 1 :]]
            else:
                moved = [tour[:i], tour[end + 1 : j + 1], part, tour[j + 1 :]]
            tour = np.concatenate(moved)
            after = np.roll(tour, -1)
            steps = distance[tour, after]
            found = True
    return tour, found
