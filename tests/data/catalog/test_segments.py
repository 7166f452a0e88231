"""Rows that are segments of one song: recognition, splits, and predictions."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from genrenet.data import splits
from genrenet.data.catalog import read_catalog, write_catalog
from genrenet.data.catalog.segments import segments_by_name, segments_by_value
from genrenet.evaluation.datasets import DatasetError, read_dataset
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.report.run_files import write_run
from genrenet.evaluation.results import predictions, summarise
from genrenet.evaluation.runner import contenders, judge
from tests.helpers.small_training import TINY
from tests.helpers.tones import RATE, tone


def named(names, genres="", alike=True):
    genres = list(genres) or ["g"] * len(names)
    return segments_by_name(names, genres, alike=lambda groups: alike)


@pytest.mark.parametrize(
    ("names", "songs"),
    [
        (["a_seg0", "a_seg1", "b_seg0", "b_seg7"], ["a", "a", "b", "b"]),
        (["song_01_chunk_3", "song_01_chunk_9", "x"], ["song_01", "song_01", "x"]),
        (["track-part1", "track-part2", "b"], ["track", "track", "b"]),
        (["track-part1", "track-part3", "b"], None),  # numbers that are not consecutive
        (["rock_part_1", "rock_part_2", "rock_part_3"], None),  # all of a genre
        (
            ["m.00000.0", "m.00000.1", "m.00001.0", "m.00001.1"],
            [*["m.00000"] * 2, *["m.00001"] * 2],
        ),
        (["m.00000", "m.00001", "m.00002"], None),  # GTZAN's own names
        (["song-1", "song-2", "other"], None),
        (["a_seg1", "a_seg1", "b"], None),  # one number twice
        (["parting 1", "parting 2", "b"], None),
    ],
)
def test_names(names, songs):
    assert named(names) == songs


def test_numbers_alone_need_more_evidence():
    names = ["artist1-0", "artist1-1", "artist2-0", "artist2-1"]
    assert named(names, alike=False) is None
    assert named(names, alike=True) == ["artist1", "artist1", "artist2", "artist2"]


def test_genres_are_never_mixed():
    names = ["a_seg0", "a_seg1", "c", "a_seg2", "a_seg3", "d"]
    songs = named(names, ["x", "x", "x", "y", "y", "y"])
    assert songs == ["a (x)", "a (x)", "c", "a (y)", "a (y)", "d"]


def test_values():
    assert segments_by_value(["1", "1", "2", "2"], "aaaa") == ["1", "1", "2", "2"]
    assert segments_by_value(["1", "1", "2", "3", "4"], "aaaaa") is None  # a title twice
    assert segments_by_value(["1", "2", "1", "2", "1", "2"], "aabbcc") is None  # folds
    assert segments_by_value(["1", "1", "2", "2"], "aabb") is None  # one song a genre


GENRES, TRACKS, SEGMENTS = ("folk", "jazz", "rock"), 24, 6


def tables(folder, seed=0):
    """A table of tracks whose genres overlap, and one of their segments, which hardly differ."""
    rng = np.random.default_rng(seed)
    tracks = pd.DataFrame(
        {
            "filename": [f"{genre}.{n:05d}.wav" for genre in GENRES for n in range(TRACKS)],
            "label": np.repeat(GENRES, TRACKS),
        }
    )
    centres = np.repeat(np.arange(3), TRACKS)[:, None] * [0.6, 0, 0, 0, 0]
    features = pd.DataFrame(centres + rng.standard_normal((len(tracks), 5)), columns=list("abcde"))
    pd.concat([tracks, features], axis=1).to_csv(folder / "tracks.csv", index=False)
    parts = []
    for n in range(SEGMENTS):
        names = tracks["filename"].str.replace(".wav", f".{n}.wav")
        noise = 0.05 * rng.standard_normal(features.shape)
        parts.append(pd.concat([names, tracks["label"], features + noise], axis=1))
    frame = pd.concat(parts).sort_values("filename")
    frame.to_csv(folder / "segments.csv", index=False)
    return frame


def judged(source, folder, model="knn", protocol="stratified-2fold", **options):
    dataset = read_dataset(source, **options)
    run = judge(dataset, contenders([model]), protocols(protocol, 1), folder, tell=lambda _: None)
    decided = predictions(run)
    results = summarise(run, decided)
    return dataset, results, decided


def test_segments_are_not_judged_as_songs(tmp_path):
    tables(tmp_path)
    _, tracks, _ = judged(tmp_path / "tracks.csv", tmp_path / "t")
    dataset, whole, decided = judged(tmp_path / "segments.csv", tmp_path / "s")
    _, alone, _ = judged(tmp_path / "segments.csv", tmp_path / "o", segments="off")
    by_track, by_song, by_row = (r["models"][0]["accuracy"] for r in (tracks, whole, alone))
    assert by_row > 0.95
    assert by_track < 0.75
    assert abs(by_song - by_track) < 0.12
    n = len(GENRES) * TRACKS
    assert whole["n_songs"] == whole["models"][0]["n"] == len(decided) == n
    assert np.sum(whole["models"][0]["confusion_songs"]) == n
    assert dataset.notes == [
        f"{n * SEGMENTS} rows are segments of {n} songs ({SEGMENTS} a song): a song is learnt "
        "from or judged as a whole"
    ]
    page = write_run(tmp_path / "s", whole, decided).read_text()
    assert dataset.notes[0] in page
    assert f"({n} songs, all 2 folds checked)" in whole["protocols"][0]["leakage"]


def test_folds_keep_segments_together_and_a_column_that_does_not_is_a_leak(tmp_path):
    frame = tables(tmp_path)
    dataset = read_dataset(tmp_path / "segments.csv")
    songs = dataset.table.set_index("track_id")["song"]
    for protocol in ("stratified-4fold", "70-30"):
        for fold in protocols(protocol, 1)[0].folds(dataset.table, 0):
            parts = fold.split.parts.groupby(songs).agg(["nunique", "size"])
            assert (parts["nunique"] == 1).all()
            assert (parts["size"] == SEGMENTS).all()
            assert set(fold.split.counts()) == {"train", "validation", "test"}
    frame["split"] = np.where(frame["filename"].str.contains(r"\.[0-3]\.wav"), "train", "test")
    frame.to_csv(tmp_path / "split.csv", index=False)
    dataset = read_dataset(tmp_path / "split.csv")
    leak = splits.leakage(dataset.table, splits.by_column(dataset.table), audio=False)
    assert len(leak.segments) == len(GENRES) * TRACKS


def test_part_of_the_segments_and_rows_in_any_order(tmp_path):
    """As after somebody's own train_test_split of the table."""
    frame = tables(tmp_path).sample(frac=0.7, random_state=1)
    frame.to_csv(tmp_path / "some.csv", index=False)
    assert len(read_dataset(tmp_path / "some.csv").songs) == len(GENRES) * TRACKS


