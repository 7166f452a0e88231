"""Collections as tables: every layout, every fault in one report, and the way there and back."""

import csv
import dataclasses
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from genrenet import audio
from genrenet.data.catalog import (
    COLUMNS,
    CatalogError,
    EmptyCatalogError,
    OneGenreError,
    SourceNotFoundError,
    UnreadableTableError,
    check_catalog,
    read_catalog,
)
from genrenet.utils.errors import GenrenetError
from tests.helpers.songs import RATE, ids, kinds, song, tagged, text, two_genres


@pytest.fixture
def folder(tmp_path):
    return two_genres(tmp_path / "music")


# --- folders ----------------------------------------------------------------------------------


def test_folder_of_genres(folder):
    catalog = read_catalog(folder)
    assert catalog.format == "folder"
    assert catalog.name == "music"
    assert catalog.root == str(folder)
    assert len(catalog) == 6
    assert catalog.genres == ["blues", "metal"]
    assert catalog.problems == ()
    assert not catalog.artists_known
    assert tuple(catalog.table.columns) == COLUMNS
    assert catalog.table["path"].dtype == object
    assert all(os.path.isabs(path) and os.path.isfile(path) for path in catalog.table["path"])
    assert ids(catalog) == [f"{g}/{n}" for g in ("blues", "metal") for n in range(3)]
    np.testing.assert_allclose(catalog.table["duration"], 0.25)
    assert set(catalog.table["artist"]) == {""}


def test_songs_may_lie_in_albums(folder):
    song(folder / "blues" / "some artist" / "some album" / "01. A song.wav")
    assert "blues/some artist/some album/01. A song" in ids(read_catalog(folder))


def test_tags_are_read(folder):
    for n in range(2):
        tagged(
            folder / "soul" / f"{n}.flac", artist=["Ann", "Bea"], album=" LP ", title=f"Song {n}"
        )
    tagged(folder / "soul" / "2.flac", albumartist="Cy", artist="Unknown Artist")
    table = read_catalog(folder).table.set_index("track_id")
    assert table.loc["soul/0", ["artist", "album", "title"]].tolist() == [
        "Ann, Bea",
        "LP",
        "Song 0",
    ]
    assert table.loc["soul/2", "artist"] == "Cy"
    untagged = read_catalog(folder, tags=False).table
    assert set(untagged["artist"]) == {""}
    assert untagged["duration"].isna().all()


def test_artists_are_known_from_nine_tenths_on(tmp_path):
    for n in range(10):
        tagged(tmp_path / "ab"[n % 2] / f"{n}.flac", artist=f"artist {n}" if n else "")
    assert read_catalog(tmp_path).artists_known
    song(tmp_path / "a" / "nobody.wav")
    assert not read_catalog(tmp_path).artists_known


def test_damaged_tags_do_no_harm(folder):
    text(folder / "blues" / "broken.mp3", b"this is no MP3 at all")
    text(folder / "blues" / "empty.ogg", b"")
    catalog = read_catalog(folder)
    assert len(catalog) == 8
    assert {"unreadable-tags"} == set(kinds(catalog))
    assert math.isnan(catalog.table.set_index("track_id").loc["blues/broken", "duration"])


def test_hidden_and_other_files_are_left_out(folder):
    song(folder / "blues" / ".hidden.wav")
    song(folder / ".trash" / "old.wav")
    for name in ("blues/cover.jpg", "metal/x.JPG", "metal/notes", "list.txt"):
        text(folder / name, "x")
    song(folder / "loose.wav")
    catalog = read_catalog(folder)
    assert len(catalog) == 6
    assert sorted(kinds(catalog)) == ["no-genre", "not-audio"]
    message = next(p.message for p in catalog.problems if p.kind == "not-audio")
    assert "4 files" in message
    assert "2 .jpg" in message
    assert "1 songs" in next(p.message for p in catalog.problems if p.kind == "no-genre")


