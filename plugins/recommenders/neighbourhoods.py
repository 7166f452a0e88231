"""Memory-based collaborative filtering: by similar users, and by items played together.

Sources
-------
User-user: P. Resnick et al., "GroupLens", CSCW 1994; similarities raised to a power: J. Breese,
D. Heckerman, C. Kadie, "Empirical analysis of predictive algorithms for collaborative filtering",
UAI 1998. Item-item: B. Sarwar et al., "Item-based collaborative filtering recommendation
algorithms", WWW 2001; similarities shrunk by how little they rest on: R. Bell, Y. Koren, "Improved
neighborhood-based collaborative filtering", KDD Cup 2007.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from ..shared import check_at_least
from .play_weights import PlayWeights, check_number, lengths, unit_rows

_ENTRIES = 20_000_000  # entries of a product that are in memory at once


class UserNeighbours(BaseEstimator):
    """Items that the users with the most similar histories have played.

    Parameters
    ----------
    n_neighbors : int > 0
        Number of similar users.
    amplification : float > 0
        Power of the cosine in a user's weight: above 1, the nearest have the most weight.
    damping, rarity
        See `genrenet_plugins.recommenders.play_weights.PlayWeights`.
    """

    def __init__(
        self,
        n_neighbors: int = 100,
        amplification: float = 2.0,
        damping: str = "log",
        rarity: float = 1.0,
    ) -> None:
        check_at_least("n_neighbors", n_neighbors)
        check_number("amplification", amplification)
        PlayWeights(damping, rarity)
        self.n_neighbors = n_neighbors
        self.amplification = amplification
        self.damping = damping
        self.rarity = rarity

    def fit(
        self, plays: sparse.csr_matrix, content: NDArray[np.float32] | None = None
    ) -> UserNeighbours:
        """Store the users; see `genrenet.recommend.base`."""
        self.weights_ = PlayWeights(self.damping, self.rarity).fit(plays)
        self.directions_ = unit_rows(self.weights_.transform(plays))
        # For a neighbour's items only the number of plays counts, not their rarity.
        self.played_ = PlayWeights(self.damping, 0).fit(plays).transform(plays)
        return self

    def score(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        """Return the weighted mean of the neighbours' plays; see `genrenet.recommend.base`."""
        asked = unit_rows(self.weights_.transform(histories))
        near = largest_products(asked, self.directions_, self.n_neighbors)
        near.data = near.data**self.amplification
        says = np.asarray(near.sum(axis=1), np.float32).reshape(-1, 1)
        found = near.dot(self.played_).toarray()
        return np.asarray(np.divide(found, says, out=found, where=says > 0), np.float32)


class ItemNeighbours(BaseEstimator):
    """Items played by the users of the items in a history.

    Parameters
    ----------
    n_neighbors : int > 0
        Number of items that each item of a history scores.
    shrinkage : float >= 0
        Added to the product of two items' norms before their inner product is divided by it, in
        units of a mean item: without it, items of a single user are each other's best neighbours.
    damping, rarity
        See `genrenet_plugins.recommenders.play_weights.PlayWeights`.
    """

    def __init__(
        self,
        n_neighbors: int = 200,
        shrinkage: float = 5.0,
        damping: str = "log",
        rarity: float = 0.5,
    ) -> None:
        check_at_least("n_neighbors", n_neighbors)
        check_number("shrinkage", shrinkage)
        PlayWeights(damping, rarity)
        self.n_neighbors = n_neighbors
        self.shrinkage = shrinkage
        self.damping = damping
        self.rarity = rarity

    def fit(
        self, plays: sparse.csr_matrix, content: NDArray[np.float32] | None = None
    ) -> ItemNeighbours:
        """Compute each item's neighbours; see `genrenet.recommend.base`."""
        self.weights_ = PlayWeights(self.damping, self.rarity).fit(plays)
        items = unit_rows(self.weights_.transform(plays)).T.tocsr()
        size = lengths(items)
        shrink = self.shrinkage * (size[size > 0].mean() ** 2 if size.any() else 1)
        self.similarity_ = largest_products(items, items, self.n_neighbors, size, shrink)
        return self

    def score(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        """Return the sum of the similarities to the history; see `genrenet.recommend.base`."""
        asked = unit_rows(self.weights_.transform(histories))
        return np.asarray(asked.dot(self.similarity_).toarray(), np.float32)


def largest_products(
    rows: sparse.csr_matrix,
    others: sparse.csr_matrix,
    k: int,
    size: NDArray[np.float64] | None = None,
    shrink: float = 0.0,
) -> sparse.csr_matrix:
    """Return the ``k`` largest inner products of each row with other rows, of equals the first.

    Parameters
    ----------
    rows, others : csr_matrix of float32, shapes (n, features) and (m, features)
    k : int > 0
    size : ndarray of float64, shape (n,), optional
        Norms of rows, if they are compared with each other: the result is the product over
        ``size[i] * size[j] + shrink``, without the rows themselves.
    shrink : float >= 0

    Returns
    -------
    csr_matrix of float32, shape (n, m)
    """
    turned = others.T.tocsr()
    # Maximum number of entries of each row's product: determines how many are multiplied at once.
    per_item = np.diff(turned.indptr)
    work = np.zeros(rows.shape[0])
    np.add.at(work, np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)),
              per_item[rows.indices])  # fmt: skip
    bounds = np.searchsorted(work.cumsum(), np.arange(_ENTRIES, work.sum(), _ENTRIES))
    edges = np.unique([0, *bounds.tolist(), rows.shape[0]])
    parts = []
    for first, last in pairwise(edges):
        found = rows[first:last].dot(turned).tocsr()
        if size is not None:
            row = np.repeat(np.arange(first, last), np.diff(found.indptr))
            found.data = (found.data / (size[row] * size[found.indices] + shrink)).astype(
                np.float32
            )
            found.data[row == found.indices] = 0
        parts.append(_largest_of_rows(found, k))
    if not parts:
        return sparse.csr_matrix((rows.shape[0], others.shape[0]), dtype=np.float32)
    return sparse.vstack(parts, format="csr", dtype=np.float32)


def _largest_of_rows(table: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """Return the ``k`` largest entries above zero of each row, of equals the first."""
    columns, values, counts = [], [], []
    for first, last in pairwise(table.indptr):
        column, value = table.indices[first:last], table.data[first:last]
        if len(value) > k:
            # Partitioned instead of sorted: rows may be long.
            bound = np.partition(value, len(value) - k)[len(value) - k]
            above, equal = np.flatnonzero(value > bound), np.flatnonzero(value == bound)
            equal = equal[np.argsort(column[equal])][: k - len(above)]
            kept = np.concatenate([above, equal])
            column, value = column[kept], value[kept]
        there = value > 0
        columns.append(column[there])
        values.append(value[there])
        counts.append(int(there.sum()))
    ends = np.concatenate([[0], np.cumsum(counts)])
    parts = (np.concatenate(values), np.concatenate(columns), ends)
    return sparse.csr_matrix(parts, shape=table.shape)