def test_file_names_without_a_label_column_carry_the_genre(tmp_path):
    tables(tmp_path).drop(columns="label").to_csv(tmp_path / "bare.csv", index=False)
    dataset = read_dataset(tmp_path / "bare.csv")
    assert dataset.labels == list(GENRES)
    assert len(dataset.songs) == len(GENRES) * TRACKS


@pytest.mark.parametrize("column", ["track_id", "song", "group"])
def test_a_column_names_the_song(tmp_path, column):
    frame = tables(tmp_path)
    values = frame["filename"].str.extract(r"(.*)\.\d\.wav")[0]
    frame = frame.assign(filename=[f"{n:x}.wav" for n in range(len(frame))], **{column: values})
    frame.to_csv(tmp_path / "x.csv", index=False)
    dataset = read_dataset(tmp_path / "x.csv")
    assert len(dataset.songs) == len(GENRES) * TRACKS
    assert dataset.table["track_id"].is_unique
    assert dataset.columns == tuple("abcde")


def test_rows_that_have_but_their_songs_name(tmp_path):
    frame = tables(tmp_path)
    frame["filename"] = frame["filename"].str.replace(r"\.\d\.wav", ".wav", regex=True)
    frame.to_csv(tmp_path / "x.csv", index=False)
    dataset = read_dataset(tmp_path / "x.csv")
    assert len(dataset.table) == len(frame)
    assert len(dataset.songs) == len(GENRES) * TRACKS
    assert not dataset.problems


def test_a_column_may_be_asked_for(tmp_path):
    frame = tables(tmp_path)
    frame["take"] = frame["filename"].str.extract(r"(.*)\.\d\.wav")[0].factorize()[0]
    frame["filename"] = [f"{n:x}.wav" for n in range(len(frame))]
    frame.to_csv(tmp_path / "x.csv", index=False)
    dataset = read_dataset(tmp_path / "x.csv", segments="Take")
    assert len(dataset.songs) == len(GENRES) * TRACKS
    assert "take" not in dataset.columns
    with pytest.raises(DatasetError, match="no column 'tack'"):
        read_dataset(tmp_path / "x.csv", segments="tack")


def test_songs_of_one_artist_are_no_segments(tmp_path):
    """Names that look the same, and features that are a little alike."""
    rng = np.random.default_rng(0)
    artists = np.repeat(rng.standard_normal((30, 6)), 4, axis=0)
    rows = pd.DataFrame(artists + 1.5 * rng.standard_normal(artists.shape), columns=list("abcdef"))
    rows.insert(0, "track_id", [f"{i // 4}-{i % 4}" for i in range(120)])
    rows["genre"] = np.repeat(["folk", "jazz", "rock"], 40)
    rows.to_csv(tmp_path / "x.csv", index=False)
    dataset = read_dataset(tmp_path / "x.csv")
    assert len(dataset.songs) == 120
    assert not dataset.notes