def test_symlinks_are_followed_and_loops_survived(folder, tmp_path):
    song(tmp_path / "elsewhere" / "9.wav")
    (folder / "blues" / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "blues" / "loop").symlink_to(folder / "blues")
    (folder / "metal" / "up").symlink_to(folder)
    (folder / "metal" / "again").symlink_to(tmp_path / "elsewhere")
    (folder / "metal" / "self").symlink_to(folder / "metal" / "self")
    (folder / "metal" / "gone.wav").symlink_to(folder / "nowhere.wav")
    catalog = read_catalog(folder)
    assert len(catalog) == 7
    assert "blues/more/9" in ids(catalog)
    assert sorted(kinds(catalog)) == [
        "duplicate-path", "missing-file", "not-audio", "symlink-loop", "symlink-loop",
    ]  # fmt: skip


def test_the_same_file_twice_is_one_song(folder):
    (folder / "metal" / "link.wav").symlink_to(folder / "blues" / "0.wav")
    catalog = read_catalog(folder)
    assert len(catalog) == 6
    [problem] = catalog.problems
    assert problem.kind == "duplicate-path"
    assert problem.path == str(folder / "metal" / "link.wav")
    assert "'blues', not 'metal'" in problem.message


def test_a_genre_with_too_few_songs_is_left_out(folder):
    song(folder / "solo" / "1.wav")
    (folder / "void").mkdir()
    catalog = read_catalog(folder)
    assert catalog.genres == ["blues", "metal"]
    assert kinds(catalog) == ["too-few-songs", "too-few-songs"]
    assert any("'solo'" in problem.message for problem in catalog.problems)
    assert read_catalog(folder, min_songs=1).genres == ["blues", "metal", "solo"]


def test_files_that_differ_in_suffix_alone_keep_it(folder):
    song(folder / "blues" / "0.flac", seed=7)
    found = ids(read_catalog(folder))
    assert len(set(found)) == 7
    assert {"blues/0.wav", "blues/0.flac", "blues/1"} <= set(found)


def test_names_that_are_not_utf8(folder):
    strange = song(
        os.path.join(os.fsencode(folder), b"metal", b"caf\xe9.wav").decode(
            "utf-8", "surrogateescape"
        )
    )
    catalog = read_catalog(folder)
    assert len(catalog) == 7
    assert strange in catalog.table["path"].tolist()
    assert r"metal/caf\xe9" in ids(catalog)
    catalog.report().encode("utf-8")
    assert check_catalog(catalog, min_seconds=0.1) == ()


# --- errors -----------------------------------------------------------------------------------


def test_nothing_there(tmp_path):
    with pytest.raises(SourceNotFoundError, match="nowhere"):
        read_catalog(tmp_path / "nowhere")


def test_no_audio(tmp_path):
    with pytest.raises(EmptyCatalogError, match="an empty folder"):
        read_catalog(tmp_path)
    text(tmp_path / "blues" / "readme.txt", "x")
    with pytest.raises(EmptyCatalogError, match=r"1 \.txt.*one sub-folder per genre"):
        read_catalog(tmp_path)


def test_songs_without_genre_folders(tmp_path):
    song(tmp_path / "1.wav")
    with pytest.raises(EmptyCatalogError, match="1 songs lie directly in the folder"):
        read_catalog(tmp_path)


def test_one_genre_is_not_enough(folder):
    shutil.rmtree(folder / "metal")
    song(folder / "soul" / "1.wav")
    with pytest.raises(OneGenreError, match=r"'blues' with 3 songs.*'soul'.*at least two genres"):
        read_catalog(folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "xml"}, "unknown format: found 'xml'"),
        ({"min_songs": 0}, "min_songs"),
        ({"format": "fma"}, "no FMA tracks"),
        ({"format": "csv"}, "cannot read"),
    ],
)
def test_wrong_settings(folder, arguments, message):
    with pytest.raises(CatalogError, match=message):
        read_catalog(folder, **arguments)


def test_a_file_that_is_no_collection(folder):
    with pytest.raises(CatalogError, match=r"suffix '\.wav'"):
        read_catalog(folder / "blues" / "0.wav")
    with pytest.raises(CatalogError, match="is a file"):
        read_catalog(folder / "blues" / "0.wav", format="folder")


def test_all_errors_are_of_the_package():
    for error in (SourceNotFoundError, EmptyCatalogError, OneGenreError, UnreadableTableError):
        assert issubclass(error, CatalogError)
    assert issubclass(CatalogError, GenrenetError)


