"""Significance of differences: McNemar, bootstrap over groups, Holm."""

import numpy as np
import pytest
from scipy.stats import binom

from genrenet.evaluation.metrics import MetricError, wilson_interval
from genrenet.evaluation.significance import accuracy_interval, holm, mcnemar, paired_bootstrap


def test_mcnemar_is_the_binomial_test_on_the_songs_only_one_got_right():
    first = [1] * 12 + [0] * 3 + [1] * 50 + [0] * 20
    second = [0] * 12 + [1] * 3 + [1] * 50 + [0] * 20
    expected = 2 * binom.cdf(3, 15, 0.5)
    assert mcnemar(first, second) == pytest.approx(expected)
    assert mcnemar(second, first) == pytest.approx(expected)
    assert mcnemar(first, first) == 1.0


def test_mcnemar_refuses_shares():
    with pytest.raises(MetricError, match="0 or 1"):
        mcnemar([0.5, 1.0], [1.0, 0.0])


def test_songs_of_one_artist_make_the_interval_wider():
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(20), 10)
    right = (rng.random(20) < 0.7).astype(float)[artists]  # an artist's songs fall together
    songs = accuracy_interval(right, range(200))
    grouped = accuracy_interval(right, artists)
    assert grouped[1] - grouped[0] > 2 * (songs[1] - songs[0])
    assert grouped[0] < right.mean() < grouped[1]


def test_the_bootstrap_tells_a_real_difference_from_chance():
    rng = np.random.default_rng(1)
    weak, strong = rng.random(400) < 0.5, rng.random(400) < 0.8
    found = paired_bootstrap(strong, weak)
    assert found["difference"] == pytest.approx(strong.mean() - weak.mean())
    assert found["lower"] > 0
    assert found["p"] < 0.01
    same = paired_bootstrap(strong, rng.permutation(strong))
    assert same["lower"] <= 0 <= same["upper"]
    assert same["p"] > 0.5


def test_the_bootstrap_holds_its_level():
    rng = np.random.default_rng(2)
    values = [
        paired_bootstrap(rng.random(60) < 0.6, rng.random(60) < 0.6, seed=i)["p"] for i in range(60)
    ]
    assert np.mean(np.array(values) < 0.05) < 0.15


def test_few_artists_never_make_a_difference_certain():
    """Swapping the models on whole artists: with g of them no p is below 2 / 2 ** g."""
    for artists in (1, 2, 3, 5):
        groups = np.repeat(np.arange(artists), 8)
        found = paired_bootstrap(np.ones(8 * artists), np.zeros(8 * artists), groups)
        assert found["p"] == pytest.approx(2 / 2**artists)
        assert found["groups"] == artists
    rng = np.random.default_rng(3)
    hits = 0
    for seed in range(200):
        groups = np.repeat(np.arange(4), 10)
        one, other = (rng.random(4)[groups] > 0.5 for _ in range(2))
        hits += paired_bootstrap(one, other, groups, seed=seed)["p"] < 0.05
    assert hits / 200 < 0.09


def test_an_interval_is_never_a_point():
    low, high = accuracy_interval(np.ones(40), np.repeat(np.arange(10), 4))
    assert low == pytest.approx(wilson_interval(40, 40)[0])
    assert high == 1.0


def test_songs_that_were_judged_more_often_weigh_more():
    found = paired_bootstrap([1.0, 0.0], [0.0, 0.0], times=[3, 1])
    assert found["difference"] == pytest.approx(0.75)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


def test_models_on_different_songs_cannot_be_compared():
    with pytest.raises(MetricError, match="same songs"):
        paired_bootstrap([1, 0], [1])
    with pytest.raises(MetricError, match="one at least"):
        mcnemar([], [])
