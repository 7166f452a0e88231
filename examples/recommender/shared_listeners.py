"""The recommender `SharedListeners`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator


class SharedListeners(BaseEstimator):  # type: ignore[misc]
    """Scores of items by the share of their listeners that also played the user's items.

    Parameters
    ----------
    damping : float >= 0
        Listeners who played nothing else, added to each item's: it holds back rare items.
    """

    def __init__(self, damping: float = 5.0) -> None:
        self.damping = damping

    def fit(self, plays: Any, content: NDArray[np.float32] | None = None) -> SharedListeners:
        """Count listeners.

        Parameters
        ----------
        plays : csr_matrix of float32, shape (users, items)
            How often; zero where never.
        content : ndarray of float32, shape (items, size), optional
            What the items sound like; not used.
        """
        self.heard_ = plays.sign()
        self.listeners_ = np.asarray(self.heard_.sum(axis=0), np.float32).ravel()
        return self

    def score(self, histories: Any) -> NDArray[np.float32]:
        """Return scores of shape (users, items); higher is better, zero is not worth naming."""
        # Users by known users, then by items: no matrix of items by items is made.
        shared = (histories.sign() @ self.heard_.T) @ self.heard_
        scores = shared.toarray() / (self.listeners_ + self.damping).clip(1e-9)
        return np.asarray(scores, np.float32)