# --- GTZAN ------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", ["", "genres", "genres_original"])
def test_gtzan(tmp_path, inner):
    root = tmp_path / "gtzan"
    for name in ("blues.00000.wav", "blues.00001.au", "jazz.00053.wav", "jazz.00055.wav"):
        song(root / inner / name.split(".")[0] / name)
    text(root / inner / "jazz" / "jazz.00054.wav", b"\x00" * 100)
    song(root / inner / "jazz" / "mine.wav")
    catalog = read_catalog(root)
    assert (catalog.format, catalog.name) == ("gtzan", "gtzan")
    assert ids(catalog) == [
        "blues/blues.00000",
        "blues/blues.00001",
        "jazz/jazz.00053",
        "jazz/jazz.00055",
    ]
    assert catalog.table["genre"].tolist() == ["blues", "blues", "jazz", "jazz"]
    assert set(catalog.table["artist"]) == {""}
    assert sorted(kinds(catalog)) == ["known-bad", "unexpected-name"]
    assert "jazz.00054" in next(p for p in catalog.problems if p.kind == "known-bad").message


def test_gtzan_without_folders(tmp_path):
    for name in ("blues.00000.wav", "blues.00001.wav", "rock.00000.wav", "rock.00001.wav"):
        song(tmp_path / name)
    assert read_catalog(tmp_path, format="gtzan").genres == ["blues", "rock"]


def test_gtzan_with_own_genres_is_a_folder(tmp_path):
    for genre, name in (("blues", "blues.{:05}.wav"), ("techno", "{}.wav")):
        for n in range(2):
            song(tmp_path / genre / name.format(n))
    assert read_catalog(tmp_path).format == "folder"


# --- FMA --------------------------------------------------------------------------------------

FMA_COLUMNS = [
    ("album", "title"), ("artist", "name"), ("set", "split"), ("set", "subset"),
    ("track", "duration"), ("track", "genre_top"), ("track", "title"),
]  # fmt: skip


def fma(root, rows, metadata=True, audio_folder="fma_small"):
    """FMA's table and (except of track 9) an MP3 per row; its content does not matter here."""
    table = root / "fma_metadata" / "tracks.csv" if metadata else root / "tracks.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    with open(table, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["", *(a for a, _ in FMA_COLUMNS)])
        writer.writerow(["", *(b for _, b in FMA_COLUMNS)])
        writer.writerow(["track_id", *[""] * len(FMA_COLUMNS)])
        for number, split, subset, genre in rows:
            writer.writerow(
                [number, "An album", f"artist {number}", split, subset, 168, genre, "A, b"]
            )
            if number != 9:
                name = f"{number:06d}"
                song(root / audio_folder / name[:3] / f"{name}.mp3")
    return root


FMA_ROWS = [
    (2, "training", "small", "Hip-Hop"),
    (5, "validation", "small", "Hip-Hop"),
    (1003, "test", "small", "Rock"),
    (1004, "training", "small", "Rock"),
    (1005, "training", "medium", "Rock"),
    (1006, "training", "large", "Folk"),
    (1007, "test", "large", "Folk"),
    (7, "training", "small", ""),
    (9, "training", "small", "Rock"),
]


@pytest.mark.parametrize("metadata", [True, False])
def test_fma(tmp_path, metadata):
    catalog = read_catalog(fma(tmp_path, FMA_ROWS, metadata))
    assert catalog.format == "fma"
    assert ids(catalog) == ["000002", "000005", "001003", "001004"]
    first = catalog.table.iloc[0]
    assert first["path"] == str(tmp_path / "fma_small" / "000" / "000002.mp3")
    assert first[["genre", "artist", "album", "title"]].tolist() == [
        "Hip-Hop", "artist 2", "An album", "A, b",
    ]  # fmt: skip
    assert catalog.table["split"].tolist() == ["train", "validation", "test", "train"]
    assert sorted(kinds(catalog)) == ["missing-file", "no-genre"]
    assert any("1 tracks without a top genre" in p.message for p in catalog.problems)
    assert any(p.path.endswith("000009.mp3") for p in catalog.problems)


def test_fma_subsets_are_cumulative(tmp_path):
    fma(tmp_path, FMA_ROWS)
    sizes = [len(read_catalog(tmp_path, subset=s)) for s in ("small", "medium", "large", "full")]
    assert sizes == [4, 5, 7, 7]
    with pytest.raises(CatalogError, match="'tiny'"):
        read_catalog(tmp_path, subset="tiny")


