"""Thresholds of labels, chosen on validation songs."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from genrenet.models.thresholds import USUAL, choose_thresholds


def test_no_other_threshold_has_a_better_f1():
    rng = np.random.default_rng(0)
    target = rng.random((60, 3)) < 0.3
    scores = np.round(np.clip(rng.random((60, 3)) * 0.7 + 0.3 * target, 0, 1), 2)
    chosen = choose_thresholds(target, scores)
    for label, limit in enumerate(chosen):
        mine = f1_score(target[:, label], scores[:, label] >= limit)
        column = scores[:, label]
        others = [f1_score(target[:, label], column >= at) for at in set(column.tolist())]
        assert mine == pytest.approx(max(others))


def test_a_label_that_no_song_has_gets_what_is_best_for_all():
    target = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], bool)
    scores = np.array([[0.9, 0.3], [0.7, 0.2], [0.3, 0.9], [0.1, 0.8]])
    assert choose_thresholds(target, scores) == pytest.approx([0.5, 0.5])


def test_without_any_song_thresholds_are_the_usual_ones():
    assert choose_thresholds(np.zeros((0, 2)), np.zeros((0, 2))).tolist() == [USUAL, USUAL]
