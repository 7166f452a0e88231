"""Data for evaluation: collections and tables of features, valid and invalid."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from genrenet.evaluation.datasets import DatasetError, read_dataset


def table(path, n=6, **columns):
    """A table of features of two genres in GTZAN's manner, with columns added or replaced."""
    frame = pd.DataFrame(
        {
            "filename": [f"{'blues' if i % 2 else 'metal'}.{i:05d}.wav" for i in range(n)],
            "length": 661794,
            "centroid_mean": np.linspace(1, 2, n),
            "tempo": np.linspace(60, 180, n),
            "label": ["blues" if i % 2 else "metal" for i in range(n)],
        }
    )
    for name, values in columns.items():
        if values is None:
            frame = frame.drop(columns=name)
        else:
            frame[name] = values
    frame.to_csv(path, index=False)
    return path


def test_a_table_of_features(tmp_path):
    data = read_dataset(table(tmp_path / "features.csv"))
    assert data.labels == ["blues", "metal"]
    assert data.columns == ("centroid_mean", "tempo")  # not the length of the file
    assert data.features.shape == (6, 2)
    assert list(data.table["track_id"][:2]) == ["metal.00000", "blues.00001"]
    assert not data.artists


def test_the_file_name_carries_the_genre(tmp_path):
    data = read_dataset(table(tmp_path / "features.csv", label=None))
    assert list(data.table["genre"][:2]) == ["metal", "blues"]


def test_parquet_artists_and_split(tmp_path):
    frame = pd.read_csv(table(tmp_path / "x.csv"))
    frame["Artist"], frame["Split"] = list("aabbcc"), ["train"] * 4 + ["test"] * 2
    frame.to_parquet(tmp_path / "x.parquet")
    data = read_dataset(tmp_path / "x.parquet")
    assert data.artists
    assert list(data.table["split"]) == ["train"] * 4 + ["test"] * 2


def test_gtzan_features(shared_data):
    data = read_dataset(shared_data / "gtzan-features" / "features_30_sec.csv")
    assert data.features.shape == (1000, 57)
    assert len(data.labels) == 10
    assert not data.problems
    four = data.only(["classical", "jazz", "metal", "pop"])
    assert len(four.table) == 400
    assert four.features.shape == (400, 57)
    assert four.digest != data.digest


def test_a_collection_of_songs(music):
    data = read_dataset(music)
    assert data.features is None
    assert data.labels == ["bass", "middle", "treble"]


def test_rows_without_numbers_are_left_out_and_named(tmp_path):
    values = [1.0, np.nan, 3.0, np.inf, 5.0, 6.0]
    data = read_dataset(table(tmp_path / "f.csv", tempo=values))
    assert len(data.table) == 4
    assert [str(p) for p in data.problems] == [
        "bad-value: blues.00001.wav: row 3: no finite number in tempo",
        "bad-value: blues.00003.wav: row 5: no finite number in tempo",
    ]


def test_columns_that_are_no_features(tmp_path):
    frame = pd.read_csv(table(tmp_path / "x.csv"))
    frame = frame.assign(genre_id=[0, 1] * 3, fold=1, comment=np.nan, day="2020-01-01", Year=1999)
    frame["loud"] = ["True", "", "True", "False", "", "True"]
    frame.to_csv(tmp_path / "x.csv", index=False)
    data = read_dataset(tmp_path / "x.csv")
    assert data.columns == ("centroid_mean", "tempo", "loud")
    assert len(data.table) == 4
    assert "column 'comment' holds nothing" in str(data.problems[0])


def test_numbers_that_came_as_text_are_numbers(tmp_path):
    frame = pd.read_csv(table(tmp_path / "x.csv"))
    frame["tempo"] = frame["tempo"].astype(str)
    frame["size"] = [1e300, 1, 2, 3, 4, 5]
    frame.to_parquet(tmp_path / "x.parquet")
    data = read_dataset(tmp_path / "x.parquet")
    assert data.columns == ("centroid_mean", "tempo", "size")
    assert "no finite number in size" in str(data.problems[0])


def test_a_table_of_files_stays_a_collection(music, tmp_path):
    songs = sorted(music.rglob("*.wav"))
    rows = {"path": songs, "genre": [song.parent.name for song in songs], "bpm": 120}
    pd.DataFrame(rows).to_csv(tmp_path / "songs.csv", index=False)
    data = read_dataset(tmp_path / "songs.csv")
    assert data.features is None
    assert len(data.table) == 24