@pytest.mark.parametrize(
    ("audio_folder", "seconds"), [("fma_small", 30), ("fma_full", 168), (".", 30)]
)
def test_fma_clips_are_not_as_long_as_their_tracks(tmp_path, audio_folder, seconds):
    """Without a telling name, a file shows that the folder holds clips."""
    fma(tmp_path, FMA_ROWS, audio_folder=audio_folder)
    assert set(read_catalog(tmp_path, subset="large").table["duration"]) == {seconds}


def test_fma_by_its_table(tmp_path):
    fma(tmp_path, FMA_ROWS)
    by_file = read_catalog(tmp_path / "fma_metadata" / "tracks.csv")
    pd.testing.assert_frame_equal(by_file.table, read_catalog(tmp_path).table)


def test_fma_without_audio(tmp_path):
    with pytest.raises(EmptyCatalogError, match="missing-file"):
        read_catalog(fma(tmp_path, [(9, "training", "small", "Rock")]))


# --- checking ---------------------------------------------------------------------------------


@pytest.fixture
def faulty(folder):
    """A collection with one fault of every kind, in alphabetical order of the files."""
    bad = folder / "metal"
    song(bad / "a-silent.wav", value=0.0)
    song(bad / "b-short.wav", seconds=0.05)
    song(bad / "c-nan.wav")
    soundfile.write(bad / "c-nan.wav", np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    text(bad / "d-text.mp3", b"this is no music " * 100)
    text(bad / "e-empty.wav", b"")
    whole = Path(song(bad / "f-cut.wav", seconds=2)).read_bytes()
    text(bad / "f-cut.wav", whole[: len(whole) // 2])
    song(bad / "g-gone.wav")
    catalog = read_catalog(folder)
    os.remove(bad / "g-gone.wav")
    return catalog


def test_checking_finds_every_fault_in_order(faulty):
    steps = []
    found = check_catalog(faulty, min_seconds=0.1, progress=lambda *step: steps.append(step))
    assert [(os.path.basename(p.path)[0], p.kind) for p in found] == [
        ("a", "silent"), ("b", "too-short"), ("c", "non-finite"), ("d", "not-audio"),
        ("e", "empty"), ("f", "truncated"), ("g", "missing-file"),
    ]  # fmt: skip
    assert found[5].message.endswith("it is used as far as that")
    assert steps == [(n, len(faulty)) for n in range(1, len(faulty) + 1)]
    assert check_catalog(faulty, min_seconds=0.1, workers=1) == found


def test_checking_headers_only(faulty):
    found = {p.kind for p in check_catalog(faulty, decode=False, min_seconds=0.1)}
    assert {"too-short", "not-audio", "empty", "missing-file"} <= found
    assert "silent" not in found


def test_a_sound_collection_has_no_problems(folder):
    catalog = read_catalog(folder)
    assert check_catalog(catalog, min_seconds=0.25) == ()
    assert {p.kind for p in check_catalog(catalog, min_seconds=0.26)} == {"too-short"}
    assert issubclass(audio.AudioError, GenrenetError)


def test_a_catalog_does_not_change(folder):
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_catalog(folder).name = "other"


# --- real collections -------------------------------------------------------------------------


def test_emotify(shared_data):
    catalog = read_catalog(shared_data / "emotify")
    assert (catalog.format, catalog.name, len(catalog)) == ("csv", "emotify", 300)
    assert catalog.genres == ["classical", "electronic", "pop", "rock"]
    assert catalog.table["genre"].value_counts().tolist() == [75] * 4
    assert catalog.table["artist"].nunique() == 95
    assert catalog.artists_known
    assert catalog.problems == ()
    assert catalog.table["duration"].between(25, 61).all()  # three are shorter than a minute
    assert (catalog.table["duration"] > 59).sum() == 297
    assert (
        read_catalog(shared_data / "emotify", format="folder", tags=False).genres == catalog.genres
    )


def test_gtzan_excerpts(shared_data):
    catalog = read_catalog(shared_data / "gtzan-excerpts")
    assert (catalog.format, len(catalog), len(catalog.genres)) == ("gtzan", 50, 10)
    assert catalog.table["duration"].between(15, 20.1).all()
    assert check_catalog(catalog) == ()
