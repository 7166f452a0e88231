"""Given splits: by a list, a column, a kind or a file."""

import numpy as np
import pandas as pd
import pytest

from genrenet.data import splits
from genrenet.data.catalog import read_catalog
from genrenet.data.splits import PARTS, SplitError
from tests.helpers.split_songs import assert_artists_apart, by_part, collection


def gtzan():
    genres = ("blues", "classical", "country", "disco", "hiphop",
              "jazz", "metal", "pop", "reggae", "rock")  # fmt: skip
    names = [(genre, f"{genre}.{n:05}") for genre in genres for n in range(100)]
    return pd.DataFrame(
        [(f"{g}/{name}", f"/gtzan/{g}/{name}.au", g, "") for g, name in names],
        columns=["track_id", "path", "genre", "artist"],
    )


def test_fault_filtered():
    table = gtzan()
    split = splits.fault_filtered(table)
    assert split.counts() == {"train": 443, "validation": 197, "test": 290}
    assert split.name == "fault-filtered"
    assert split.parts["blues/blues.00029"] == "train"
    assert split.parts["blues/blues.00000"] == "validation"
    assert split.parts["blues/blues.00012"] == "test"
    left_out = len(table) - sum(len(split.indices(table, part)) for part in PARTS)
    assert left_out == 70


def test_fault_filtered_lists_are_those_of_torchaudio():
    from torchaudio.datasets import gtzan as theirs

    table = gtzan()
    parts = splits.fault_filtered(table).parts
    for part, names in (
        ("train", theirs.filtered_train),
        ("validation", theirs.filtered_valid),
        ("test", theirs.filtered_test),
    ):
        ours = {track.split("/")[1] for track, kept in parts.items() if kept == part}
        assert ours == set(names)


def test_fault_filtered_with_what_is_there():
    table = gtzan()
    split = splits.fault_filtered(table[table["track_id"] != "jazz/jazz.00054"])
    assert split.name == "fault-filtered, 929 of its 930 songs"
    assert split.counts() == {"train": 442, "validation": 197, "test": 290}
    with pytest.raises(SplitError, match=r"GTZAN's file names"):
        splits.fault_filtered(collection())


def test_by_column():
    table = collection([("a", 3), ("b", 3)])
    table["split"] = ["training", "valid", "test", "Train", "", None]
    split = splits.by_column(table)
    assert split.parts.tolist() == ["train", "validation", "test", "train"]
    assert split.name == "column 'split'"
    assert splits.by_column(table.rename(columns={"split": "fold"}), "fold").counts()["train"] == 2
    with pytest.raises(SplitError, match="'held-out'"):
        splits.by_column(table.assign(split="held-out"))
    with pytest.raises(SplitError, match="no song in 'train'"):
        splits.by_column(table.assign(split="test"))
    with pytest.raises(SplitError, match="wanted 'fold'"):
        splits.by_column(table, "fold")


def test_auto_takes_the_best_there_is():
    table = collection()
    assert splits.make_split(table).name == "artist-disjoint, seed 0"
    known = np.where(np.arange(len(table)) % 5 == 0, "", table["artist"])
    assert splits.make_split(table.assign(artist=known)).name == "stratified, seed 0"
    assert splits.make_split(table.drop(columns="artist")).name == "stratified, seed 0"
    given = table.assign(split=np.resize(["train", "test"], len(table)))
    assert splits.make_split(given).name == "column 'split'"
    assert splits.make_split(given.assign(split="")).name == "artist-disjoint, seed 0"
    assert splits.make_split(given, fold=0).name == "artist-disjoint 5-fold, fold 1, seed 0"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("stratified", "stratified, seed 3"), ("artist", "artist-disjoint, seed 3"),
     ("70-30", "70/30 stratified, seed 3")],
)  # fmt: skip
def test_kinds(kind, name):
    assert splits.make_split(collection(), kind, seed=3).name == name


def test_make_split_takes_folds():
    table = collection()
    for kind, by in (("stratified", "genre"), ("artist", "artist")):
        made = splits.make_split(table, kind, seed=2, fold=1, n_folds=3)
        pd.testing.assert_series_equal(made.parts, splits.k_fold(table, 3, 2, by)[1].parts)
    for arguments in ({"kind": "70-30", "fold": 0}, {"fold": 5}, {"fold": -1}):
        with pytest.raises(SplitError, match="fold"):
            splits.make_split(table, **arguments)


