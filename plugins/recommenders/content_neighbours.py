"""Recommend songs that sound like those in a history, without other listeners' data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from ..shared import InputError, check_at_least
from .play_weights import PlayWeights


class ContentNeighbours(BaseEstimator):
    """Items by their similarity to the nearest songs of a history.

    Parameters
    ----------
    n_neighbors : int > 0
        Number of songs of the history that score an item: the nearest ones. With few, a history of
        two kinds of music gives songs of both, and not those in between.
    damping : {"log", "binary", "none"}
        See `genrenet_plugins.recommenders.play_weights.PlayWeights`.
    """

    def __init__(self, n_neighbors: int = 5, damping: str = "log") -> None:
        check_at_least("n_neighbors", n_neighbors)
        PlayWeights(damping, 0)
        self.n_neighbors = n_neighbors
        self.damping = damping

    def fit(
        self, plays: sparse.csr_matrix, content: NDArray[np.float32] | None = None
    ) -> ContentNeighbours:
        """Store the content; see `genrenet.recommend.base`.

        Raises
        ------
        InputError
            There is no content.
        """
        if content is None:
            raise InputError("content", found="None", wanted="a row an item")
        self.weights_ = PlayWeights(self.damping, 0).fit(plays)
        self.songs_ = np.asarray(content, np.float32)
        self.known_ = np.asarray(self.songs_.any(axis=1))
        return self

    def score(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        """Return the mean similarity to the nearest songs, 0 to 1; see `genrenet.recommend.base`.

        Songs with more plays have more weight, by the square root of their weight over the
        history's largest, as the similarity itself must be the main factor.
        """
        table = self.weights_.transform(histories)
        found = np.zeros(table.shape, np.float32)
        for row, (first, last) in enumerate(zip(table.indptr[:-1], table.indptr[1:], strict=True)):
            heard, weight = table.indices[first:last], table.data[first:last]
            heard, weight = heard[self.known_[heard]], weight[self.known_[heard]]
            if not len(heard):
                continue
            near = np.clip(self.songs_ @ self.songs_[heard].T, 0, 1)
            near *= np.sqrt(weight / weight.max())
            k = min(self.n_neighbors, len(heard))
            kept = np.partition(near, len(heard) - k, axis=1)[:, len(heard) - k :]
            found[row] = np.where(self.known_, kept.mean(axis=1), 0)
        return found
