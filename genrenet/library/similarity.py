"""Similarity of songs: cosine of embeddings, or of genre scores.

Embeddings are standardised column by column before the cosine is computed, so that all columns have
equal weight. Scores of genres are shares: their square roots are unit vectors whose cosine is the
Bhattacharyya coefficient (A. Bhattacharyya, 1943).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
_AT_ONCE = 1024


class SongSpace:
    """Songs as unit vectors.

    Parameters
    ----------
    rows : array_like of float, shape (songs, features)
        Finite.
    kind : {"embeddings", "scores"}
        Type of the rows.

    Attributes
    ----------
    vectors : ndarray of float32, shape (songs, features)
        Of length 1; zeros for songs without a direction.

    Examples
    --------
    >>> space = SongSpace([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]], "scores")
    >>> songs, cosines = space.nearest(space.vectors[:1], 2)
    >>> songs.tolist()
    [[0, 1]]
    """

    def __init__(self, rows: ArrayLike, kind: Literal["embeddings", "scores"]) -> None:
        self.kind = kind
        table = np.asarray(rows, np.float32)
        self._mean = self._scale = np.zeros(table.shape[1], np.float32)
        if kind == "embeddings" and len(table):
            self._mean = table.mean(0, dtype=np.float64).astype(np.float32)
            scale = table.std(0, dtype=np.float64).astype(np.float32)
            self._scale = np.where(scale > 1e-9, scale, np.float32(np.inf))
        self.vectors = self.place(table)

    def __len__(self) -> int:
        return len(self.vectors)

    def place(self, rows: ArrayLike) -> Floats:
        """Return the unit vectors, in this space, of rows of any songs, of shape (n, features)."""
        table = np.asarray(rows, np.float32)
        if self.kind == "scores":
            moved = np.sqrt(np.clip(table, 0, None))
        else:
            moved = (table - self._mean) / self._scale
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        unit: Floats = np.divide(moved, length, out=np.zeros_like(moved), where=length > 0)
        return unit

    def nearest(self, vectors: ArrayLike, k: int) -> tuple[NDArray[np.int64], Floats]:
        """Return songs nearest to some unit vectors.

        Parameters
        ----------
        vectors : array_like of float, shape (n, features)
            From `vectors` or `place`.
        k : int > 0

        Returns
        -------
        songs : ndarray of int64, shape (n, min(k, songs))
            The nearest first; of equals the one with the lowest row.
        cosines : ndarray of float32, of the same shape
            From -1 to 1.
        """
        asked = np.asarray(vectors, np.float32)
        k = min(k, len(self))
        songs = np.empty((len(asked), k), np.int64)
        cosines = np.empty((len(asked), k), np.float32)
        for first in range(0, len(asked), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            found = asked[part] @ self.vectors.T
            songs[part] = top(found, k)
            cosines[part] = np.take_along_axis(found, songs[part], 1)
        return songs, cosines


def top(scores: ArrayLike, k: int) -> NDArray[np.int64]:
    """Return the columns of the ``k`` largest entries of each row, in descending order, of equals
    the first.

    Parameters
    ----------
    scores : array_like of float, shape (n, m)
    k : int, 0 <= k <= m

    Returns
    -------
    ndarray of int64, shape (n, k)
    """
    table = np.asarray(scores)
    if k == 0:
        return np.zeros((len(table), 0), np.int64)
    # All that reach the k-th largest value; sorting only these keeps the first of equals.
    bound = np.partition(table, table.shape[1] - k, axis=1)[:, table.shape[1] - k]
    found = np.empty((len(table), k), np.int64)
    for row, (values, least) in enumerate(zip(table, bound, strict=True)):
        reaching = np.flatnonzero(values >= least)
        found[row] = reaching[np.argsort(-values[reaching], kind="stable")[:k]]
    return found
