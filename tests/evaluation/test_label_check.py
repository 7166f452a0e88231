"""Suspicious labels, and inseparable genres."""

import numpy as np
import pandas as pd
import pytest

from genrenet.evaluation.label_check import (
    check_labels,
    check_run,
    confident_genres,
    hard_pairs,
)
from genrenet.evaluation.metrics import MetricError
from genrenet.evaluation.report.label_section import label_lines

LABELS = ["jazz", "pop", "rock"]


def decided(target, scores, model="one", seed=0, protocol="artist-5fold"):
    """A table of predictions."""
    genres = np.array(LABELS)
    rows = pd.DataFrame(
        {
            "protocol": protocol,
            "model": model,
            "seed": seed,
            "fold": 0,
            "track_id": [f"t{number:03d}" for number in range(len(target))],
            "path": [f"songs/{number:03d}.mp3" for number in range(len(target))],
            "artist": "",
            "genre": genres[target],
            "predicted": genres[scores.argmax(axis=1)],
            "confidence": scores.max(axis=1),
        }
    )
    return rows.assign(**{f"score_{label}": scores[:, i] for i, label in enumerate(LABELS)})


def collection(seed, wrong=(), n=150):
    """Labels, of which some are wrong, and scores: jazz is clear, pop and rock are guessed."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 3
    noise = rng.normal(0, 0.4, (n, 3))
    logits = np.where(truth[:, None] == np.arange(3), 4.0, 0.0)
    logits[truth > 0, 1:] = 2.0
    scores = np.exp(logits + noise)
    target = truth.copy()
    target[list(wrong)] = 0
    return target, scores / scores.sum(axis=1, keepdims=True)


def test_thresholds_are_the_mean_scores_of_each_genres_songs():
    scores = np.array([[0.9, 0.1, 0.0], [0.5, 0.4, 0.1], [0.2, 0.8, 0.0], [0.72, 0.28, 0.0]])
    # Thresholds: 0.7 for jazz, (0.8 + 0.28) / 2 for pop, and none for rock, which no song has.
    assert confident_genres(np.array([0, 0, 1, 1]), scores).tolist() == [0, -1, 1, 0]


def test_wrong_labels_are_found_by_all_methods():
    wrong = (1, 2, 4)  # pop and rock songs that are labelled jazz
    tables = []
    for number, name in enumerate(("one", "two", "three")):
        target, scores = collection(number, wrong)
        tables.append(decided(target, scores, name))
    found = check_labels(pd.concat(tables), LABELS)
    by_all = [one["path"] for one in found["suspects"] if one["methods"] == one["of"]]
    assert {f"songs/{number:03d}.mp3" for number in wrong} <= set(by_all)
    assert found["contradicted_by_all"]["count"] == len(by_all)
    top = [one for one in found["suspects"] if one["genre"] == "jazz"]
    assert [one["path"] for one in top[:3]] != []
    assert all(one["suggested"] in ("pop", "rock") and one["margin"] > 0.3 for one in top)
    assert set(top[0]["said"]) == {"one", "two", "three"}
    # Pop and rock are a coin's toss; jazz is not mixed up with either beyond the wrong labels.
    (pair,) = [pair for pair in found["pairs"] if pair["errors"]["share"] > 0.5]
    assert pair["genres"] == ["pop", "rock"]
    low, high = pair["within"]["ci95"]
    assert not pair["told_apart"]
    assert low < pair["chance"] < high + 0.1
    assert pair["merged"]["share"] == pytest.approx((150 - 3) / 150, abs=0.01)
    assert found["top2"]["share"] > 0.95
    assert found["accuracy"]["count"] + found["errors"] == 150


def test_a_clear_collection_has_nothing_to_say():
    target = np.arange(90) % 3
    scores = np.full((90, 3), 0.05)
    scores[np.arange(90), target] = 0.9
    found = check_labels(decided(target, scores), LABELS)
    assert (found["suspects"], found["pairs"], found["errors"]) == ([], [], 0)
    assert found["wrong_in_all"]["count"] == 0
    assert any("separated" in line for line in label_lines(found))


def test_seeds_are_averaged_and_songs_of_all_methods_count():
    target, scores = collection(0)
    once = decided(target, scores)
    twice = pd.concat([decided(target, scores, seed=0), decided(target, scores, seed=1)])
    assert check_labels(once, LABELS) == check_labels(twice, LABELS)
    fewer = pd.concat([once, decided(target[:60], scores[:60], "two")])
    assert check_labels(fewer, LABELS)["songs"] == 60
    with pytest.raises(MetricError, match="no song that all methods decided"):
        check_labels(once.iloc[:0], LABELS)


def test_methods_that_failed_are_left_out():
    target, scores = collection(0)
    table = pd.concat([decided(target, scores), decided(target[:30], scores[:30], "failed")])
    models = [
        {"protocol": "artist-5fold", "name": "one", "accuracy": 0.5},
        {"protocol": "artist-5fold", "name": "failed", "accuracy": None},
    ]
    (found,) = check_run(LABELS, models, table)
    assert (found["protocol"], found["methods"], found["songs"]) == ("artist-5fold", ["one"], 150)


def test_a_pair_that_is_told_apart_is_listed_where_it_makes_up_much_of_the_errors():
    target = np.repeat([0, 1, 2], 100)
    scores = np.full((300, 3), 0.1)
    scores[np.arange(300), target] = 0.8
    scores[100:110] = [0.1, 0.3, 0.6]  # ten pop songs that are called rock
    (pair,) = hard_pairs(target, scores, LABELS)
    assert (pair["genres"], pair["told_apart"]) == (["pop", "rock"], True)
    assert (pair["errors"]["count"], pair["errors"]["n"]) == (10, 10)
    assert (pair["within"]["count"], pair["within"]["n"]) == (190, 200)
    assert pair["merged"]["count"] == 300
