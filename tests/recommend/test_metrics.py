"""Metrics of recommendations: hand-computed examples, and limiting cases."""

import numpy as np
import pytest
from scipy import sparse

from genrenet.evaluation.metrics import MetricError
from genrenet.recommend import metrics

# Three users, six items. The first finds one of two, in the second place; the second all three; the
# third none of one, and is named one item only.
HELD = sparse.csr_matrix(
    np.array([[0, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1]], np.float32)
)
ITEMS = np.array([[0, 1, 3, 4], [2, 1, 0, 5], [4, -1, -1, -1]])


def test_precision_counts_places_and_recall_counts_all_that_was_held_out():
    assert metrics.precision(ITEMS, HELD, 2).tolist() == [0.5, 1.0, 0.0]
    assert metrics.recall(ITEMS, HELD, 2).tolist() == [0.5, 2 / 3, 0.0]
    assert metrics.recall(ITEMS, HELD, 4).tolist() == [0.5, 1.0, 0.0]
    assert metrics.precision(ITEMS, HELD, 4).tolist() == [0.25, 0.75, 0.0]


def test_ndcg_by_hand():
    first = (1 / np.log2(3)) / (1 + 1 / np.log2(3))
    assert metrics.ndcg(ITEMS, HELD, 2) == pytest.approx([first, 1.0, 0.0])
    # The best order of three held-out items has two of them among the first two.
    assert metrics.ndcg(ITEMS, HELD, 4)[1] == pytest.approx(1.0)


def test_novelty_is_self_information():
    users = np.array([8, 4, 2, 1, 0, 8])
    found = metrics.novelty(ITEMS, users, 8, 3)
    assert found == pytest.approx([(0 + 1 + 3) / 3, (2 + 1 + 0) / 3, 3.0])
    assert np.isnan(metrics.novelty([[-1, -1]], users, 8, 2)[0])


def test_coverage_and_what_it_is_without_each_user():
    share, without = metrics.coverage(ITEMS, 6, 3)
    assert share == 5 / 6
    for user in range(3):
        rest = np.delete(ITEMS, user, axis=0)
        assert without[user] == pytest.approx(metrics.coverage(rest, 6, 3)[0])
    low, high = metrics.jackknife_interval(share, without)
    assert 0 <= low < share < high <= 1


def test_against_the_definition_on_many_users():
    rng = np.random.default_rng(3)
    held = sparse.csr_matrix((rng.random((200, 50)) < 0.2).astype(np.float32))
    held = held[np.diff(held.indptr) > 0]
    items = np.argsort(rng.random(held.shape), axis=1)[:, :20]
    truth = [set(held[row].indices) for row in range(held.shape[0])]
    hits = [[item in wanted for item in row] for row, wanted in zip(items, truth, strict=True)]
    for k in (1, 10, 20):
        counts = np.array([sum(row[:k]) for row in hits])
        assert metrics.precision(items, held, k) == pytest.approx(counts / k)
        assert metrics.recall(items, held, k) == pytest.approx(
            counts / np.array([*map(len, truth)])
        )
    from sklearn.metrics import ndcg_score

    scores = np.zeros(held.shape)
    np.put_along_axis(scores, items, np.arange(20, 0, -1.0), axis=1)
    ours = metrics.ndcg(items, held, 10)
    # scikit-learn shares places among equal scores: those that are zero, all beyond the tenth.
    assert ours.mean() == pytest.approx(ndcg_score(held.toarray() > 0, scores, k=10))


def test_bootstrap_intervals_hold_what_they_promise():
    rng = np.random.default_rng(0)
    inside = 0
    for trial in range(100):
        values = rng.random((60, 1)) ** 2
        low, high = metrics.interval(
            metrics.bootstrap_means(values, seed=trial, resamples=400)[:, 0]
        )
        inside += low <= 1 / 3 <= high
    assert 86 <= inside <= 100


def test_bootstrap_draws_the_same_users_for_every_model_and_leaves_out_what_is_missing():
    values = np.random.default_rng(1).random((40, 2))
    draws = metrics.bootstrap_means(values, seed=5)
    assert draws[:, 1:] == pytest.approx(metrics.bootstrap_means(values[:, 1:], seed=5))
    holes = np.column_stack([values[:, 0], np.where(np.arange(40) < 20, np.nan, 1.0)])
    assert (metrics.bootstrap_means(holes)[:, 1] == 1).all()


@pytest.mark.parametrize(
    ("items", "k", "message"),
    [
        ([[0, 1]] * 2, 2, "do not fit"),
        (ITEMS, 5, "do not fit"),
        (ITEMS, 0, "do not fit"),
        (ITEMS + 2, 2, "out of range"),
    ],
)
def test_what_does_not_fit(items, k, message):
    with pytest.raises(MetricError, match=message):
        metrics.recall(items, HELD, k)


def test_users_without_held_out_items_cannot_be_measured():
    empty = sparse.csr_matrix((3, 6), dtype=np.float32)
    with pytest.raises(MetricError, match="without a held-out item"):
        metrics.ndcg(ITEMS, empty, 2)
