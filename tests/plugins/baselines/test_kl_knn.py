"""Neighbours of Gaussians: votes, ties, settings, scikit-learn's contract."""

import numpy as np
import pytest
from genrenet_plugins.baselines.gaussians import symmetric_kl
from genrenet_plugins.baselines.kl_knn import KLNearestNeighbours
from genrenet_plugins.shared import InputError, vote
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.helpers.estimators import PIPELINES_OWN, AsGaussians, gaussians, genres, stored_and_read


@parametrize_with_checks(
    [
        make_pipeline(AsGaussians(), KLNearestNeighbours(3)),
        make_pipeline(AsGaussians(), KLNearestNeighbours(3, weights="distance", block=7)),
    ],
    expected_failed_checks=lambda estimator: PIPELINES_OWN,
)
def test_scikit_learns_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
@pytest.mark.parametrize("weights", ["votes", "distance"])
def test_equals_scikit_learn_on_the_matrix_of_distances(covariance, weights):
    X, Z = gaussians(50, d=3), gaussians(20, d=3, seed=1)
    y = np.random.default_rng(0).choice(["a", "b", "c"], 50)
    model = KLNearestNeighbours(7, covariance=covariance, weights=weights).fit(X, y)
    plain = {"votes": "uniform", "distance": "distance"}[weights]
    other = KNeighborsClassifier(7, metric="precomputed", weights=plain)
    diagonal = covariance == "diagonal"
    other.fit(symmetric_kl(X, diagonal=diagonal), y)
    wanted = other.predict_proba(symmetric_kl(Z, X, diagonal=diagonal))
    np.testing.assert_allclose(model.predict_proba(Z), wanted, atol=1e-8)
    np.testing.assert_allclose(model.predict_proba(Z).sum(axis=1), 1)


def test_learns_genres():
    X, y = genres()
    model = KLNearestNeighbours().fit(X[::2], y[::2])
    assert model.score(X[1::2], y[1::2]) == 1
    assert list(model.classes_) == ["blues", "jazz", "rock"]
    assert model.n_features_in_ == 20


def test_ties_go_to_the_nearest():
    distances = np.array([[1.0, 2.0, 3.0, 4.0]])
    for codes in ([2, 0, 0, 2], [0, 2, 2, 0], [1, 0, 0, 1], [0, 1, 1, 0]):
        scores = vote(distances, np.array([codes]), 3)
        assert scores.argmax() == codes[0]
        np.testing.assert_allclose(np.sort(scores)[0], [0, 0.5, 0.5], atol=2e-9)
    assert vote(distances, np.array([[0, 1, 1, 2]]), 3).argmax() == 1


def test_ties_of_songs_that_are_equally_far_go_to_the_first():
    X = np.repeat(gaussians(1, d=2), 4, axis=0)
    for y in (["b", "a", "a", "b"], ["a", "b", "b", "a"]):
        assert KLNearestNeighbours(4).fit(X, y).predict(X[:1])[0] == y[0]


def test_distance_weights_with_songs_at_zero():
    codes = np.array([[0, 1, 1]])
    shares = {(0.0, 1.0, 2.0): 1.0, (0.0, 0.0, 2.0): 0.5, (1.0, 2.0, 2.0): 0.5}
    for distances, wanted in shares.items():
        scores = vote(np.array([distances]), codes, 2, "distance")
        np.testing.assert_allclose(scores[0, 0], wanted, atol=2e-9)
        assert scores.argmax() == 0
    tiny = vote(np.array([[1e-320, 1e300, np.inf]]), codes, 2, "distance")
    assert np.isfinite(tiny).all()


def test_more_neighbours_than_songs():
    X, y = genres(2)
    with pytest.raises(InputError, match=r"n_neighbors = 7 .*n_samples = 6"):
        KLNearestNeighbours(7).fit(X, y)
    assert KLNearestNeighbours(6).fit(X, y).predict(X).shape == (6,)


def test_one_genre_and_two():
    X, _ = genres(4)
    one = KLNearestNeighbours().fit(X, ["jazz"] * 12)
    assert set(one.predict(X)) == {"jazz"}
    np.testing.assert_allclose(one.predict_proba(X), np.ones((12, 1)))
    two = KLNearestNeighbours(1).fit(X, [0] * 6 + [1] * 6)
    assert list(two.predict(X)) == [0] * 6 + [1] * 6


