"""Leakage in the folds of a table of features."""

import numpy as np
import pandas as pd
import pytest

from genrenet.data.splits import Split
from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.leakage import LISTED, leaks

TRACKS = [f"t{n}" for n in range(6)]


def dataset(artists=(), features=None):
    """Six songs, each of its own artist if nothing else is said."""
    table = pd.DataFrame({"track_id": TRACKS, "path": "", "genre": ["a", "b"] * 3})
    table["artist"] = [*artists] or [f"artist {n}" for n in range(6)]
    rows = np.arange(12.0).reshape(6, 2) if features is None else features
    return Dataset("six", "six.csv", table, rows, ("x", "y"))


def fold(test):
    return Split("fold", pd.Series({t: "test" if t in test else "train" for t in TRACKS}))


FOLDS = [fold(["t0", "t1"]), fold(["t2", "t3"]), fold(["t4", "t5"])]


def test_nothing_on_more_than_one_side(tmp_path):
    text = leaks(dataset(), {"p": FOLDS, "q": FOLDS[:1]}, tmp_path)
    assert text["p"].startswith("p: no leak was found (6 songs, all 3 folds checked)")
    assert text["q"].startswith("q: no leak was found (6 songs, 1 split checked)")


def test_an_artist_on_two_sides_counts_in_each_fold(tmp_path):
    artists = ["Ada", "Bea", "Ada", "Cleo", "Dora", "Eve"]
    text = leaks(dataset(artists), {"p": FOLDS}, tmp_path)["p"]
    assert text.startswith("p: leaks in 2 of 3")
    assert "artists in more than one part: 1\n    Ada: folds: 2" in text


def test_the_very_same_features_on_two_sides(tmp_path):
    rows = np.arange(12.0).reshape(6, 2)
    rows[5] = rows[0]  # apart in the first and the third fold
    rows[3] = rows[2]  # never apart
    text = leaks(dataset(features=rows), {"p": FOLDS}, tmp_path)["p"]
    assert text.startswith("p: leaks in 2 of 3")
    assert "identical features in more than one part: 1\n    t0 = t5: folds: 2" in text


def test_answers_are_kept_for_the_same_songs_and_splits(tmp_path):
    first = leaks(dataset(), {"p": FOLDS}, tmp_path)
    kept = tmp_path / "leaks.json"
    kept.write_text(kept.read_text().replace("no leak was found", "kept"))
    assert leaks(dataset(), {"p": FOLDS}, tmp_path)["p"] == first["p"].replace(
        "no leak was found", "kept"
    )
    assert "kept" not in leaks(dataset(), {"p": FOLDS[:2]}, tmp_path)["p"]
    kept.write_text(kept.read_text().replace("no leak was found", "kept"))
    assert "kept" not in leaks(dataset(["Ada"] * 6), {"p": FOLDS[:2]}, tmp_path)["p"]
    kept.write_text("{")
    assert leaks(dataset(), {"p": FOLDS}, tmp_path) == first


@pytest.mark.parametrize("more", [0, 3])
def test_long_lists_are_cut(tmp_path, more):
    pairs = LISTED + more
    tracks = [f"s{n}" for n in range(2 * pairs)]
    table = pd.DataFrame({"track_id": tracks, "path": "", "genre": "a"})
    table["artist"] = [f"artist {n % pairs}" for n in range(2 * pairs)]
    split = Split("s", pd.Series(["train"] * pairs + ["test"] * pairs, tracks))
    songs = Dataset("many", "many.csv", table, np.arange(2.0 * pairs)[:, None], ("x",))
    text = leaks(songs, {"p": [split]}, tmp_path)["p"]
    assert text.count(": folds: 1") == LISTED
    assert (f"and {more} more" in text) == bool(more)
