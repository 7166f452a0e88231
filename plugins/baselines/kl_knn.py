"""k nearest neighbours of songs as Gaussians.

Source
------
M. Haggblade, Y. Hong, K. Kao, "Music genre classification", Stanford CS229 2011, where songs are
Gaussians of MFCCs and the distance is the symmetrised Kullback-Leibler divergence. Local scaling:
see `genrenet_plugins.baselines.local_scaling`. Large collections: see
`genrenet_plugins.baselines.gaussian_filter`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from ..shared import (
    Floats,
    Integers,
    Scorer,
    check_at_least,
    check_choice,
    check_enough,
    song_rows,
    training_rows,
    vote,
)
from .gaussian_filter import GaussianFilter
from .gaussians import GaussianTable, import_faiss, nearest
from .local_scaling import filtered_nearest, filtered_reaches, nearest_by_scaled, reaches

EXACT = 50_000
"""Maximum number of songs that ``index="auto"`` compares exhaustively."""


class KLNearestNeighbours(Scorer):
    """k nearest neighbours by the symmetrised Kullback-Leibler distance of Gaussians.

    Parameters
    ----------
    n_neighbors : int > 0
        At most the number of training songs.
    covariance : {"full", "diagonal"}
        Whether covariances are used, or only variances.
    weights : {"votes", "distance"}
        Uniform votes, or votes weighted by 1 / distance.
    local_scaling : int >= 0
        Distances are divided by the mean distances of both songs to this number of their own
        nearest neighbours; 0 turns it off.
    scaling_sample : int >= 0
        Estimate these mean distances on a random sample of this size, so that fitting takes time in
        proportion to the number of songs; 0 uses all songs.
    index : {"auto", "blocked", "faiss", "filter"}
        Search method. "blocked" compares all songs. "faiss" does too; it needs the extra of that
        name, and no local scaling. "filter" computes distances to a few candidates only. "auto" is
        "blocked" up to 50,000 songs, and "filter" beyond.
    candidates : int > 0
        Number of candidates from the filter for each song; at least three times ``n_neighbors`` and
        ``local_scaling`` in any case.
    block : int > 0
        Number of songs on either side of one product: less needs less memory, with the same result.
    random_state : int, RandomState or None
        Random numbers of the sample.

    Attributes
    ----------
    classes_ : ndarray, shape (labels,)
    n_features_in_ : int
        d + d * d.
    table_ : GaussianTable
        The training songs.
    codes_ : ndarray of int, shape (songs,)
        Their labels, as indices in ``classes_``.
    reach_ : ndarray of float, shape (songs,)
        With local scaling: each song's mean distance to its own neighbours.
    filter_ : GaussianFilter or None
        The filter that proposes candidates, if one is used.

    Notes
    -----
    A tie goes to the label with the nearest neighbour. See `genrenet_plugins.shared.vote`.

    Examples
    --------
    >>> songs = [[0.0, 1.0], [0.5, 1.0], [9.0, 1.0]]
    >>> KLNearestNeighbours(n_neighbors=1).fit(songs, ["a", "a", "b"]).predict([[8.0, 2.0]])
    array(['b'], dtype='<U1')
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        covariance: Literal["full", "diagonal"] = "full",
        weights: Literal["votes", "distance"] = "votes",
        local_scaling: int = 0,
        scaling_sample: int = 0,
        index: Literal["auto", "blocked", "faiss", "filter"] = "auto",
        candidates: int = 100,
        block: int = 512,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.covariance = covariance
        self.weights = weights
        self.local_scaling = local_scaling
        self.scaling_sample = scaling_sample
        self.index = index
        self.candidates = candidates
        self.block = block
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> KLNearestNeighbours:
        """Store the training songs and their labels.

        Parameters
        ----------
        X : array_like of float, shape (songs, d + d * d)
            A mean and a covariance per row.
        y : array_like, shape (songs,)
            Labels.

        Raises
        ------
        InputError
            A setting out of range, more neighbours than songs, or rows that are not Gaussians.
        """
        check_at_least("n_neighbors", self.n_neighbors)
        check_at_least("block", self.block)
        check_choice("covariance", self.covariance, ("full", "diagonal"))
        check_choice("weights", self.weights, ("votes", "distance"))
        check_choice("index", self.index, ("auto", "blocked", "faiss", "filter"))
        check_at_least("candidates", self.candidates)
        check_at_least("local_scaling", self.local_scaling, 0)
        check_at_least("scaling_sample", self.scaling_sample, 0)
        if self.index == "faiss":
            import_faiss()
            check_choice("local_scaling with index='faiss'", self.local_scaling, (0,))
        rows, self.classes_, self.codes_ = training_rows(self, X, y)
        check_enough("n_neighbors", self.n_neighbors, len(rows))
        self.table_ = GaussianTable.of(rows, diagonal=self.covariance == "diagonal")
        filtered = self.index == "filter" or (self.index == "auto" and len(rows) > EXACT)
        self.filter_ = GaussianFilter(self.table_) if filtered else None
        if self.local_scaling:
            self.reach_ = self._reaches()
        return self

    def _reaches(self) -> Floats:
        songs, n, some = self.table_, self.local_scaling, self.scaling_sample
        if 0 < some < len(songs):
            random = check_random_state(self.random_state)
            return reaches(songs, n, self.block, random.permutation(len(songs))[:some])
        if self.filter_ is not None:
            return filtered_reaches(self.filter_, songs, n)
        return reaches(songs, n, self.block)

    def kneighbors(self, X: ArrayLike) -> tuple[Floats, Integers]:
        """Return distances (the nearest first) and rows of the nearest songs, of shape
        (songs, k).
        """
        songs, k, n = self.table_, self.n_neighbors, self.local_scaling
        queries = GaussianTable.of(song_rows(self, X), like=songs)
        reach = self.reach_ if n else None
        if self.filter_ is not None:
            return filtered_nearest(self.filter_, queries, songs, k, self.candidates, reach, n)
        if reach is not None:
            return nearest_by_scaled(queries, songs, reach, k, n, self.block)
        if self.index == "faiss":
            return nearest(queries, songs, k, block=self.block, index="faiss")
        return nearest(queries, songs, k, block=self.block)

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the shares of the neighbours' votes.

        Parameters
        ----------
        X : array_like of float, shape (songs, d + d * d)

        Returns
        -------
        ndarray of float64, shape (songs, labels)
            Rows sum to one; the largest score is the prediction, ties are broken.
        """
        distances, neighbours = self.kneighbors(X)
        return vote(distances, self.codes_[neighbours], len(self.classes_), self.weights)