def cut(folder, name="{song}_seg{n}.wav", seconds=1.0):
    """Two genres of three songs, each cut into four files."""
    for genre, hz in {"low": 150.0, "high": 3000.0}.items():
        (folder / genre).mkdir(parents=True)
        for song in range(3):
            for n in range(4):
                wave = tone(hz * (1 + 0.1 * song), seconds, seed=10 * song + n)
                path = folder / genre / name.format(song=f"song{song}", n=n)
                soundfile.write(path, wave, RATE)
    return folder


@pytest.mark.parametrize("name", ["{song}_seg{n}.wav", "{song}.{n}.wav", "{song}-part{n}.wav"])
def test_folders_of_segments(tmp_path, name):
    catalog = read_catalog(cut(tmp_path / "music", name))
    assert catalog.table["song"].nunique() == 6
    assert catalog.notes[0].startswith("24 rows are segments of 6 songs (4 a song)")
    for split in splits.k_fold(catalog.table, 3):
        parts = split.parts.groupby(catalog.table.set_index("track_id")["song"]).nunique()
        assert (parts == 1).all()
    whole = read_catalog(tmp_path / "music", segments="off")
    assert "song" not in whole.table
    assert not whole.notes
    write_catalog(catalog, tmp_path / "songs.csv")
    again = read_catalog(tmp_path / "songs.csv")
    assert list(again.table["song"]) == list(catalog.table["song"])


def test_long_files_are_no_segments(tmp_path):
    """Discs and movements have such names too."""
    catalog = read_catalog(cut(tmp_path / "music", "{song}.{n}.wav", seconds=16.0))
    assert "song" not in catalog.table
    assert "song" not in read_catalog(tmp_path / "music", tags=False).table


def test_audio_segments_are_decided_per_song(tmp_path):
    folder = cut(tmp_path / "music")
    judge = "tree@spectral-stats", "stratified-3fold"
    dataset, results, decided = judged(folder, tmp_path / "run", *judge)
    assert len(dataset.table) == 24
    assert results["models"][0]["n"] == len(decided) == 6
    assert sorted(decided["track_id"]) == sorted(set(dataset.table["song"]))


@pytest.mark.long
def test_networks_decide_on_songs(tmp_path):
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY)
    folder = cut(tmp_path / "music", seconds=1.6)
    _, results, decided = judged(folder, tmp_path / "run", f"config:{config}", "70-30")
    (row,) = results["models"]
    assert row["error"] is None, row["error"]
    assert not row["skipped"]
    assert row["n"] == len(decided) == 2
    (file,) = (tmp_path / "run").rglob("report/results.json")
    report = json.loads(file.read_text())
    assert report["n_songs"] == report["parts"]["test"]["songs"] == 2
    assert report["n_frames"] == 8
    assert "24 rows are segments of 6 songs" in report["description"]["collection"]
    files = pd.read_csv(file.with_name("predictions.csv"))
    assert len(files) == 8
    scores = files.filter(like="score_").to_numpy().reshape(2, 4, 2).mean(axis=1)
    assert np.allclose(decided.filter(like="score_"), scores, atol=1e-4)


def test_identifiers_that_segments_share(tmp_path):
    folder = cut(tmp_path / "music", "{song}x{n}.wav")
    paths = sorted(path for path in folder.rglob("*.wav"))
    ids = [f"{path.parent.name}-{path.stem[:5]}" for path in paths]
    rows = {"path": paths, "genre": [p.parent.name for p in paths], "track_id": ids}
    pd.DataFrame(rows).to_csv(tmp_path / "songs.csv", index=False)
    catalog = read_catalog(tmp_path / "songs.csv")
    assert not catalog.problems
    assert list(catalog.table["song"]) == ids
    assert catalog.table["track_id"].is_unique


def test_a_three_second_table_of_gtzan(shared_data, tmp_path):
    """The published table of tracks, each row ten times with a little noise."""
    source = shared_data / "gtzan-features" / "features_30_sec.csv"
    frame = pd.read_csv(source)
    frame = frame[frame["label"].isin(["classical", "jazz", "metal", "pop"])][::2]
    numbers = [name for name in frame if name not in ("filename", "length", "label")]
    rng, spread = np.random.default_rng(0), 0.2 * frame[numbers].std().to_numpy()
    parts = []
    for n in range(10):
        part = frame.assign(filename=frame["filename"].str.replace(".au", f".{n}.wav"))
        part[numbers] = part[numbers] + spread * rng.standard_normal((len(part), len(numbers)))
        parts.append(part)
    frame.to_csv(tmp_path / "tracks.csv", index=False)
    pd.concat(parts).to_csv(tmp_path / "segments.csv", index=False)
    _, tracks, _ = judged(tmp_path / "tracks.csv", tmp_path / "t", "knn")
    _, songs, _ = judged(tmp_path / "segments.csv", tmp_path / "s", "knn")
    assert songs["models"][0]["n"] == 200
    by_track, by_song = (r["models"][0]["accuracy"] for r in (tracks, songs))
    assert abs(by_song - by_track) < 0.05