def test_a_file_that_changes_is_another_dataset(music, tmp_path):
    folder = tmp_path / "music"
    shutil.copytree(music, folder)
    before = read_dataset(folder).digest
    assert read_dataset(folder).digest == before
    os.utime(folder / "bass" / "bass-0.wav", ns=(1, 1))
    assert read_dataset(folder).digest != before


def test_a_full_stop_in_a_name_is_no_suffix(tmp_path):
    names = ["Mr. J.Lo", "Mr. J.Ma", "a.mp3", "b.0.wav", "c", "d"]
    data = read_dataset(table(tmp_path / "f.csv", filename=names))
    assert list(data.table["track_id"]) == ["Mr. J.Lo", "Mr. J.Ma", "a", "b.0", "c", "d"]


def test_a_song_twice_is_kept_once(tmp_path):
    names = [f"{'blues' if i % 2 else 'metal'}.{i:05d}.wav" for i in range(6)]
    data = read_dataset(table(tmp_path / "f.csv", filename=[*names[:5], names[1]]))
    assert len(data.table) == 5
    assert "earlier row" in data.problems[0].message


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"tempo": None, "centroid_mean": None}, "not a table of features"),
        ({"filename": None}, "wanted a song"),
        ({"label": None, "filename": list("abcdef")}, "does not say the songs' genres"),
        ({"tempo": ["90", "x", "3", "4", "5", "6"]}, "column 'tempo', row 3: 'x'"),
        ({"label": "blues"}, "fewer than two genres"),
        ({"tempo": [np.nan] * 5 + [1.0]}, "fewer than two genres: found 1 usable rows of 6"),
    ],
)
def test_bad_tables_say_what_is_wrong(tmp_path, columns, said):
    with pytest.raises(DatasetError, match=said.replace("(", r"\(")):
        read_dataset(table(tmp_path / "bad.csv", **columns))


