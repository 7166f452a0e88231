"""Distances of Gaussians against a plain loop over pairs."""

import importlib.util
import sys

import numpy as np
import pytest
from genrenet_plugins.baselines.gaussian_rows import RIDGE, join_rows, split_rows
from genrenet_plugins.baselines.gaussian_table import GaussianTable, kl_between
from genrenet_plugins.baselines.gaussians import nearest, symmetric_kl
from genrenet_plugins.shared import InputError

from genrenet.utils.errors import GenrenetError
from tests.helpers.estimators import gaussians


def _loop(X, Y):
    """The definition, with its log-determinants, for one pair after the other."""
    means, covariances = split_rows(X)
    others, other_covariances = split_rows(Y)
    d = means.shape[1]

    def divergence(m, S, n, T):
        P, gap = np.linalg.inv(T), n - m
        logs = np.linalg.slogdet(T)[1] - np.linalg.slogdet(S)[1]
        return 0.5 * (np.trace(P @ S) + gap @ P @ gap - d + logs)

    found = np.empty((len(means), len(others)))
    for i, (m, S) in enumerate(zip(means, covariances, strict=True)):
        for j, (n, T) in enumerate(zip(others, other_covariances, strict=True)):
            found[i, j] = divergence(m, S, n, T) + divergence(n, T, m, S)
    return found


def _equal(found, wanted):
    assert np.abs((found - wanted) / np.maximum(wanted, 1)).max() < 1e-8


def _only_variances(X):
    means, covariances = split_rows(X)
    return join_rows(means, covariances * np.eye(means.shape[1]))


@pytest.mark.parametrize("block", [7, 512])
@pytest.mark.parametrize("spread", [0.0, 100.0])
def test_equals_the_loop(block, spread):
    X, Y = gaussians(40, spread=spread), gaussians(23, seed=1, spread=spread)
    _equal(symmetric_kl(X, Y, block=block), _loop(X, Y))
    _equal(symmetric_kl(X, block=block), _loop(X, X))


def test_equals_the_loop_where_everything_cancels():
    # Narrow songs close together, far from wide ones: the products' terms reach 1e9.
    X = np.concatenate(
        [
            gaussians(12, spread=1e-3, variances=(1e-4, 1e-3), centre=300.0),
            gaussians(12, seed=1, spread=1e-3, variances=(1e-4, 1e-3), centre=-300.0),
            gaussians(12, seed=2, spread=100.0, variances=(100.0, 1000.0)),
        ]
    )
    X[1] = X[0] * (1 + 1e-7)
    _equal(symmetric_kl(X), _loop(X, X))


def test_diagonal_takes_variances_only():
    X, Y = gaussians(20), gaussians(11, seed=1)
    wanted = _loop(_only_variances(X), _only_variances(Y))
    _equal(symmetric_kl(X, Y, diagonal=True), wanted)
    _equal(symmetric_kl(X, diagonal=True), _loop(_only_variances(X), _only_variances(X)))


def test_itself_is_at_zero_and_both_ways_are_equal():
    X = gaussians(30)
    found = symmetric_kl(X, block=8)
    assert (np.diag(found) == 0).all()
    assert np.array_equal(found, found.T)
    assert (found >= 0).all()


