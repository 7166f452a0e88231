"""Popularity: the same items for all users, the baseline of other recommenders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator


class Popularity(BaseEstimator):
    """Items by the share of users who have played them.

    Attributes
    ----------
    shares_ : ndarray of float32, shape (items,)
        From 0 to 1.
    """

    def __init__(self) -> None:
        """Take no settings."""

    def fit(
        self, plays: sparse.csr_matrix, content: NDArray[np.float32] | None = None
    ) -> Popularity:
        """Count users; see `genrenet.recommend.base`."""
        users = np.bincount(plays.indices, minlength=plays.shape[1])
        self.shares_ = (users / max(1, plays.shape[0])).astype(np.float32)
        return self

    def score(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        """Return the same shares for every user; see `genrenet.recommend.base`."""
        return np.tile(self.shares_, (histories.shape[0], 1))
