"""k-means of songs as Gaussians: clusters found without labels, then labelled by majority.

Source
------
M. Haggblade, Y. Hong, K. Kao, "Music genre classification", Stanford CS229 2011: k-means with the
symmetrised Kullback-Leibler distance; a centroid is the mean of its songs' means and the mean of
their covariances; there are several initialisations with random songs that are far apart, of which
the one with the highest training accuracy is kept.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state

from ..shared import (
    Floats,
    InputError,
    Integers,
    check_at_least,
    check_choice,
    check_enough,
    song_rows,
    training_rows,
)
from .gaussian_rows import join_rows, split_rows
from .gaussian_table import GaussianTable, kl_between

SAMPLE = 500
QUANTILE = 0.5
LOWER, STEPS = 0.8, 30


class GaussianKMeans(ClassifierMixin, BaseEstimator):
    """k-means of Gaussians, with the majority label of the songs in each cluster.

    Parameters
    ----------
    n_clusters : int > 0, optional
        By default the number of labels.
    n_init : int > 0
        Number of initialisations.
    max_iter : int > 0
        Maximum number of iterations of a run.
    min_distance : float >= 0, optional
        Minimum distance between initial songs, in nats; by default the median distance of (at most
        500) songs. If there are not enough such songs it is lowered by a fifth repeatedly, and
        dropped after 30 times.
    select : {"accuracy", "inertia"}
        Which run is kept: the one with the highest training accuracy, as in the source, or the one
        with the lowest sum of distances to the centroids, without labels. Ties are decided by the
        other criterion, then the first is kept.
    covariance : {"full", "diagonal"}
        Whether covariances are used, or only variances.
    random_state : int, RandomState or None

    Attributes
    ----------
    classes_ : ndarray, shape (labels,)
    n_features_in_ : int
        d + d * d.
    cluster_centers_ : ndarray of float64, shape (clusters, d + d * d)
        Gaussians, as rows.
    cluster_labels_ : ndarray, shape (clusters,)
        Labels of the clusters.
    cluster_shares_ : ndarray of float64, shape (clusters, labels)
        Share of each label among the songs of a cluster; rows sum to one.
    inertia_ : float
        Sum of the distances of songs to their centroids, in nats.
    accuracy_ : float in [0, 1]
        Training accuracy.
    n_iter_ : int
        Number of iterations of the run that was kept.

    Examples
    --------
    >>> songs = [[0.0, 1.0], [0.5, 1.0], [9.0, 1.0], [9.5, 1.0]]
    >>> GaussianKMeans(random_state=0).fit(songs, ["a", "a", "b", "b"]).predict([[8.0, 2.0]])
    array(['b'], dtype='<U1')
    """

    def __init__(
        self,
        n_clusters: int | None = None,
        *,
        n_init: int = 10,
        max_iter: int = 100,
        min_distance: float | None = None,
        select: Literal["accuracy", "inertia"] = "accuracy",
        covariance: Literal["full", "diagonal"] = "full",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.min_distance = min_distance
        self.select = select
        self.covariance = covariance
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> GaussianKMeans:
        """Find clusters, and label them.

        Parameters
        ----------
        X : array_like of float, shape (songs, d + d * d)
            A mean and a covariance per row.
        y : array_like, shape (songs,)
            Labels.

        Raises
        ------
        InputError
            A setting out of range, more clusters than songs, or rows that are not Gaussians.
        """
        self._check_settings()
        rows, self.classes_, codes = training_rows(self, X, y)
        clusters = len(self.classes_) if self.n_clusters is None else self.n_clusters
        check_enough("n_clusters", clusters, len(rows))
        diagonal = self.covariance == "diagonal"
        songs = GaussianTable.of(rows, diagonal=diagonal)
        rows = join_rows(*split_rows(rows, diagonal))
        random = check_random_state(self.random_state)
        apart = _median_distance(songs, random) if self.min_distance is None else self.min_distance
        best: tuple[float, float] | None = None
        for _ in range(self.n_init):
            starts = _far_apart(songs, clusters, float(apart), random)
            centroids, places, inertia, n_iter = _cluster(rows, songs, starts, self.max_iter)
            shares = _shares(places, codes, clusters, len(self.classes_))
            accuracy = float((shares.argmax(axis=1)[places] == codes).mean())
            merit = (accuracy, -inertia)
            if self.select == "inertia":
                merit = (-inertia, accuracy)
            if best is None or merit > best:
                best, self.cluster_centers_, self.cluster_shares_ = merit, centroids, shares
                self.inertia_, self.accuracy_, self.n_iter_ = inertia, accuracy, n_iter
        self.cluster_labels_ = self.classes_[self.cluster_shares_.argmax(axis=1)]
        self.table_ = GaussianTable.of(self.cluster_centers_, like=songs)
        return self

    def distances(self, X: ArrayLike) -> Floats:
        """Return distances to the centroids in nats, of shape (songs, clusters)."""
        rows = song_rows(self, X)
        return kl_between(GaussianTable.of(rows, like=self.table_), self.table_)

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the shares of the labels among the training songs in the nearest cluster.

        Parameters
        ----------
        X : array_like of float, shape (songs, d + d * d)

        Returns
        -------
        ndarray of float64, shape (songs, labels)
            Rows sum to one; the largest score, the first of equals, is the prediction.
        """
        nearest = self.distances(X).argmin(axis=1)
        shares: Floats = self.cluster_shares_[nearest]
        return shares

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the label of the nearest cluster for each song, of shape (songs,)."""
        nearest = self.distances(X).argmin(axis=1)
        labels: NDArray[Any] = self.cluster_labels_[nearest]
        return labels

    def _check_settings(self) -> None:
        if self.n_clusters is not None:
            check_at_least("n_clusters", self.n_clusters)
        check_at_least("n_init", self.n_init)
        check_at_least("max_iter", self.max_iter)
        check_choice("select", self.select, ("accuracy", "inertia"))
        check_choice("covariance", self.covariance, ("full", "diagonal"))
        if self.min_distance is not None and not self.min_distance >= 0:
            raise InputError("min_distance", found=repr(self.min_distance), wanted="at least 0")


def _median_distance(songs: GaussianTable, random: np.random.RandomState) -> float:
    if len(songs) < 2:
        return 0.0
    few = random.permutation(len(songs))[:SAMPLE]
    sample = songs.take(few)
    return float(np.quantile(kl_between(sample, sample)[np.triu_indices(len(few), 1)], QUANTILE))


def _far_apart(
    songs: GaussianTable, n: int, apart: float, random: np.random.RandomState
) -> Integers:
    """Return the rows of ``n`` random songs that are, if possible, more than ``apart`` from each
    other.
    """
    order, chosen = random.permutation(len(songs)), list[int]()
    nearest, lowered = np.full(len(songs), np.inf), 0
    while len(chosen) < n:
        free = order[nearest[order] > (apart if lowered < STEPS else -1.0)]
        if not len(free):
            apart, lowered = apart * LOWER, lowered + 1
            continue
        chosen.append(int(free[0]))
        distances = kl_between(songs, songs.take(free[:1]))[:, 0]
        nearest = np.minimum(nearest, distances)
        nearest[chosen] = -np.inf
    return np.array(chosen, dtype=np.intp)


def _cluster(
    rows: Floats, songs: GaussianTable, starts: Integers, max_iter: int
) -> tuple[Floats, Integers, float, int]:
    """Return centroids as rows, the cluster of each song, the sum of distances, and the number of
    iterations.
    """
    centroids, places = rows[starts], np.full(len(rows), -1, np.intp)
    n_iter = 0
    while n_iter < max_iter:
        n_iter += 1
        distances = kl_between(songs, GaussianTable.of(centroids, like=songs))
        before, places = places, distances.argmin(axis=1)
        places = _fill_empty(places, distances)
        if np.array_equal(before, places):
            break
        members = places == np.arange(len(starts))[:, None]
        centroids = (members / members.sum(axis=1, keepdims=True)) @ rows
    distances = kl_between(songs, GaussianTable.of(centroids, like=songs))
    places = distances.argmin(axis=1)
    return centroids, places, float(distances.min(axis=1).sum()), n_iter


def _fill_empty(places: Integers, distances: Floats) -> Integers:
    """Give each empty cluster the song that is farthest from its centroid and not alone there."""
    sizes = np.bincount(places, minlength=distances.shape[1])
    far = distances[np.arange(len(places)), places].copy()
    for empty in np.flatnonzero(sizes == 0):
        song = int(np.where(sizes[places] > 1, far, -np.inf).argmax())
        sizes[places[song]] -= 1
        places[song], sizes[empty], far[song] = empty, 1, -np.inf
    return places


def _shares(places: Integers, codes: Integers, clusters: int, labels: int) -> Floats:
    """Return the shares of labels in clusters; for an empty cluster those of all songs."""
    counts = np.zeros((clusters, labels))
    np.add.at(counts, (places, codes), 1)
    counts[counts.sum(axis=1) == 0] = np.bincount(codes, minlength=labels)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))
