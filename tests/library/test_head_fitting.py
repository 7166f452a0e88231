"""A linear head refitted to a few songs, close to the old one."""

import numpy as np
import pytest

from genrenet.library.head_fitting import Head, fit_head, taught_targets


@pytest.fixture
def old():
    rng = np.random.default_rng(0)
    return Head(0.25 * rng.standard_normal((3, 64)), 0.3 * rng.standard_normal(3))


def songs(n, seed=1):
    return np.random.default_rng(seed).standard_normal((n, 64))


@pytest.mark.parametrize("activation", ["softmax", "normalised-sigmoid", "sigmoid"])
def test_songs_whose_answers_are_to_stay_leave_the_head_as_it_is(old, activation):
    x = songs(40)
    found = fit_head(old, x, old.scores(x, activation), np.ones(40), activation, pull=0.5)
    assert found.scores(x, activation) == pytest.approx(old.scores(x, activation), abs=1e-4)


@pytest.mark.parametrize("activation", ["softmax", "normalised-sigmoid", "sigmoid"])
def test_corrected_songs_are_learnt_and_the_others_keep_their_first_genre(old, activation):
    x = songs(60)
    before = old.scores(x, activation)
    target = (before[:3].argmax(axis=1) + 1) % 3
    targets = before.copy()
    targets[:3] = taught_targets(before[:3], target, activation)
    counts = np.where(np.arange(60) < 3, 3.0, 1.0)
    found = fit_head(old, x, targets, counts, activation, pull=0.01)
    after = found.scores(x, activation)
    learnt = after[np.arange(3), target] - before[np.arange(3), target]
    assert (learnt > 0.2).all()
    assert (after[3:].argmax(axis=1) == before[3:].argmax(axis=1)).mean() > 0.8
    # The stronger the pull, the less changes.
    far = np.abs(found.weight - old.weight).sum()
    near = fit_head(old, x, targets, counts, activation, pull=100.0)
    assert np.abs(near.weight - old.weight).sum() < far / 10


def test_new_genres_have_next_to_no_score_until_they_are_taught(old):
    x = songs(40)
    wide = old.widened(2, x)
    scores = wide.scores(x, "softmax")
    assert scores.shape == (40, 5)
    assert np.median(scores[:, 3:]) < 0.01
    assert (scores.argmax(axis=1) == old.scores(x, "softmax").argmax(axis=1)).mean() > 0.9
    special = x[:8] + 2.0  # songs of the new genre lie elsewhere
    rows = np.concatenate([special, x])
    before = wide.scores(rows, "softmax")
    targets = before.copy()
    targets[:8] = taught_targets(before[:8], np.full(8, 4), "softmax")
    found = fit_head(wide, rows, targets, np.ones(48), "softmax", pull=0.1)
    unseen = songs(20, seed=7) + 2.0
    assert (found.logits(unseen).argmax(axis=1) == 4).mean() > 0.9
    assert (found.logits(songs(20, seed=8)).argmax(axis=1) != 4).all()


def test_what_taught_songs_are_to_say():
    old = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.6]])
    assert taught_targets(old, [1, 1], "softmax").tolist() == [[0, 1, 0], [0, 1, 0]]
    # Of a tagger only the wrong first genre goes.
    assert taught_targets(old, [1, 1], "sigmoid").tolist() == [[0, 1, 0.1], [0.1, 1, 0.6]]


def test_one_song_alone_moves_the_bias(old):
    x = songs(1)
    target = np.zeros((1, 3))
    target[0, old.logits(x)[0].argmin()] = 1.0
    found = fit_head(old, x, target, [5.0], "softmax", pull=0.1)
    assert np.isfinite(found.weight).all()
    assert found.logits(x).argmax() == old.logits(x).argmin()
