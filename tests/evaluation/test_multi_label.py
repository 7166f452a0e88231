"""mAP, ROC-AUC, F1 and their intervals where songs have several genres."""

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from genrenet.evaluation.metrics import MetricError
from genrenet.evaluation.multi_label import Part, compare, evaluate, sampled
from genrenet.models.rankings import rankings


def made_up(n=80, labels=4, seed=0, strength=0.4):
    """Targets, and scores with ties that follow them."""
    rng = np.random.default_rng(seed)
    target = rng.random((n, labels)) < 0.3
    return target, np.clip(np.round(rng.random((n, labels)) * 0.6 + strength * target, 1), 0, 1)


def as_parts(target, scores, folds=2):
    songs = np.array([f"s{row}" for row in range(len(target))])
    cut = [slice(fold, None, folds) for fold in range(folds)]
    limits = np.full(target.shape[1], 0.5)
    return [Part(list(songs[some]), target[some], scores[some], limits) for some in cut]


def test_rankings_are_those_of_scikit_learn():
    target, scores = made_up()
    precision, auc = rankings(target, scores)
    assert precision == pytest.approx(average_precision_score(target, scores, average=None))
    assert auc == pytest.approx(roc_auc_score(target, scores, average=None))


def test_weights_count_songs_as_often_as_they_say():
    target, scores = made_up()
    weights = np.random.default_rng(1).integers(0, 4, (3, len(target)))
    precision, auc = rankings(target, scores, weights)
    for row, mine in enumerate(weights):
        wanted = average_precision_score(target, scores, average=None, sample_weight=mine)
        assert precision[row] == pytest.approx(wanted)
        wanted = roc_auc_score(target, scores, average=None, sample_weight=mine)
        assert auc[row] == pytest.approx(wanted)


def test_labels_that_all_or_none_have_are_left_out_and_counted():
    target, scores = made_up()
    target[:, 0], target[:, 1] = False, True
    target[::2, 2] = False  # of the first fold, none
    found = evaluate(as_parts(target, scores), list("abcd"))
    assert [row["average_precision"] is None for row in found["per_label"]] == [1, 1, 0, 0]
    assert [row["parts"] for row in found["per_label"]] == [0, 0, 1, 2]
    assert (found["left_out"], found["pairs"]) == (5, 8)
    second = average_precision_score(target[1::2, 2], scores[1::2, 2])
    assert found["per_label"][2]["average_precision"] == pytest.approx(second)
    last = np.mean([average_precision_score(target[f::2, 3], scores[f::2, 3]) for f in range(2)])
    assert found["map"] == pytest.approx((second + last) / 2)


def test_figures_at_thresholds_are_those_of_scikit_learn():
    target, scores = made_up()
    found = evaluate(as_parts(target, scores), list("abcd"))
    named = scores >= 0.5
    for average in ("macro", "micro"):
        assert found[f"f1_{average}"] == pytest.approx(f1_score(target, named, average=average))
        for name, score in (("precision", precision_score), ("recall", recall_score)):
            wanted = score(target, named, average=average, zero_division=0)
            assert found[f"{name}_{average}"] == pytest.approx(wanted)
    assert [row["support"] for row in found["per_label"]] == target.sum(axis=0).tolist()


def test_intervals_hold_the_figure_and_widen_with_groups():
    target, scores = made_up()
    parts = as_parts(target, scores)
    groups = {song: int(song[1:]) // 20 for part in parts for song in part.songs}
    found = evaluate(parts, list("abcd"), groups)
    for name in ("map", "roc_auc", "f1_macro", "f1_micro"):
        low, high = found[f"{name}_ci95"]
        wide = found[f"{name}_ci95_artists"]
        assert wide[0] <= low < found[name] < high <= wide[1]
    assert evaluate(parts, list("abcd"))["map_ci95_artists"] is None


def test_an_interval_of_auc_is_as_wide_as_theory_has_it():
    """Hanley and McNeil's standard error, for one label and independent songs."""
    rng = np.random.default_rng(3)
    target = np.repeat([True, False], (60, 140))[:, None]
    scores = 1 / (1 + np.exp(-(rng.standard_normal((200, 1)) + 1.2 * target)))
    songs = [f"s{row}" for row in range(200)]
    found = evaluate([Part(songs, target, scores, np.array([0.5]))], ["a"])
    a, m, n = found["roc_auc"], 60, 140
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = (a * (1 - a) + (m - 1) * (q1 - a * a) + (n - 1) * (q2 - a * a)) / (m * n)
    low, high = found["roc_auc_ci95"]
    assert high - low == pytest.approx(2 * 1.96 * variance**0.5, rel=0.2)


def test_the_paired_comparison_tells_a_better_model_from_a_twin():
    target, good = made_up(strength=0.4)
    bad = made_up(seed=5, strength=0.0)[1]
    better = compare(as_parts(target, good), as_parts(target, bad))
    assert better["map"]["difference"] > 0.2
    assert better["map"]["ci95"][0] > 0
    assert better["map"]["p"] < 0.01
    assert better["n"] == better["groups"] == 80
    twin = compare(as_parts(target, good), as_parts(target, good))
    assert (twin["map"]["difference"], twin["map"]["p"]) == (0, 1)
    turned = compare(as_parts(target, bad), as_parts(target, good))
    assert turned["map"]["difference"] == -better["map"]["difference"]


def test_only_songs_that_both_judged_are_compared():
    target, scores = made_up()
    parts = as_parts(target, scores)
    assert compare(parts, parts[:1])["n"] == 40
    assert compare(parts[:1], parts[1:]) is None


def test_samples_draw_groups_as_a_whole():
    drawn = sampled([0, 0, 1, 2, 2, 2])
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert (drawn[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_parts_that_do_not_fit():
    with pytest.raises(MetricError, match="do not fit"):
        Part(["a"], np.zeros((2, 3), bool), np.zeros((2, 3)), np.zeros(3))
    with pytest.raises(MetricError, match="finite"):
        Part(["a"], np.zeros((1, 2), bool), np.full((1, 2), np.nan), np.zeros(2))
