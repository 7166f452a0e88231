"""Paths through a library by sound: from one song to another, or towards some and away from others.

A path's songs are nearest to points in equal steps along the arc between the two ends' vectors
(spherical interpolation; K. Shoemake, 1985). Wanted and unwanted songs are combined as by J. J.
Rocchio (1971) for texts: the mean of the one minus half the mean of the other.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from genrenet.library.similarity import Floats
from genrenet.library.song_index import SongIndex

UNWANTED = 0.5
"""Weight of unwanted songs relative to wanted ones."""

_LOOK = 32


def songs_between(
    index: SongIndex,
    first: int,
    last: int,
    count: int,
    artists: Sequence[Hashable] | None = None,
) -> list[int]:
    """Return a path from one song to another.

    Parameters
    ----------
    index : SongIndex
    first, last : int
        The two ends, rows of the index.
    count : int >= 2
        Number of songs of the path with both ends; fewer if the library is too small.
    artists : sequence, optional
        Of every song; falsy if unknown. No artist occurs twice in a row, if the songs near the path
        allow it.

    Returns
    -------
    list of int
        Rows, none twice.

    Examples
    --------
    >>> from genrenet.library.similarity import SongSpace
    >>> scores = [[1, 0], [0.75, 0.25], [0.5, 0.5], [0.2, 0.8], [0, 1]]
    >>> songs_between(SongIndex(SongSpace(scores, "scores")), 0, 4, 4)
    [0, 1, 3, 4]
    """
    vectors = index.space.vectors
    steps = _arc(vectors[first], vectors[last], max(0, count - 2))
    path, used = [first], {first, last}
    for step in steps:
        near = index.nearest(step[None], count + _LOOK)[0][0].tolist()
        free = [song for song in near if song not in used]
        if not free:
            continue
        before = artists[path[-1]] if artists is not None else None
        other = [song for song in free if artists is None or artists[song] != before or not before]
        path.append((other or free)[0])
        used.add(path[-1])
    return [*path, last] if last != first else path


def _arc(first: Floats, last: Floats, count: int) -> Floats:
    """Return points in equal steps between two unit vectors, of shape (count, features)."""
    angle = float(np.arccos(np.clip(first @ last, -1, 1)))
    shares = np.linspace(0, 1, count + 2, dtype=np.float32)[1:-1, None]
    if np.sin(angle) < 1e-4:  # the same direction, or the opposite one
        weights = 1 - shares, shares
    else:
        weights = np.sin((1 - shares) * angle), np.sin(shares * angle)
    found = weights[0] * first + weights[1] * last
    points: Floats = found / np.linalg.norm(found, axis=1, keepdims=True).clip(1e-6)
    return points


def towards(
    vectors: Floats, wanted: Sequence[int], unwanted: Sequence[int] = ()
) -> NDArray[np.float32]:
    """Return the unit vector that is similar to some songs and dissimilar to others.

    Parameters
    ----------
    vectors : ndarray of float32, shape (songs, features)
        Unit vectors.
    wanted, unwanted : sequence of int
        Rows; at least one in ``wanted``.

    Returns
    -------
    ndarray of float32, shape (features,)
    """
    found: Floats = vectors[list(wanted)].mean(axis=0)
    if len(unwanted):
        found = found - np.float32(UNWANTED) * vectors[list(unwanted)].mean(axis=0)
    direction: Floats = found / np.linalg.norm(found).clip(1e-6)
    return direction