def test_files_that_are_no_tables(tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x80abc")
    (tmp_path / "empty.csv").write_text("filename,label,tempo\n")
    (tmp_path / "twice.csv").write_text("filename,tempo,Tempo\na.0.wav,1,2\n")
    (tmp_path / "no.parquet").write_text("no")
    for name, said in {
        "binary.csv": "cannot be read as a table",
        "empty.csv": "no rows",
        "twice.csv": "a column twice",
        "no.parquet": "cannot be read as a table",
    }.items():
        with pytest.raises(DatasetError, match=said):
            read_dataset(tmp_path / name)


def test_genres_that_are_not_there(tmp_path):
    data = read_dataset(table(tmp_path / "f.csv"))
    with pytest.raises(DatasetError, match="no songs of 'polka'"):
        data.only(["blues", "polka"])
    with pytest.raises(DatasetError, match="at least 2"):
        data.only(["blues"])


def labelled(n=60, genres=("blues", "metal", "pop"), seed=0):
    """A table of three genres with two features, sorted by genre as tables often are."""
    rng = np.random.default_rng(seed)
    label = np.repeat(genres, n // len(genres))
    frame = pd.DataFrame({"filename": [f"{i:x}.wav" for i in range(n)], "label": label})
    return frame.assign(tempo=rng.integers(60, 180, n), centroid=rng.standard_normal(n))


NUMBER = {"blues": 2, "metal": 0, "pop": 1}
COPIES = {
    "any order": lambda label, row: label.map(NUMBER),
    "any scale": lambda label, row: 1e6 * label.map(NUMBER) + 0.1,
    "as text": lambda label, row: label.map(NUMBER).astype(str),
    "one-hot": lambda label, row: label == "metal",
    "bits": lambda label, row: label.map(NUMBER) % 2,
    "mean of the genre": lambda label, row: label.map({"blues": 0.71, "metal": -3.2, "pop": 0.7}),
    "finer": lambda label, row: 10 * label.map(NUMBER) + row % 3,
    "a hash of the folder": lambda label, row: label.map(NUMBER) * 7919 + (row // 5) * 104729,
    "row": lambda label, row: row,
    "row from the end": lambda label, row: 1000 - 3 * row,
    "row, shuffled table": lambda label, row: row.sample(frac=1, random_state=1).to_numpy(),
    "hash of a file": lambda label, row: (row * 2654435761 + 97) % 2**40,
}


@pytest.mark.parametrize(
    ("copy", "shuffled"),
    [(copy, shuffled) for copy in COPIES for shuffled in (False, True)],
)
def test_what_tells_the_label_is_no_feature(tmp_path, copy, shuffled):
    frame = labelled()
    frame["q"] = COPIES[copy](frame["label"], pd.Series(range(len(frame))))
    if shuffled:
        frame = frame.sample(frac=1, random_state=2)
    frame.to_parquet(tmp_path / "x.parquet")
    data = read_dataset(tmp_path / "x.parquet")
    assert data.columns == ("tempo", "centroid")
    (problem,) = data.problems
    assert problem.kind == "label-copy"
    assert "column 'q' is not a feature" in problem.message


def test_nullable_and_categorical_columns(tmp_path):
    frame = pd.read_csv(table(tmp_path / "x.csv", n=8)).drop(columns="length")
    frame["artist"] = ["x", None] * 4
    frame["loud"] = [True, False, True, True, False, False, True, False]
    frame = frame.convert_dtypes()
    frame.loc[2, "tempo"] = frame.loc[3, "label"] = frame.loc[5, "loud"] = pd.NA
    frame["label"] = frame["label"].astype("category")
    frame.to_parquet(tmp_path / "x.parquet")
    data = read_dataset(tmp_path / "x.parquet")
    assert data.columns == ("centroid_mean", "tempo", "loud")
    assert data.labels == ["blues", "metal"]
    assert set(data.table["artist"]) == {"x", ""}
    assert len(data.table) == 5
    assert sorted(problem.kind for problem in data.problems) == ["bad-value"] * 2 + ["no-genre"]


def test_a_column_that_tells_all_genres_apart_is_reported(tmp_path):
    frame = labelled()
    frame["y"] = frame["label"].map(NUMBER) + 0.1 * np.random.default_rng(0).random(len(frame))
    frame.to_csv(tmp_path / "x.csv", index=False)
    data = read_dataset(tmp_path / "x.csv")
    assert data.columns == ("tempo", "centroid", "y")
    assert not data.problems
    (note,) = data.notes
    assert "column 'y' is kept, but it tells all genres apart" in note
    with pytest.raises(DatasetError, match="leave out --labels tags"):
        read_dataset(tmp_path / "x.csv", labels="tags")


def test_a_copy_with_some_rows_wrong_is_a_copy(tmp_path):
    frame = labelled(300)
    frame["y"] = frame["label"].map(NUMBER)
    frame.loc[[7, 150], "y"] = [1, 2]
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert read_dataset(tmp_path / "x.csv").columns == ("tempo", "centroid")


def test_what_tells_of_the_sound_stays(tmp_path):
    """Columns of few values, of whole numbers, and good ones, beside recordings that are there
    twice: each of their values occurs in one genre only."""
    frame, rng = labelled(), np.random.default_rng(3)
    number = frame["label"].map(NUMBER)
    frame["key"] = rng.integers(0, 12, len(frame))
    frame["minor"] = rng.random(len(frame)) < 0.3 + 0.3 * number
    frame["good"] = number + 0.4 * rng.standard_normal(len(frame))
    frame["clipped"] = np.where(frame.index == 3, 7, 0)
    frame["samples"] = rng.integers(1_000_000, 2_000_000, len(frame))
    twins = [frame.assign(filename=[f"{n}{name}" for name in frame["filename"]]) for n in range(4)]
    pd.concat(twins).to_csv(tmp_path / "x.csv", index=False)
    data = read_dataset(tmp_path / "x.csv", segments="off")
    assert not data.problems
    wanted = ("tempo", "centroid", "key", "minor", "good", "clipped", "samples")
    assert data.columns == wanted


def test_features_of_whole_songs_beside_those_of_segments_stay(tmp_path):
    frame = labelled()
    rows = [
        frame.assign(filename=[f"{name[:-4]}_seg{n}.wav" for name in frame["filename"]],
                     loud=np.random.default_rng(n).standard_normal(len(frame)))
        for n in range(5)
    ]  # fmt: skip
    pd.concat(rows).to_csv(tmp_path / "x.csv", index=False)
    data = read_dataset(tmp_path / "x.csv")
    assert len(data.songs) == len(frame)
    assert data.columns == ("tempo", "centroid", "loud")


def test_a_table_of_nothing_but_the_label(tmp_path):
    frame = labelled().drop(columns=["tempo", "centroid"])
    frame["y"] = frame["label"].map(NUMBER)
    frame.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(DatasetError, match=r"holds no features: found label-copy.*column 'y'"):
        read_dataset(tmp_path / "x.csv")
