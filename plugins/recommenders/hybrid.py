"""A hybrid of collaborative and content-based recommendation, also for new users and songs.

Sources
-------
Scores of two kinds are made comparable by their ranks, as normal scores (B. L. van der Waerden,
1952), and combined by S. A. Stouffer's rule ("The American soldier", 1949): the weighted sum over
the norm of the weights. So an item with only one of the two scores is neither favoured nor
penalised.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtr, ndtri
from sklearn.base import BaseEstimator

from ..shared import check_choice
from .content_neighbours import ContentNeighbours
from .latent_factors import FactorALS, FactorSVD
from .neighbourhoods import ItemNeighbours, UserNeighbours
from .play_weights import check_number
from .popularity import Popularity

_COLLABORATIVE = {
    "als": FactorALS,
    "svd": FactorSVD,
    "item-knn": ItemNeighbours,
    "user-knn": UserNeighbours,
}


class Hybrid(BaseEstimator):
    """A blend of collaborative filtering and content, with popularity as the fallback.

    An item without plays is scored by its content alone, one without content by collaborative
    filtering alone. A history without known items gets popular items.

    Parameters
    ----------
    collaborative : {"als", "svd", "item-knn", "user-knn"}
        With the default settings of that method.
    weight : float in [0, 1]
        Weight of collaborative filtering, relative to the content. No history with audio was
        available to choose it on: the default favours listeners, which are more reliable if there
        are many.
    n_neighbors : int > 0
        See `genrenet_plugins.recommenders.content_neighbours.ContentNeighbours`.
    random_state : int
    """

    def __init__(
        self,
        collaborative: str = "als",
        weight: float = 0.7,
        n_neighbors: int = 5,
        random_state: int = 0,
    ) -> None:
        check_choice("collaborative", collaborative, tuple(_COLLABORATIVE))
        check_number("weight", weight, most=1)
        ContentNeighbours(n_neighbors)
        self.collaborative = collaborative
        self.weight = weight
        self.n_neighbors = n_neighbors
        self.random_state = random_state

    def fit(self, plays: sparse.csr_matrix, content: NDArray[np.float32] | None = None) -> Hybrid:
        """Fit each of its parts; see `genrenet.recommend.base`."""
        items = plays.shape[1]
        self.popular_ = Popularity().fit(plays)
        self.played_ = np.bincount(plays.indices, minlength=items) > 0
        self.described_ = (
            np.zeros(items, bool) if content is None else np.asarray(content.any(axis=1))
        )
        maker = _COLLABORATIVE[self.collaborative]
        seeded = "random_state" in maker().get_params()
        settings = {"random_state": self.random_state} if seeded else {}
        self.listeners_ = maker(**settings).fit(plays) if self.played_.any() else None
        self.sound_ = None
        if self.described_.any():
            self.sound_ = ContentNeighbours(self.n_neighbors).fit(plays, content)
        return self

    def sources(self, histories: sparse.csr_matrix) -> list[str]:
        """Return the basis of the scores of each user."""
        words = []
        for listeners, sound in zip(*self._known(histories), strict=True):
            parts = [*(["listeners"] if listeners else []), *(["content"] if sound else [])]
            words.append(" and ".join(parts) or "popularity")
        return words

    def _known(self, histories: sparse.csr_matrix) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which histories contain items with plays by any user, and items with content."""
        owned = histories.astype(bool)
        found = [owned.dot(items) > 0 for items in (self.played_, self.described_)]
        return found[0], found[1]

    def score(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        """Return blended ranks, from 0 to 1; see `genrenet.recommend.base`."""
        popular = self.popular_.shares_
        by_listeners, by_sound = self._known(histories)
        found = self.popular_.score(histories)
        listeners = None if self.listeners_ is None else self.listeners_.score(histories)
        sound = None if self.sound_ is None else self.sound_.score(histories)
        for row in range(histories.shape[0]):
            total = np.zeros(histories.shape[1])
            squares = np.zeros(histories.shape[1])
            if listeners is not None and by_listeners[row]:
                _add(total, squares, listeners[row], popular, self.played_, self.weight)
            if sound is not None and by_sound[row]:
                _add(total, squares, sound[row], popular, self.described_, 1 - self.weight)
            if squares.any():
                scale = np.sqrt(np.where(squares > 0, squares, 1))
                found[row] = np.where(squares > 0, ndtr(total / scale), 0)
        return found


def _add(
    total: NDArray[np.float64],
    squares: NDArray[np.float64],
    scores: NDArray[np.float32],
    popular: NDArray[np.float32],
    known: NDArray[np.bool_],
    weight: float,
) -> None:
    """Add the normal scores of the items that a part scores; ties are broken by popularity."""
    columns = np.flatnonzero(known)
    order = columns[np.lexsort((-columns, popular[columns], scores[columns]))]
    total[order] += weight * _normal_scores(len(order))
    squares[order] += weight**2


@lru_cache(maxsize=8)
def _normal_scores(count: int) -> NDArray[np.float64]:
    """Return normal quantiles of ``count`` evenly spaced shares, in ascending order."""
    found: NDArray[np.float64] = ndtri(np.arange(1, count + 1) / (count + 1))
    return found
