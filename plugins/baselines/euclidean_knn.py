"""k nearest neighbours on standardised features.

Source
------
T. Cover, P. Hart, "Nearest neighbor pattern classification", IEEE Transactions on Information
Theory 13, 1967.
"""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from ..shared import (
    Floats,
    Scorer,
    check_at_least,
    check_choice,
    check_enough,
    song_rows,
    training_rows,
    vote,
)


class EuclideanNeighbours(Scorer):
    """k nearest neighbours by the Euclidean distance of standardised features.

    Every feature is standardised to mean 0 and variance 1 over the training songs. Votes are
    counted as in `KLNearestNeighbours`: a tie goes to the label with the nearest neighbour.

    Parameters
    ----------
    n_neighbors : int > 0
        At most the number of training songs.
    weights : {"votes", "distance"}
        Uniform votes, or votes weighted by 1 / distance.

    Attributes
    ----------
    classes_ : ndarray, shape (labels,)
    n_features_in_ : int
    codes_ : ndarray of int, shape (songs,)
        Labels of the training songs, as indices in ``classes_``.
    """

    def __init__(
        self, n_neighbors: int = 5, *, weights: Literal["votes", "distance"] = "votes"
    ) -> None:
        self.n_neighbors = n_neighbors
        self.weights = weights

    def fit(self, X: ArrayLike, y: ArrayLike) -> EuclideanNeighbours:
        """Store the training songs and their labels.

        Parameters
        ----------
        X : array_like of float, shape (songs, features)
        y : array_like, shape (songs,)
            Labels.

        Raises
        ------
        InputError
            A setting out of range, or more neighbours than songs.
        """
        check_at_least("n_neighbors", self.n_neighbors)
        check_choice("weights", self.weights, ("votes", "distance"))
        rows, self.classes_, self.codes_ = training_rows(self, X, y)
        check_enough("n_neighbors", self.n_neighbors, len(rows))
        self.scaler_ = StandardScaler().fit(rows)
        # Tree structures are inefficient in so many dimensions.
        self.index_ = NearestNeighbors(n_neighbors=self.n_neighbors, algorithm="brute")
        self.index_.fit(self.scaler_.transform(rows))
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the shares of the neighbours' votes.

        Parameters
        ----------
        X : array_like of float, shape (songs, features)

        Returns
        -------
        ndarray of float64, shape (songs, labels)
            Rows sum to one; the largest score is the prediction, ties are broken.
        """
        rows = song_rows(self, X)
        distances, neighbours = self.index_.kneighbors(self.scaler_.transform(rows))
        return vote(distances, self.codes_[neighbours], len(self.classes_), self.weights)
