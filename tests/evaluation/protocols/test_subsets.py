"""Reduced training sets: their sizes and units, and unchanged test sets."""

from collections import Counter

import pandas as pd
import pytest

from genrenet.data.splits import SplitError, leakage
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.protocols.subsets import Subset

PER_GENRE = {"folk": 24, "jazz": 12, "rock": 40}


@pytest.fixture(scope="module")
def table():
    """Songs of genres of several sizes, four of each artist; one artist makes two genres."""
    rows = [
        (f"{genre}-{number:02d}", genre, f"{genre} {number // 4}")
        for genre, count in PER_GENRE.items()
        for number in range(count)
    ]
    found = pd.DataFrame(rows, columns=["track_id", "genre", "artist"])
    found.loc[found["artist"] == "folk 0", "artist"] = "rock 0"
    return found.assign(path=found["track_id"] + ".wav")


def folds(name, table, seed=0):
    (protocol,) = protocols(name, seed + 1)
    return protocol.folds(table, seed)


def learnt(table, fold):
    parts = table["track_id"].map(fold.split.parts)
    return table[parts.isin(["train", "validation"])]


@pytest.mark.parametrize("base", ["artist-3fold", "stratified-3fold", "70-30"])
@pytest.mark.parametrize("seed", [0, 1])
def test_sizes_are_kept_nested_and_leave_the_judged_songs_alone(table, base, seed):
    whole = folds(base, table, seed)
    smaller = [set() for _ in whole]
    for size in ("6-songs", "13-songs", "50%-songs", "40-songs"):
        for number, fold in enumerate(folds(f"{base}@{size}", table, seed)):
            before, split = whole[number].split, fold.split
            assert set(split.parts.index[split.parts == "test"]) == set(
                before.parts.index[before.parts == "test"]
            )
            songs = learnt(table, fold)
            every = learnt(table, whole[number])
            wanted = round(len(every) / 2) if "%" in size else int(size.split("-")[0])
            assert len(songs) == wanted
            assert set(songs["track_id"]) <= set(every["track_id"])
            assert smaller[number] <= set(songs["track_id"])
            smaller[number] = set(songs["track_id"])
            # In the genres' proportions, as far as whole songs allow, one of each at least.
            counts = Counter(songs["genre"])
            for genre, share in every["genre"].value_counts(normalize=True).items():
                assert counts[genre] >= 1
                assert counts[genre] == pytest.approx(share * wanted, abs=1.3)
            trained = table[table["track_id"].map(split.parts) == "train"]
            assert set(trained["genre"]) == set(PER_GENRE)
            # Who was apart from those learnt from stays so.
            if base.startswith("artist"):
                assert not leakage(table, split, audio=False).artists
    assert split.counts()["validation"] > 0


def test_other_seeds_and_folds_are_other_draws(table):
    drawn = [
        frozenset(learnt(table, fold)["track_id"])
        for seed in range(3)
        for fold in folds("column@9-songs", table.assign(split=["train", "test"] * 38), seed)
    ]
    assert len(set(drawn)) == 3
    again = folds("column@9-songs", table.assign(split=["train", "test"] * 38).iloc[::-1], 2)
    assert frozenset(again[0].split.parts.index[again[0].split.parts != "test"]) == drawn[2]


def test_a_few_of_each_genre(table):
    before = [set() for _ in range(3)]
    for shots in (1, 2, 5):
        for number, fold in enumerate(folds(f"artist-3fold@{shots}-shot", table)):
            songs = learnt(table, fold)
            assert dict(Counter(songs["genre"])) == dict.fromkeys(PER_GENRE, shots)
            assert before[number] <= set(songs["track_id"])
            before[number] = set(songs["track_id"])
    with pytest.raises(SplitError, match=r"genre 'jazz': 8 in fold 1, seed 0$|genre 'jazz': 8"):
        folds("artist-3fold@9-shot", table)


def test_artists_come_with_all_their_songs(table):
    whole = folds("artist-3fold", table)
    before = [set() for _ in whole]
    for size in ("3-artists", "6-artists", "50%-artists", "1-artists-per-genre"):
        for number, fold in enumerate(folds(f"artist-3fold@{size}", table)):
            songs, every = learnt(table, fold), learnt(table, whole[number])
            names = set(songs["artist"])
            if size.endswith("per-genre"):
                assert len(names) in (2, 3)  # one of them may make two genres
            else:
                share = round(every["artist"].nunique() / 2)
                assert len(names) == (share if "%" in size else int(size[0]))
                assert before[number] <= names
                before[number] = names
            assert set(songs["genre"]) == set(PER_GENRE)
            pd.testing.assert_frame_equal(songs, every[every["artist"].isin(names)])
    few = table.assign(split=["train", "test"] * 38)
    few.loc[few["genre"] == "jazz", "artist"] = "jazz 0"
    with pytest.raises(SplitError, match="too few artists to train on 2 of each genre"):
        folds("column@2-artists-per-genre", few)


def test_segments_of_a_song_stay_together(table):
    cut = pd.concat([table.assign(song=table["track_id"])] * 2, ignore_index=True)
    cut["track_id"] += [f"#{number // len(table)}" for number in range(len(cut))]
    for fold in folds("stratified-3fold@10-songs", cut):
        songs = learnt(cut, fold)
        assert songs["song"].nunique() == 10
        assert len(songs) == 20


def test_validation_songs_that_suffice_are_kept_for_choosing(table):
    own = table.assign(split=["train", "train", "validation", "test"] * 19)
    assert folds("column", own)[0].own_validation
    assert folds("column@80%-songs", own)[0].own_validation is False  # of jazz there are two
    assert folds("column@100%-songs", own)[0].own_validation


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("70-30@2-songs", "for one of each of 3 genres: found 2 songs, wanted at least 3"),
        ("70-30@1%-songs", "found 1 % songs of 53: 1, wanted at least 3"),
        ("70-30@60-songs", "too few songs to train on 60: found 53 in fold 1, seed 0"),
        ("70-30@60-artists", "too few artists to train on 60"),
    ],
)
def test_sizes_that_the_songs_do_not_allow(table, name, said):
    with pytest.raises(SplitError, match=said):
        folds(name, table)


@pytest.mark.parametrize(
    "size", ["", "5", "0-shot", "songs", "0-songs", "101%-songs", "5-albums", "-1-songs", "5%-shot"]
)
def test_what_is_no_size(size):
    with pytest.raises(SplitError, match="the size of the training set"):
        protocols(f"70-30@{size}", 1)


def test_what_a_size_says():
    assert Subset.parse("5-shot").meaning.startswith("Trained on 5 songs of each genre only")
    assert Subset.parse("1-shot").meaning.startswith("Trained on 1 song of each genre only")
    assert Subset.parse("2.5%-artists").label == "2.5 %"
    (protocol,) = protocols("artist-5fold@8-artists", 1)
    assert "no artist is in both" in protocol.meaning
    assert "with all their songs" in protocol.meaning
