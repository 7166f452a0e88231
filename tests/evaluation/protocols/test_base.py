"""Protocols: their folds, and errors."""

import pandas as pd
import pytest

from genrenet.data.splits import Split, SplitError, leakage
from genrenet.evaluation.protocols import Fold, Protocol, ProtocolKind, protocols, why_they_differ
from genrenet.plugins import manager as plugins


def songs(n_artists=12, per_artist=3, artists=True):
    rows = [
        (f"{genre}-{artist}-{song}", genre, f"{genre} {artist}" if artists else "")
        for genre in ("jazz", "rock")
        for artist in range(n_artists // 2)
        for song in range(per_artist)
    ]
    table = pd.DataFrame(rows, columns=["track_id", "genre", "artist"])
    return table.assign(path=table["track_id"] + ".wav")


def test_artist_folds_test_each_song_once_and_keep_artists_apart():
    table = songs()
    (protocol,) = protocols("artist-5fold", 2)
    for seed in protocol.seeds:
        folds = protocol.folds(table, seed)
        tested = [track for f in folds for track in f.split.parts.index[f.split.parts == "test"]]
        assert sorted(tested) == sorted(table["track_id"])
        for fold in folds:
            assert fold.split.counts()["validation"] > 0
            assert not fold.own_validation
            parts = table["track_id"].map(fold.split.parts)
            sides = {name: set(table["artist"][parts == name]) for name in ("train", "test")}
            assert sides["train"]
            assert sides["test"]
            assert not sides["train"] & sides["test"]
            assert leakage(table, fold.split, audio=False).artists == {}


def test_70_30_and_other_numbers_of_folds():
    table = songs()
    thirty, three = protocols("70-30, stratified-3fold", 1)
    (fold,) = thirty.folds(table, 0)
    counts = fold.split.counts()
    assert counts["test"] == pytest.approx(0.3 * len(table), abs=1)
    assert counts["validation"] > 0
    assert len(three.folds(table, 0)) == 3


def test_the_column_gives_the_split():
    table = songs().assign(split=["train", "test", "train"] * 12)
    (protocol,) = protocols("column", 1)
    (fold,) = protocol.folds(table, 0)
    assert fold.split.counts()["test"] == 12
    assert not fold.own_validation  # its validation songs were drawn here
    own = songs().assign(split=["train", "test", "validation"] * 12)
    (fold,) = protocol.folds(own, 0)
    assert fold.own_validation
    own["split"] = ["validation"] + ["train", "test"] * 17 + ["train"]
    (fold,) = protocol.folds(own, 0)
    assert not fold.own_validation  # one song does not suffice for choosing
    with pytest.raises(SplitError, match="lacks a column"):
        protocol.folds(songs(), 0)
    with pytest.raises(SplitError, match="no test songs"):
        protocol.folds(songs().assign(split="train"), 0)


def test_fault_filtered_knows_gtzan(shared_data):
    from genrenet.evaluation.datasets import read_dataset

    data = read_dataset(shared_data / "gtzan-features" / "features_30_sec.csv")
    (protocol,) = protocols("fault-filtered", 1)
    (fold,) = protocol.folds(data.table, 0)
    assert fold.split.counts() == {"train": 443, "validation": 197, "test": 290}
    assert fold.own_validation


def test_too_few_artists_for_the_folds():
    (protocol,) = protocols("artist-5fold", 1)
    with pytest.raises(SplitError, match="too few artists for 5 folds"):
        protocol.folds(songs(n_artists=6), 0)
    with pytest.raises(SplitError, match="needs artists"):
        protocol.folds(songs(artists=False), 0)
    few = songs()
    few.loc[few.index[5:], "artist"] = ""
    with pytest.raises(SplitError, match="the artists of 5 of 36 songs"):
        protocol.folds(few, 0)


@pytest.mark.parametrize("name", ["artist", "artist-1fold", "10fold", "", "leave-one-out"])
def test_unknown_protocols(name):
    with pytest.raises(SplitError, match="unknown protocol"):
        protocols(name, 1)


def test_no_seeds():
    with pytest.raises(SplitError, match="number of seeds"):
        protocols("70-30", 0)


def test_words_only_where_lenient_meets_strict():
    assert "memory" in why_they_differ(protocols("stratified-10fold,fault-filtered", 1))
    assert why_they_differ(protocols("stratified-10fold,70-30", 1)) == ""


@pytest.fixture
def added(monkeypatch):
    """A kind that is registered beside the built-in ones, as a plugin does."""

    def add(folds, **more):
        found = dict(plugins.contributions("register_protocols"))
        kind = ProtocolKind("mine", "my own", "What it means.", folds, **more)
        found["mine"] = plugins.Contribution(kind, "my-plugin", "my-package 1.0")
        monkeypatch.setattr("genrenet.evaluation.protocols.base.contributions", lambda hook: found)
        return protocols("mine", 1)[0]

    return add


def parts_of(table, parts):
    return Split("s", pd.Series(parts, index=table["track_id"]))


def test_a_kind_of_ones_own(added):
    table = songs()
    halves = [["train", "test"] * 18, ["test", "train"] * 18]
    protocol = added(lambda table, seed: [parts_of(table, parts) for parts in halves])
    assert protocol.meaning == "What it means."
    assert not protocol.lenient
    for fold in protocol.folds(table, 0):
        # Validation songs are taken by artist, as no artist is on two sides of a strict one.
        assert fold.split.counts()["test"] == 18
        assert fold.split.counts()["validation"] > 0
        assert not fold.own_validation
        parts = table["track_id"].map(fold.split.parts)
        assert not {*table["artist"][parts == "train"]} & {*table["artist"][parts == "validation"]}
    (subset,) = protocols("mine@3-shot", 1)
    assert [len(fold.split.parts) for fold in subset.folds(table, 0)] == [18 + 6, 18 + 6]


def test_one_song_of_a_genre_is_learnt_from(added):
    table = songs()
    first = table["track_id"].isin(["jazz-0-0", "rock-0-0"])
    protocol = added(
        lambda table, seed: [parts_of(table, ["train" if f else "test" for f in first])]
    )
    (fold,) = protocol.folds(table, 0)
    assert fold.split.counts() == {"train": 2, "validation": 0, "test": 34}


@pytest.mark.parametrize(
    ("folds", "said"),
    [
        (lambda table, seed: [], "has no folds"),
        (lambda table, seed: [parts_of(table, "train")], "has no test songs"),
        (lambda table, seed: [parts_of(table, "test")], "has no training songs"),
        (
            lambda table, seed: [Fold(parts_of(table, ["train", "test"] * 18))] * 2,
            "tests a song twice with one seed: found 'jazz-0-1'",
        ),
        (
            lambda table, seed: 1 / 0,
            "the protocol 'mine' of my-package 1.0 failed: found ZeroDivisionError",
        ),
    ],
)
def test_kinds_that_go_wrong(added, folds, said):
    with pytest.raises(SplitError, match=said):
        added(folds).folds(songs(), 0)


@pytest.mark.parametrize(
    "more", [{"name": "a,b"}, {"name": "a@b"}, {"pattern": "other"}, {"pattern": "("}]
)
def test_kinds_that_cannot_be_asked_for(more):
    with pytest.raises(SplitError, match="protocol"):
        ProtocolKind(**{"name": "a", "summary": "", "meaning": "", "folds": list, **more})


def test_across_needs_two_collections():
    with pytest.raises(SplitError, match="needs two collections"):
        Protocol("across", (0,)).folds(songs(), 0)


def test_a_name_that_is_nearly_one():
    with pytest.raises(SplitError, match="fault-filtered"):
        protocols("fault-filterd", 1)
