"""Filter and refine: candidates, and the same results as exhaustive search."""

import numpy as np
import pytest
from genrenet_plugins.baselines import kl_knn
from genrenet_plugins.baselines.gaussian_filter import GaussianFilter, embedded
from genrenet_plugins.baselines.gaussians import GaussianTable, join_rows, split_rows, symmetric_kl
from genrenet_plugins.baselines.kl_knn import KLNearestNeighbours
from genrenet_plugins.baselines.local_scaling import filtered_reaches, reaches

from tests.helpers.estimators import gaussians, genres, stored_and_read


def jittered(count, *, d=6, seed=0, size=0.1):
    """Gaussians near to 40 different ones."""
    rng = np.random.default_rng(seed)
    means, covariances = split_rows(gaussians(40, d=d, spread=3.0, variances=(0.5, 5.0)))
    one = rng.integers(0, 40, count)
    roots = np.linalg.cholesky(covariances[one])
    moved = means[one] + size * (roots @ rng.standard_normal((count, d, 1)))[:, :, 0]
    roots = roots + size * roots @ rng.standard_normal((count, d, d))
    return join_rows(moved, roots @ roots.transpose(0, 2, 1))


@pytest.mark.parametrize("diagonal", [False, True])
def test_vectors_of_near_songs_are_as_far_apart_as_these(diagonal):
    X = jittered(200, size=0.01)
    table = GaussianTable.of(X, diagonal=diagonal)
    vectors = embedded(table).astype(float)
    apart = ((vectors[:, None] - vectors[None]) ** 2).sum(axis=-1) / 2
    exact = symmetric_kl(X, diagonal=diagonal)
    close = (exact > 0) & (exact < np.quantile(exact, 0.02))
    assert np.corrcoef(apart[close], exact[close])[0, 1] > 0.8
    whole = np.corrcoef(np.sqrt(apart).ravel(), np.sqrt(exact).ravel())[0, 1]
    assert whole > 0.8


@pytest.mark.parametrize("settings", [{}, {"local_scaling": 10}, {"covariance": "diagonal"}])
def test_finds_what_comparing_all_finds(settings):
    X, Z = jittered(2000), jittered(100, seed=1)
    y = np.arange(2000) % 2
    exact = KLNearestNeighbours(10, index="blocked", **settings).fit(X, y)
    quick = KLNearestNeighbours(10, index="filter", **settings).fit(X, y)
    (far, wanted), (found_far, found) = exact.kneighbors(Z), quick.kneighbors(Z)
    shared = np.mean([len({*a} & {*b}) / 10 for a, b in zip(found, wanted, strict=True)])
    assert shared >= 0.95
    same = found == wanted
    np.testing.assert_allclose(found_far[same], far[same], rtol=0.05 if settings else 1e-9)
    assert (np.diff(found_far, axis=1) >= 0).all()


def test_the_reaches_by_a_filter_are_those_by_all():
    table = GaussianTable.of(jittered(800))
    exact = reaches(table, 5, 256)
    quick = filtered_reaches(GaussianFilter(table), table, 5)
    assert (quick >= exact * (1 - 1e-9)).all()
    assert np.mean(quick <= exact * 1.001) > 0.9


def test_local_scaling_from_a_sample():
    X, Z = jittered(600), jittered(30, seed=1)
    y = np.arange(600) % 2
    plain = KLNearestNeighbours(5, local_scaling=5).fit(X, y)
    every = KLNearestNeighbours(5, local_scaling=5, scaling_sample=600).fit(X, y)
    np.testing.assert_array_equal(every.reach_, plain.reach_)
    some = KLNearestNeighbours(5, local_scaling=5, scaling_sample=100).fit(X, y)
    chosen = np.random.RandomState(0).permutation(600)[:100]
    among = symmetric_kl(X, X[chosen])
    among[chosen, np.arange(100)] = np.inf
    wanted = np.sort(among, axis=1)[:, :5].mean(axis=1)
    np.testing.assert_allclose(some.reach_, wanted, rtol=1e-8)
    scaled = symmetric_kl(Z, X) / np.sqrt(some.reach_)
    np.testing.assert_array_equal(some.kneighbors(Z)[1], np.argsort(scaled, axis=1)[:, :5])


def test_large_collections_are_filtered_by_themselves(monkeypatch):
    X, y = genres()
    exact = KLNearestNeighbours().fit(X, y)
    assert exact.filter_ is None
    monkeypatch.setattr(kl_knn, "EXACT", 59)
    quick = KLNearestNeighbours().fit(X, y)
    assert quick.filter_ is not None
    # So few songs are all proposed.
    np.testing.assert_array_equal(quick.kneighbors(X)[1], exact.kneighbors(X)[1])
    np.testing.assert_allclose(quick.predict_proba(X), exact.predict_proba(X))


def test_copies_one_song_and_one_question():
    X = np.repeat(gaussians(2, d=3), 6, axis=0)
    y = ["a"] * 6 + ["b"] * 6
    model = KLNearestNeighbours(6, local_scaling=20, index="filter").fit(X, y)
    assert list(model.predict(X)) == y
    assert list(model.predict(X[:1])) == ["a"]
    one = KLNearestNeighbours(1, local_scaling=2, index="filter").fit(X[:1], y[:1])
    assert list(one.predict(X)) == ["a"] * 12


def test_comes_back_from_a_file():
    X, y = genres()
    model = KLNearestNeighbours(local_scaling=4, index="filter").fit(X, y)
    model.predict(X)
    own = ["gaussian_filter.GaussianFilter", "gaussian_table.GaussianTable"]
    read = stored_and_read(model, [*own, "kl_knn.KLNearestNeighbours"])
    np.testing.assert_array_equal(read.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("settings", [{"candidates": 0}, {"scaling_sample": -1}])
def test_settings_out_of_range(settings):
    X, y = genres(4)
    with pytest.raises(ValueError, match=next(iter(settings))):
        KLNearestNeighbours(**settings).fit(X, y)
