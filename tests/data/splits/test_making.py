"""Random splits: by genre, by artist and in folds, for many seeds."""

import numpy as np
import pandas as pd
import pytest

from genrenet.data import splits
from genrenet.data.splits import PARTS, SplitError
from tests.helpers.split_songs import assert_artists_apart, by_part, collection

MAKERS = {
    "stratified": splits.stratified,
    "artist": splits.artist_disjoint,
    "70-30": splits.seventy_thirty,
    "fold": lambda table, seed=0: splits.k_fold(table, seed=seed)[1],
    "artist fold": lambda table, seed=0: splits.k_fold(table, seed=seed, by="artist")[1],
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_a_seed_decides_alone(make):
    table = collection()
    state = np.random.get_state()[1].copy()  # noqa: NPY002 (that it is left alone is the point)
    first = make(table, seed=5)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    np.random.default_rng().random()
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(first.parts, make(shuffled, seed=5).parts)
    assert first.name == make(table, seed=5).name
    assert "seed 5" in first.name
    assert not first.parts.equals(make(table, seed=6).parts)


@pytest.mark.parametrize("fractions", [(0.7, 0.1, 0.2), (0.5, 0.25, 0.25), (0.8, 0, 0.2)])
def test_stratified_keeps_the_fractions(fractions):
    table = collection()
    for seed in range(20):
        split = splits.stratified(table, fractions, seed)
        for part, fraction in zip(PARTS, fractions, strict=True):
            assert abs(split.counts()[part] - fraction * len(table)) <= 1
            counts = by_part(table, split, "genre")[part].value_counts()
            for genre, n in table["genre"].value_counts().items():
                assert abs(counts.get(genre, 0) - fraction * n) < 1.5


def test_rounding_does_not_add_up():
    """75 songs a genre, half a song left over for two parts: neither gets all of them."""
    table = collection([(f"g{n}", 75) for n in range(4)])
    assert splits.stratified(table).counts() == {"train": 210, "validation": 30, "test": 60}


def test_every_genre_is_in_every_part():
    table = collection([("many", 200), ("few", 3)])
    split = splits.stratified(table)
    assert all(set(found) == {"many", "few"} for found in by_part(table, split, "genre").values())


def test_seventy_thirty():
    table = collection()
    split = splits.seventy_thirty(table)
    assert split.counts()["validation"] == 0
    assert abs(split.counts()["train"] - 0.7 * len(table)) <= 1
    assert split.name == "70/30 stratified, seed 0"


def test_too_few_songs():
    table = collection([("many", 20), ("few", 2)])
    with pytest.raises(SplitError, match=r"'few': 2 songs.*at least 3"):
        splits.stratified(table)
    splits.stratified(table, (0.7, 0, 0.3))
    with pytest.raises(SplitError, match=r"'few': 2 songs.*at least 5"):
        splits.k_fold(table)


@pytest.mark.parametrize(
    "fractions",
    [(0.7, 0.1, 0.1), (1, 0, 0), (0, 0.5, 0.5), (1.2, -0.4, 0.2), (0.8, 0.2), (float("nan"), 0, 1)],
)
@pytest.mark.parametrize("make", [splits.stratified, splits.artist_disjoint])
def test_bad_fractions(make, fractions):
    with pytest.raises(SplitError, match="bad fractions"):
        make(collection(), fractions)


def test_no_artist_is_on_two_sides():
    for seed in range(25):
        table = collection(seed=seed, shared=seed % 4)
        split = splits.artist_disjoint(table, seed=seed)
        assert_artists_apart(table, split)
        assert sum(split.counts().values()) == len(table)
        assert all(
            set(g) == {"blues", "metal", "pop"} for g in by_part(table, split, "genre").values()
        )
        assert not splits.leakage(table, split, audio=False)


def test_artist_fractions_are_close():
    table = collection([("blues", 120), ("metal", 90), ("pop", 100)], artists=25)
    for seed in range(20):
        split = splits.artist_disjoint(table, seed=seed)
        for part, fraction in zip(PARTS, (0.7, 0.1, 0.2), strict=True):
            counts = by_part(table, split, "genre")[part].value_counts()
            for genre, n in table["genre"].value_counts().items():
                assert abs(counts[genre] / n - fraction) < 0.05


def test_spellings_of_an_artist_are_one():
    table = collection(shared=0)
    odd = table["artist"].str.upper().where(np.arange(len(table)) % 2 == 0, "  " + table["artist"])
    split = splits.artist_disjoint(table.assign(artist=odd))
    assert_artists_apart(table, split)


def test_unknown_artists_are_each_their_own():
    table = collection(shared=0)
    table.loc[::2, "artist"] = ""
    split = splits.artist_disjoint(table)
    assert_artists_apart(table[table["artist"] != ""], split)
    assert all(("" in set(names)) for names in by_part(table, split, "artist").values())
    nobody = splits.artist_disjoint(table.assign(artist=""))
    for part, fraction in zip(PARTS, (0.7, 0.1, 0.2), strict=True):
        assert abs(nobody.counts()[part] - fraction * len(table)) <= 2


@pytest.mark.parametrize("songs", [3, 12])
def test_a_genre_of_two_artists_is_trained_and_tested(songs):
    """Also where both in training would be nearer to the fractions, as with 12 and 11 songs."""
    table = collection(shared=0)
    rows = table["genre"] == "pop"
    table.loc[rows, "artist"] = np.where(np.arange(rows.sum()) < songs, "Ann", "Bea")
    for seed in range(20):
        split = splits.artist_disjoint(table, seed=seed)
        found = by_part(table, split, "genre")
        assert "pop" in set(found["train"])
        assert "pop" in set(found["test"])


def test_too_few_artists():
    table = collection(shared=0)
    table.loc[table["genre"] == "pop", "artist"] = "Ann"
    with pytest.raises(SplitError, match=r"'pop': 1 artists.*at least 2.*stratified"):
        splits.artist_disjoint(table)
    with pytest.raises(SplitError, match=r"too few artists for 3 parts: found 2 artists"):
        splits.artist_disjoint(table.assign(artist=["Ann", "Bea", *["Ann"] * (len(table) - 2)]))
    with pytest.raises(SplitError, match=r"'pop': 1 artists.*at least 5"):
        splits.k_fold(table, by="artist")


@pytest.mark.parametrize("by", ["genre", "artist"])
@pytest.mark.parametrize("n_folds", [2, 5])
def test_every_song_is_tested_once(by, n_folds):
    table = collection()
    for seed in range(8):
        folds = splits.k_fold(table, n_folds, seed, by)
        assert len({split.name for split in folds}) == len(folds) == n_folds
        tested = np.concatenate([split.indices(table, "test") for split in folds])
        assert sorted(tested) == list(range(len(table)))
        for split in folds:
            assert sum(split.counts().values()) == len(table)
            # One fold has the largest artist, 27 of 123 songs.
            assert abs(split.counts()["test"] - len(table) / n_folds) < 0.08 * len(table)
            rest = len(table) - split.counts()["test"]
            assert abs(split.counts()["validation"] - 0.1 * rest) < 0.05 * rest
            assert all(
                set(g) == set(table["genre"]) for g in by_part(table, split, "genre").values()
            )
            if by == "artist":
                assert_artists_apart(table, split)


def test_folds_without_validation():
    for split in splits.k_fold(collection(), 3, validation=0):
        assert split.counts()["validation"] == 0


def test_as_many_folds_as_songs():
    table = collection([("a", 4), ("b", 4)])
    for split in splits.k_fold(table, 4):
        assert split.counts() == {"train": 4, "validation": 2, "test": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "album"}, "'album'"),
        ({"n_folds": 1}, "too few folds"),
        ({"validation": 1}, "validation"),
        ({"seed": -1}, "bad seed"),
    ],
)
def test_bad_folds(arguments, message):
    with pytest.raises(SplitError, match=message):
        splits.k_fold(collection(), **arguments)