def test_make_split_says_what_is_wrong():
    table = collection()
    with pytest.raises(SplitError, match=r"'random'.*'fault-filtered'"):
        splits.make_split(table, "random")
    with pytest.raises(SplitError, match="wanted 'split'"):
        splits.make_split(table, "column")
    with pytest.raises(SplitError, match="wanted 'genre'"):
        splits.stratified(table.drop(columns="genre"))
    with pytest.raises(SplitError, match="wanted 'artist'"):
        splits.artist_disjoint(table.drop(columns="artist"))
    with pytest.raises(SplitError, match="no songs"):
        splits.stratified(table[:0])
    with pytest.raises(SplitError, match="twice"):
        splits.stratified(pd.concat([table, table]))


def test_write_and_read(tmp_path):
    table = collection([("blues, early", 10), ("#metal", 10), ("Ä", 10)])
    split = splits.artist_disjoint(table, seed=7)
    splits.write_split(split, tmp_path / "split.csv")
    back = splits.read_split(tmp_path / "split.csv", table)
    assert back.name == split.name == "artist-disjoint, seed 7"
    assert back.parts.to_dict() == split.parts.to_dict()


def test_a_split_from_elsewhere(tmp_path):
    table = collection([("a", 3), ("b", 3)])
    (tmp_path / "mine.csv").write_text("split,track_id\ntraining,a/0\ntest,b/2\n")
    split = splits.read_split(tmp_path / "mine.csv", table)
    assert split.name == "file 'mine.csv'"
    assert split.parts.to_dict() == {"a/0": "train", "b/2": "test"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"track_id,split\nzzz,train\na/0,test\n", "1 of 2: 'zzz'.*such as 'a/0'"),
        (b"track_id,split\na/0,train\na/0,test\n", "twice: found 'a/0'"),
        (b"track_id,split\na/0,learn\n", "'learn'"),
        (b"id,part\na/0,train\n", "'id', 'part'.*track_id and split"),
        (b"", "an empty file"),
        (b"track_id,split\na/0\n", "row 2"),
        (b"track_id,split\n\xff,train\n", "cannot read"),
    ],
)
def test_files_that_do_not_fit(tmp_path, content, message):
    (tmp_path / "split.csv").write_bytes(content)
    with pytest.raises(SplitError, match=message):
        splits.read_split(tmp_path / "split.csv", collection([("a", 3), ("b", 3)]))


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(SplitError, match="cannot read"):
        splits.read_split(tmp_path / "none.csv", collection())
    with pytest.raises(SplitError, match="cannot write"):
        splits.write_split(splits.stratified(collection()), tmp_path / "no" / "folder.csv")


def test_a_split_that_cannot_be_written_leaves_what_was_there(tmp_path):
    split = splits.stratified(collection())
    splits.write_split(split, tmp_path / "split.csv")
    before = (tmp_path / "split.csv").read_bytes()
    split.parts.index = pd.Index([f"{name}\udce9" for name in split.parts.index], dtype=object)
    with pytest.raises(SplitError, match="cannot write"):
        splits.write_split(split, tmp_path / "split.csv")
    assert (tmp_path / "split.csv").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_emotify_by_artist(shared_data):
    table = read_catalog(shared_data / "emotify", tags=False).table
    for seed in range(10):
        split = splits.make_split(table, seed=seed)
        assert split.name == f"artist-disjoint, seed {seed}"
        assert_artists_apart(table, split)
        for part, wanted in (("train", 52.5), ("validation", 7.5), ("test", 15)):
            counts = by_part(table, split, "genre")[part].value_counts()
            assert len(counts) == 4
            assert (counts - wanted).abs().max() <= 3
    assert splits.leakage(table, splits.stratified(table), audio=False).artists


def test_part_of_gtzan(shared_data):
    table = read_catalog(shared_data / "gtzan-excerpts").table
    split = splits.make_split(table, "fault-filtered")
    assert split.counts() == {"train": 19, "validation": 24, "test": 4}
    assert split.name == "fault-filtered, 47 of its 930 songs"
    assert not splits.leakage(table, split)