@pytest.mark.parametrize(
    "settings",
    [
        {"n_neighbors": 0},
        {"n_neighbors": 1.5},
        {"covariance": "round"},
        {"weights": "uniform"},
        {"index": "tree"},
        {"block": 0},
    ],
)
def test_settings_out_of_range(settings):
    X, y = genres(4)
    with pytest.raises(InputError, match=next(iter(settings))):
        KLNearestNeighbours(**settings).fit(X, y)


def test_rows_that_are_no_gaussians():
    X, y = genres(4)
    with pytest.raises(InputError, match="found 19 columns"):
        KLNearestNeighbours().fit(X[:, 1:], y)
    with pytest.raises(ValueError, match="NaN"):
        KLNearestNeighbours().fit(np.where(X[3, 0] == X, np.nan, X), y)
    model = KLNearestNeighbours().fit(X, y)
    with pytest.raises(ValueError, match="expecting 20 features"):
        model.predict(X[:, 1:])
    X[3, 4] = 0
    with pytest.raises(InputError, match="row 3 has a singular covariance"):
        model.predict(X)


def test_faiss_gives_the_same():
    pytest.importorskip("faiss")
    X, y = genres()
    model = KLNearestNeighbours().fit(X, y)
    other = clone(model).set_params(index="faiss").fit(X, y)
    assert np.array_equal(model.kneighbors(X)[1], other.kneighbors(X)[1])
    assert np.array_equal(model.predict_proba(X), other.predict_proba(X))


def test_comes_back_from_a_file():
    X, y = genres()
    model = KLNearestNeighbours().fit(X, y)
    read = stored_and_read(model, ["gaussian_table.GaussianTable", "kl_knn.KLNearestNeighbours"])
    assert np.array_equal(read.predict_proba(X), model.predict_proba(X))
    assert read.get_params() == model.get_params()


def test_local_scaling_by_hand():
    X, Z = gaussians(40, d=3), gaussians(15, d=3, seed=1)
    y = np.random.default_rng(0).choice(["a", "b"], 40)
    model = KLNearestNeighbours(5, local_scaling=4, block=7).fit(X, y)
    among, asked = symmetric_kl(X), symmetric_kl(Z, X)
    others = np.sort(among + np.diag(np.full(40, np.inf)), axis=1)[:, :4].mean(axis=1)
    own = np.sort(asked, axis=1)[:, :4].mean(axis=1)
    wanted = asked / np.sqrt(own[:, None] * others)
    distances, neighbours = model.kneighbors(Z)
    np.testing.assert_array_equal(neighbours, np.argsort(wanted, axis=1)[:, :5])
    np.testing.assert_allclose(distances, np.sort(wanted, axis=1)[:, :5], rtol=1e-9)
    again = stored_and_read(model, ["gaussian_table.GaussianTable", "kl_knn.KLNearestNeighbours"])
    np.testing.assert_array_equal(again.predict_proba(Z), model.predict_proba(Z))


def test_local_scaling_spreads_the_neighbours():
    """Some songs are nearest to very many others; scaled, they are so no more."""
    X, y = gaussians(300, d=15), np.zeros(300, int)
    y[150:] = 1
    counts = []
    for n in (0, 10):
        _, neighbours = KLNearestNeighbours(6, local_scaling=n).fit(X, y).kneighbors(X)
        counts.append(np.bincount(neighbours[:, 1:].ravel(), minlength=300))
    assert counts[1].max() < counts[0].max()
    assert (counts[1] == 0).sum() < (counts[0] == 0).sum()


def test_copies_of_one_song_can_be_scaled():
    X = np.repeat(gaussians(2, d=3), 6, axis=0)
    y = ["a"] * 6 + ["b"] * 6
    assert list(KLNearestNeighbours(3, local_scaling=4).fit(X, y).predict(X)) == y


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"local_scaling": -1}, "local_scaling"), ({"local_scaling": 3, "index": "faiss"}, "faiss")],
)
def test_local_scaling_refuses(settings, said):
    X = gaussians(10, d=3)
    with pytest.raises(InputError, match=said):
        KLNearestNeighbours(3, **settings).fit(X, [0, 1] * 5)
