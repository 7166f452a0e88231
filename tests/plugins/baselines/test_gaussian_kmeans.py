"""k-means of Gaussians: initialisation, empty clusters, labels, scikit-learn's contract."""

import numpy as np
import pytest
from genrenet_plugins.baselines.gaussian_kmeans import (
    GaussianKMeans,
    _far_apart,
    _fill_empty,
    _shares,
)
from genrenet_plugins.baselines.gaussian_table import GaussianTable
from genrenet_plugins.baselines.gaussians import split_rows, symmetric_kl
from genrenet_plugins.shared import InputError
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.helpers.estimators import PIPELINES_OWN, AsGaussians, gaussians, genres, stored_and_read


@parametrize_with_checks(
    [
        make_pipeline(AsGaussians(), GaussianKMeans(random_state=0)),
        make_pipeline(AsGaussians(), GaussianKMeans(select="inertia", n_init=2, random_state=0)),
    ],
    expected_failed_checks=lambda estimator: PIPELINES_OWN,
)
def test_scikit_learns_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
@pytest.mark.parametrize("select", ["accuracy", "inertia"])
def test_finds_genres(covariance, select):
    X, y = genres()
    model = GaussianKMeans(covariance=covariance, select=select, random_state=0).fit(X[::2], y[::2])
    assert model.score(X[1::2], y[1::2]) == 1
    assert model.accuracy_ == 1
    assert sorted(model.cluster_labels_) == ["blues", "jazz", "rock"]


def test_centroids_are_means_of_means_and_of_covariances():
    X, y = genres()
    model = GaussianKMeans(random_state=0).fit(X, y)
    for label, centre in zip(model.cluster_labels_, model.cluster_centers_, strict=True):
        np.testing.assert_allclose(centre, X[y == label].mean(axis=0), atol=1e-9)
    distances = symmetric_kl(X, model.cluster_centers_)
    np.testing.assert_allclose(model.distances(X), distances, rtol=1e-8, atol=1e-8)
    assert model.inertia_ == pytest.approx(distances.min(axis=1).sum())


def test_labels_only_name_clusters_where_inertia_selects():
    X, y = genres()
    other = np.random.default_rng(0).permutation(y)
    first = GaussianKMeans(3, select="inertia", random_state=0).fit(X, y)
    second = GaussianKMeans(3, select="inertia", random_state=0, n_init=10).fit(X, other)
    assert first.inertia_ == pytest.approx(second.inertia_)


def test_accuracy_selects_the_better_named_start():
    X, y = genres(30, seed=3)
    X = X + np.random.default_rng(0).normal(0, 3, (90, 1)) * (np.arange(20) < 4)
    best = GaussianKMeans(4, random_state=0).fit(X, y)
    least = GaussianKMeans(4, random_state=0, select="inertia").fit(X, y)
    assert best.accuracy_ >= least.accuracy_
    assert best.inertia_ >= least.inertia_


def test_a_seed_decides_everything():
    X, y = gaussians(40, d=3), np.random.default_rng(0).choice(["a", "b", "c"], 40)
    first, again, other = (
        GaussianKMeans(5, n_init=1, random_state=seed).fit(X, y) for seed in (7, 7, 8)
    )
    assert np.array_equal(first.cluster_centers_, again.cluster_centers_)
    assert not np.array_equal(first.cluster_centers_, other.cluster_centers_)


def test_starts_are_far_apart_as_far_as_can_be():
    songs = GaussianTable.of(np.array([[x, 1.0] for x in (0.0, 0.1, 0.2, 9.0, 9.1, 20.0)]))
    for seed in range(10):
        chosen = _far_apart(songs, 3, 10.0, np.random.RandomState(seed))
        assert sorted(songs.parts(chosen)[0][:, 0]) == sorted(set(songs.parts(chosen)[0][:, 0]))
        assert {(0, 0, 0, 1, 1, 2)[song] for song in chosen} == {0, 1, 2}
        assert len(set(_far_apart(songs, 6, 10.0, np.random.RandomState(seed)))) == 6
    same = GaussianTable.of(np.ones((4, 2)))
    assert sorted(_far_apart(same, 4, 1.0, np.random.RandomState(0))) == [0, 1, 2, 3]


def test_an_empty_cluster_gets_the_farthest_song():
    distances = np.array([[1.0, 9, 9, 9], [5, 9, 9, 9], [2, 9, 9, 9], [9, 7, 9, 9]])
    places = _fill_empty(distances.argmin(axis=1), distances)
    # Song 3 is the farthest from its centroid, but alone with it.
    assert list(places) == [0, 2, 3, 1]
    shares = _shares(np.array([0, 0]), np.array([0, 1]), 2, 2)
    np.testing.assert_allclose(shares, 0.5)


def test_songs_that_are_all_alike():
    X = np.repeat(gaussians(1, d=2), 6, axis=0)
    model = GaussianKMeans(3, random_state=0).fit(X, list("aaabbb"))
    assert model.predict(X).shape == (6,)
    assert np.isfinite(model.cluster_centers_).all()
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_scores_are_the_shares_of_labels():
    X, y = genres()
    y = y.copy()
    y[:5] = "rock"  # a quarter of the blues
    model = GaussianKMeans(3, select="inertia", random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X[:20]), np.tile([0.75, 0, 0.25], (20, 1)))
    assert set(model.predict(X[:20])) == {"blues"}


def test_more_clusters_than_songs():
    X, y = genres(2)
    with pytest.raises(InputError, match=r"n_clusters = 7 .*n_samples = 6"):
        GaussianKMeans(7).fit(X, y)
    assert GaussianKMeans(6, random_state=0).fit(X, y).accuracy_ == 1


def test_one_genre():
    X, _ = genres(3)
    model = GaussianKMeans(random_state=0).fit(X, ["jazz"] * 9)
    assert set(model.predict(X)) == {"jazz"}
    np.testing.assert_allclose(model.cluster_centers_[0], X.mean(axis=0))


@pytest.mark.parametrize(
    "settings",
    [
        {"n_clusters": 0},
        {"n_init": 0},
        {"max_iter": 0},
        {"min_distance": -1.0},
        {"select": "luck"},
        {"covariance": "round"},
    ],
)
def test_settings_out_of_range(settings):
    X, y = genres(4)
    with pytest.raises(InputError, match=next(iter(settings))):
        GaussianKMeans(**settings).fit(X, y)


def test_a_bad_row_is_named():
    X, y = genres(4)
    X[3, 4] = 0
    with pytest.raises(InputError, match="row 3 has a singular covariance"):
        GaussianKMeans().fit(X, y)
    with pytest.raises(InputError, match="found 19 columns"):
        GaussianKMeans().fit(X[:, 1:], y)


def test_comes_back_from_a_file():
    X, y = genres()
    model = GaussianKMeans(random_state=0).fit(X, y)
    own = ["gaussian_kmeans.GaussianKMeans", "gaussian_table.GaussianTable"]
    read = stored_and_read(model, own)
    assert np.array_equal(read.predict_proba(X), model.predict_proba(X))
    assert split_rows(read.cluster_centers_)[0].shape == (3, 4)
