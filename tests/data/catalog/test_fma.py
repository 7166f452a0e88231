"""The Free Music Archive's data set: its table, its subsets and its clips."""

import csv

import pandas as pd
import pytest

from genrenet.data.catalog import (
    CatalogError,
    EmptyCatalogError,
    read_catalog,
)
from tests.helpers.songs import ids, kinds, song

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
