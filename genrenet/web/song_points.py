"""The songs of a map as numbers for the page: positions, genres, and where genres are densest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.library.similarity import Floats

MOST_SONGS = 200
"""Maximum number of songs in an answer with similar songs."""

MOST_NUMBERS = 5000
"""Maximum number of songs in one request."""

MOST_GENRES = 255
"""Maximum number of genres; rarer ones are one."""

OTHERS = "other genres"

_CELLS, _LABELS, _APART, _SHARE = 48, 3, 8, 0.4
_END = 65535


def points_of(places: Floats, genres: Sequence[str], **told: Any) -> bytes:
    """Return a map as bytes, little-endian.

    They are the length of the header as uint32; a header of JSON with ``genres``, the most frequent
    first (``genre``, ``songs``, and ``labels``, positions from 0 to 65,535 where they are densest),
    and the entries of ``told``; ``x`` and ``y`` of all songs as uint16, 65,535 at the right and at
    the top; and the index of each song's genre as uint8.

    Parameters
    ----------
    places : ndarray of float32, shape (songs, 2)
        From -1 to 1.
    genres : sequence of str
        Of each song.
    """
    counts = Counter(genres).most_common()
    names = [genre for genre, _ in counts]
    if len(names) > MOST_GENRES:
        names = [*names[: MOST_GENRES - 1], OTHERS]
    code = {genre: min(number, len(names) - 1) for number, (genre, _) in enumerate(counts)}
    codes = np.fromiter((code[genre] for genre in genres), np.uint8, len(genres))
    points = np.rint((np.clip(places, -1, 1) + 1) / 2 * _END).astype("<u2").reshape(-1, 2)
    about = [
        {
            "genre": name,
            "songs": int((codes == number).sum()),
            "labels": densest(points[codes == number]),
        }
        for number, name in enumerate(names)
    ]
    head = json.dumps({**told, "songs": len(points), "genres": about}).encode()
    head += b" " * (-len(head) % 4)
    x, y = (np.ascontiguousarray(points[:, axis]).tobytes() for axis in (0, 1))
    return len(head).to_bytes(4, "little") + head + x + y + codes.tobytes()


def densest(points: NDArray[np.uint16]) -> list[list[int]]:
    """Return a few positions of the densest clusters of some points, the densest first.

    Parameters
    ----------
    points : ndarray of uint16, shape (n, 2)

    Returns
    -------
    list of [x, y]
    """
    if not len(points):
        return []
    cells = points.astype(np.int64) * _CELLS // (_END + 1)
    flat = np.bincount(cells[:, 1] * _CELLS + cells[:, 0], minlength=_CELLS * _CELLS)
    padded = np.pad(flat.reshape(_CELLS, _CELLS), 1)
    around = sum(
        padded[down : down + _CELLS, right : right + _CELLS]
        for down in range(3)
        for right in range(3)
    )
    density = np.asarray(around)
    first, found = density.max(), list[list[int]]()
    rows, columns = np.indices(density.shape)
    while len(found) < _LABELS and density.max() >= max(1, first * _SHARE):
        row, column = np.unravel_index(density.argmax(), density.shape)
        near = (abs(cells[:, 1] - row) <= 1) & (abs(cells[:, 0] - column) <= 1)
        found.append(np.rint(points[near].mean(axis=0)).astype(int).tolist())
        density[np.hypot(rows - row, columns - column) < _APART] = 0
    return found
