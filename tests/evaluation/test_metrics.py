"""Metrics, against scikit-learn, published intervals and those of training."""

import json
import math

import numpy as np
import pytest
import sklearn.metrics
import torch

from genrenet.evaluation import metrics
from genrenet.training.metrics import StageMetrics
from tests.helpers.reports import guesses


@pytest.mark.parametrize("labels", [2, 5, 30])
def test_metrics_equal_scikit_learns(labels):
    target, scores = guesses(60, labels)
    best = scores.argmax(axis=1)
    confusion = metrics.confusion_matrix(target, scores)
    wanted = sklearn.metrics.confusion_matrix(target, best, labels=range(labels))
    assert (confusion == wanted).all()
    assert metrics.accuracy(target, scores) == pytest.approx(
        sklearn.metrics.accuracy_score(target, best)
    )
    assert metrics.macro_f1(confusion) == pytest.approx(
        sklearn.metrics.f1_score(target, best, average="macro", zero_division=0)
    )
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(
        target, best, labels=range(labels), zero_division=0
    )
    found = metrics.per_class(confusion)
    for name, values in [("precision", precision), ("recall", recall), ("f1", f1)]:
        assert found[name] == pytest.approx(values)
    assert (found["support"] == support).all()
    if labels > 2:
        assert metrics.top_k_accuracy(target, scores, 2) == pytest.approx(
            sklearn.metrics.top_k_accuracy_score(target, scores, k=2, labels=range(labels))
        )


def test_songs_that_were_not_decided_are_left_out():
    target, scores = guesses(50)
    more = np.concatenate([target, [-1, -1]]), np.concatenate([scores, np.zeros((2, 5))])
    labels = list("abcde")
    assert metrics.evaluate(*more, labels) == metrics.evaluate(target, scores, labels)


def test_evaluate_agrees_with_the_metrics_of_training():
    target, scores = guesses(80)
    stage = StageMetrics(list("abcde"), 80, "mean")
    stage.update(
        torch.tensor(scores), torch.tensor(target), torch.arange(80), torch.ones(80).bool()
    )
    live, found = stage.compute(), metrics.evaluate(target, scores, list("abcde"))
    assert found["song_accuracy"] == pytest.approx(float(live["song_accuracy"]))
    assert found["song_macro_f1"] == pytest.approx(float(live["song_f1"]))
    assert found["song_top2"] == pytest.approx(float(live["song_top2"]))
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("correct", "n", "lower", "upper"),
    # Published values: Newcombe, Statistics in Medicine 17, 1998, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_equal_published_ones(correct, n, lower, upper):
    assert metrics.wilson_interval(correct, n) == pytest.approx((lower, upper), abs=1e-4)
    mirrored = metrics.wilson_interval(n - correct, n)
    assert mirrored == pytest.approx((1 - upper, 1 - lower), abs=1e-4)


def test_wilson_intervals_at_the_ends():
    assert metrics.wilson_interval(0, 0) == (0.0, 1.0)
    assert metrics.wilson_interval(7, 7)[1] == 1.0
    wide, narrow = metrics.wilson_interval(5, 10, 0.99), metrics.wilson_interval(5, 10, 0.8)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    with pytest.raises(metrics.MetricError, match="8 of 7"):
        metrics.wilson_interval(8, 7)


def test_calibration_error_knows_honest_from_boastful():
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.5, 1.0, 20_000)
    scores = np.stack([confidence, 1 - confidence], axis=1)
    honest = (rng.random(20_000) > confidence).astype(int)
    assert metrics.calibration_error(honest, scores) < 0.02
    assert metrics.calibration_error(np.ones(4, int), [[1.0, 0.0]] * 4) == 1.0


@pytest.mark.parametrize(
    ("target", "scores", "message"),
    [
        ([0, 1], [[1.0, 0.0]], "do not fit"),
        ([0.5], [[1.0, 0.0]], "must be numbers"),
        ([0], [[math.nan, 0.0]], "1 bad scores"),
        ([2], [[1.0, 0.0]], "out of range"),
        ([-1], [[1.0, 0.0]], "nothing to measure"),
    ],
)
def test_impossible_input_is_named(target, scores, message):
    with pytest.raises(metrics.MetricError, match=message):
        metrics.evaluate(target, scores, ["a", "b"])


def broken(target, scores):
    raise KeyError("jazz")


@pytest.mark.parametrize(
    ("compute", "said"), [(broken, "KeyError"), (lambda target, scores: np.nan, "found nan")]
)
def test_a_metric_that_fails_is_named_and_left_out(compute, said):
    metric = metrics.Metric("odd", "Odd", "a metric of a plugin", compute)
    with pytest.warns(UserWarning, match=rf"'odd' is left out: .*{said}"):
        assert metric(*guesses(20)) is None


def test_registered_metrics_stand_in_the_results():
    target, scores = guesses(60, 3)
    found = metrics.evaluate(target, scores, list("abc"))
    for name, metric in metrics.song_metrics().items():
        assert found[f"song_{name}"] == metric(target, scores)
    two = metrics.evaluate(*guesses(60, 2), list("ab"))
    assert set(found) - set(two) == {"song_top2"}
