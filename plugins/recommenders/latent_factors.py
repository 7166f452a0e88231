"""Latent factors: histories and items as vectors in a space of few dimensions.

Sources
-------
Truncated SVD: P. Cremonesi, Y. Koren, R. Turrin, "Performance of recommender algorithms on top-n
recommendation tasks", RecSys 2010 (PureSVD); items scaled before it: A. Nikolakopoulos et al.,
"EigenRec", Knowledge and Information Systems 58, 2019. Alternating least squares: Y. Hu, Y. Koren,
C. Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, by the library
``implicit``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from genrenet.utils.extras import needed_by

from ..shared import check_at_least
from .play_weights import (
    PlayWeights,
    check_number,
    lengths,
    times_columns,
    unit_rows,
)


class FactorSVD(BaseEstimator):
    """Histories projected on the main directions of all histories (truncated SVD).

    Parameters
    ----------
    factors : int > 0
        Number of directions; at most a quarter of the users, or of the items: with all directions,
        a projection would equal the history, and score no other items.
    scaling : float in [0, 1]
        Histories are normalised to length one, then items are divided by this power of their norms,
        so that the main directions are not those of the most popular items; the projection is
        multiplied by it again.
    damping, rarity
        See `genrenet_plugins.recommenders.play_weights.PlayWeights`.
    random_state : int
        Seed of the randomised decomposition.
    """

    def __init__(
        self,
        factors: int = 64,
        scaling: float = 0.5,
        damping: str = "log",
        rarity: float = 0.5,
        random_state: int = 0,
    ) -> None:
        check_at_least("factors", factors)
        check_number("scaling", scaling, most=1)
        PlayWeights(damping, rarity)
        self.factors = factors
        self.scaling = scaling
        self.damping = damping
        self.rarity = rarity
        self.random_state = random_state

    def fit(
        self, plays: sparse.csr_matrix, content: NDArray[np.float32] | None = None
    ) -> FactorSVD:
        """Decompose the plays; see `genrenet.recommend.base`."""
        self.weights_ = PlayWeights(self.damping, self.rarity).fit(plays)
        table = unit_rows(self.weights_.transform(plays))
        size = lengths(table.T.tocsr())
        scale = np.divide(1, size**self.scaling, out=np.zeros_like(size), where=size > 0)
        self.scale_ = scale.astype(np.float32)
        factors = max(1, min(self.factors, min(plays.shape) // 4))
        scaled = times_columns(table, self.scale_)
        # Twice the directions are computed, as the last ones are inaccurate.
        _, _, self.directions_ = randomized_svd(
            scaled, factors, n_oversamples=max(10, factors), random_state=self.random_state
        )
        return self

    def score(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        """Return the histories' projections; see `genrenet.recommend.base`."""
        asked = times_columns(self.weights_.transform(histories), self.scale_)
        found = (asked @ self.directions_.T) @ self.directions_
        back = np.divide(1, self.scale_, out=np.zeros_like(self.scale_), where=self.scale_ > 0)
        return np.asarray(found * back, np.float32)


class FactorALS(BaseEstimator):
    """Factors of users and items by alternating least squares on implicit feedback.

    Parameters
    ----------
    factors : int > 0
    confidence : float > 0
        Weight of a mean entry, relative to 1 for an item that was not played.
    regularization : float >= 0
        Relative to the largest singular value of the confidences, so that it does not depend on the
        number of users: from 1 on all factors are zero.
    iterations : int > 0
    damping, rarity
        See `genrenet_plugins.recommenders.play_weights.PlayWeights`.
    random_state : int
        Seed of the first factors.
    """

    def __init__(
        self,
        factors: int = 80,
        confidence: float = 15.0,
        regularization: float = 0.12,
        iterations: int = 15,
        damping: str = "log",
        rarity: float = 1.0,
        random_state: int = 0,
    ) -> None:
        for name, count in (("factors", factors), ("iterations", iterations)):
            check_at_least(name, count)
        check_number("confidence", confidence)
        check_number("regularization", regularization)
        PlayWeights(damping, rarity)
        self.factors = factors
        self.confidence = confidence
        self.regularization = regularization
        self.iterations = iterations
        self.damping = damping
        self.rarity = rarity
        self.random_state = random_state

    def fit(
        self, plays: sparse.csr_matrix, content: NDArray[np.float32] | None = None
    ) -> FactorALS:
        """Fit the factors; see `genrenet.recommend.base`."""
        self.weights_ = PlayWeights(self.damping, self.rarity).fit(plays)
        table = unit_rows(self.weights_.transform(plays))
        self.per_weight_ = self.confidence / float(table.data.mean()) if table.nnz else 1.0
        table = self._confidences(plays)
        _, largest, _ = randomized_svd(table, 1, random_state=self.random_state)
        penalty = self.regularization * float(largest[0])
        # The library multiplies small matrices in its own threads: BLAS's would only slow them
        # down.
        with threadpool_limits(1, "blas"):
            with needed_by("alternating least squares"):
                from implicit.cpu.als import AlternatingLeastSquares

            self.model_: Any = AlternatingLeastSquares(
                self.factors,
                penalty,
                iterations=self.iterations,
                random_state=self.random_state,
            )
            self.model_.fit(table, show_progress=False)
        return self

    def _confidences(self, histories: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return the weights of histories normalised to length one: all users have equal weight."""
        table = unit_rows(self.weights_.transform(histories))
        table.data = (table.data * self.per_weight_).astype(np.float32)
        return table

    def score(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        """Return users' factors from their histories, times the items'; see
        `genrenet.recommend.base`.
        """
        table = self._confidences(histories)
        with threadpool_limits(1, "blas"):
            users = self.model_.recalculate_user(np.arange(table.shape[0]), table)
        return np.asarray(users @ self.model_.item_factors.T, np.float32)