def test_moving_and_mapping_all_songs_changes_nothing():
    X = gaussians(20, d=3, spread=5.0, variances=(1.0, 10.0))
    means, covariances = split_rows(X)
    A = np.array([[2.0, 1.0, 0.0], [0.0, 0.5, 0.0], [0.0, 3.0, 4.0]])
    moved = join_rows((means + 1000.0) @ A.T, A @ covariances @ A.T)
    np.testing.assert_allclose(symmetric_kl(moved), symmetric_kl(X), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("block", [5, 512])
@pytest.mark.parametrize("index", ["blocked", "faiss"])
def test_nearest_are_those_of_the_whole_matrix(index, block):
    if index == "faiss":
        pytest.importorskip("faiss")
    X, Y = gaussians(31), gaussians(64, seed=1)
    distances, neighbours = nearest(X, Y, 6, block=block, index=index)
    wanted = _loop(X, Y)
    assert np.array_equal(neighbours, np.argsort(wanted, axis=1)[:, :6])
    _equal(distances, np.sort(wanted, axis=1)[:, :6])


def test_nearest_of_equals_is_the_first():
    X = np.tile(gaussians(4), (5, 1))
    distances, neighbours = nearest(X[:4], X, 3, block=3)
    assert (distances == 0).all()
    assert np.array_equal(neighbours, [[i, i + 4, i + 8] for i in range(4)])
    alone = [nearest(X[i : i + 1], X, 7)[1][0] for i in range(4)]
    assert np.array_equal(nearest(X[:4], X, 7)[1], alone)


def test_nearest_takes_as_many_as_there_are_and_no_more():
    X = gaussians(4)
    assert np.array_equal(np.sort(nearest(X, X, 4)[1], axis=1), np.tile(np.arange(4), (4, 1)))
    with pytest.raises(InputError, match=r"k = 5 .*n_samples = 4"):
        nearest(X, X, 5)
    with pytest.raises(InputError, match="at least 1"):
        nearest(X, X, 0)


def test_a_table_serves_for_rows():
    X, Y = gaussians(9), gaussians(5, seed=1)
    table = GaussianTable.of(Y)
    assert len(table) == 5
    assert np.array_equal(nearest(X, table, 2)[1], nearest(X, Y, 2)[1])
    picked = kl_between(table.take(np.array([3])), table)
    np.testing.assert_allclose(picked, symmetric_kl(Y)[3:4], atol=1e-9)


def test_a_singular_covariance_is_regularised():
    frames = np.random.default_rng(0).standard_normal((6, 15)) * 10
    short = join_rows(frames.mean(0)[None], np.cov(frames, rowvar=False)[None])
    covariances = split_rows(np.concatenate([gaussians(2), short]))[1]
    added = np.diagonal(covariances[2]) / np.var(frames, axis=0, ddof=1) - 1
    np.testing.assert_allclose(added, RIDGE, rtol=1e-6)
    X = np.concatenate([gaussians(5), short])
    found, wanted = symmetric_kl(X), _loop(X, X)
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(split_rows(X)[1][:5], gaussians(5)[:, 15:].reshape(5, 15, 15))


def test_what_is_wrong_is_named_with_its_row():
    X = gaussians(700, d=2)  # more than a block
    for change, message in {
        (0, np.nan): "row 600 holds NaN",
        (1, np.inf): "row 600 holds NaN or infinity",
        (2, 0.0): "row 600 has a singular covariance",
        (5, -1.0): "row 600 has a singular covariance",
        (3, 7e5): "row 600 .*not symmetric",
    }.items():
        bad = X.copy()
        bad[600, change[0]] = change[1]
        for use in (split_rows, symmetric_kl, GaussianTable.of):
            with pytest.raises(InputError, match=message):
                use(bad)
    bad = X.copy()
    bad[[5, 600], 3] = bad[[5, 600], 4] = 1e6
    with pytest.raises(InputError, match=r"row 5 .*not positive definite.*\(and 1 more"):
        split_rows(bad)
    assert issubclass(InputError, (ValueError, GenrenetError))


def test_rows_of_another_shape():
    with pytest.raises(InputError, match=r"found 7 columns, wanted d \+ d \* d"):
        split_rows(np.ones((2, 7)))
    with pytest.raises(InputError, match="shape"):
        split_rows(np.ones(6))
    with pytest.raises(InputError, match="found shape"):
        symmetric_kl(np.empty((0, 6)))
    with pytest.raises(InputError, match="another dimension: found 3, wanted 2"):
        symmetric_kl(gaussians(2, d=2), gaussians(2, d=3))


def test_faiss_that_is_absent_names_the_extra(monkeypatch):
    if importlib.util.find_spec("faiss") is not None:
        monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(InputError, match=r"genrenet\[faiss\]"):
        nearest(gaussians(3), gaussians(3), 1, index="faiss")
