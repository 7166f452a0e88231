"""Folders of genres, and GTZAN."""

import os

import numpy as np
import pytest

from genrenet.data.catalog import (
    COLUMNS,
    EmptyCatalogError,
    check_catalog,
    read_catalog,
)
from tests.helpers.songs import ids, kinds, song, text


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


def test_songs_without_genre_folders(tmp_path):
    song(tmp_path / "1.wav")
    with pytest.raises(EmptyCatalogError, match="1 songs lie directly in the folder"):
        read_catalog(tmp_path)


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


def test_gtzan_excerpts(shared_data):
    catalog = read_catalog(shared_data / "gtzan-excerpts")
    assert (catalog.format, len(catalog), len(catalog.genres)) == ("gtzan", 50, 10)
    assert catalog.table["duration"].between(15, 20.1).all()
    assert check_catalog(catalog) == ()
