"""Splits: who is on which side, for many seeds, and what leaks."""

import numpy as np
import pandas as pd
import pytest

from genrenet.data import splits
from genrenet.data.catalog import read_catalog
from genrenet.data.splits import PARTS, Split, SplitError
from genrenet.utils.errors import GenrenetError


def collection(genres=(("blues", 60), ("metal", 40), ("pop", 23)), artists=12, shared=2, seed=0):
    """A table of songs whose artists differ much in size; the first `shared` are in every genre."""
    rng = np.random.default_rng(seed)
    rows = []
    for genre, n in genres:
        for k in range(n):
            # Every artist has a song, the rest go to few: like a real collection.
            number = k if k < artists else int(rng.integers(artists) ** 2 / artists)
            artist = f"band {number}" if number < shared else f"{genre} band {number}"
            rows.append((f"{genre}/{k}", f"/music/{genre}/{k}.mp3", genre, artist))
    return pd.DataFrame(rows, columns=["track_id", "path", "genre", "artist"])


def by_part(table, split, column):
    return {part: table[column].iloc[split.indices(table, part)] for part in PARTS}


def assert_artists_apart(table, split):
    sides = {part: set(names) for part, names in by_part(table, split, "artist").items()}
    assert not sides["train"] & sides["test"]
    assert not sides["train"] & sides["validation"]
    assert not sides["validation"] & sides["test"]


# --- the split itself -------------------------------------------------------------------------


def test_indices_and_counts():
    table = collection()
    split = splits.stratified(table)
    found = np.concatenate([split.indices(table, part) for part in PARTS])
    assert sorted(found) == list(range(len(table)))
    assert split.counts() == {part: len(split.indices(table, part)) for part in PARTS}
    shuffled = table.sample(frac=1, random_state=3)
    for part in PARTS:
        assert set(by_part(shuffled, split, "track_id")[part]) == set(
            by_part(table, split, "track_id")[part]
        )
    fewer = table.iloc[10:50]
    assert set(fewer["track_id"].iloc[split.indices(fewer, "test")]) <= set(
        by_part(table, split, "track_id")["test"]
    )
    with pytest.raises(SplitError, match="'tset'"):
        split.indices(table, "tset")


def test_a_split_is_checked():
    with pytest.raises(SplitError, match="'a'"):
        Split("x", pd.Series(["train", "test"], index=["a", "a"]))
    with pytest.raises(SplitError, match="'dev'"):
        Split("x", pd.Series(["train", "dev"], index=["a", "b"]))
    assert issubclass(SplitError, GenrenetError)


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


# --- by genre ---------------------------------------------------------------------------------


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


# --- by artist --------------------------------------------------------------------------------


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


# --- folds ------------------------------------------------------------------------------------


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


# --- given splits -----------------------------------------------------------------------------


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


# --- files ------------------------------------------------------------------------------------


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


# --- real collections -------------------------------------------------------------------------


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
