"""Tables whose songs have several genres each."""

from collections import Counter

import pandas as pd
import pytest

from genrenet.data.catalog import CatalogError, read_catalog, write_catalog
from genrenet.data.catalog.several_genres import STRATUM, multi_hot, strata


def table_of(folder, **columns):
    """Write a table of files that are there, and return its path."""
    folder.mkdir(exist_ok=True)
    n = len(next(iter(columns.values())))
    for number in range(n):
        (folder / f"{number}.wav").write_bytes(b"")
    frame = pd.DataFrame({"path": [f"{number}.wav" for number in range(n)], **columns})
    frame.to_csv(folder / "songs.csv", index=False)
    return folder / "songs.csv"


CELLS = ["rock; blues", "rock;folk", '["folk", "rock"]', "blues", "folk; rare", ""]


def test_a_column_genres_gives_every_song_its_names(tmp_path):
    catalog = read_catalog(table_of(tmp_path, genres=CELLS), tags=False)
    assert catalog.multi_label
    assert catalog.genres == ["blues", "folk", "rock"]
    assert list(catalog.table["genres"]) == [
        "rock; blues",
        "rock; folk",
        "folk; rock",
        "blues",
        "folk",
    ]
    assert catalog.counts == {"rock": 3, "folk": 3, "blues": 2}
    kinds = [problem.kind for problem in catalog.problems]
    assert kinds == ["no-genre", "too-few-songs"]
    assert "3 of 5 songs have several genres, 1.6 on average" in catalog.notes[0]
    assert "blues 2, folk 3, rock 3" in catalog.report()


def test_what_was_written_is_read_again(tmp_path):
    catalog = read_catalog(table_of(tmp_path, genres=CELLS), tags=False)
    for name in ("again.csv", "again.parquet"):
        write_catalog(catalog, tmp_path / name)
        again = read_catalog(tmp_path / name, tags=False, multi_label=True)
        assert list(again.table["genres"]) == list(catalog.table["genres"])
        # With both columns and no word on it, a song has one genre.
        assert not read_catalog(
            tmp_path / name, tags=False, min_songs=1, labelled=False
        ).multi_label


def test_one_genre_a_song_where_a_table_has_a_column_genre(tmp_path):
    cells = ["rock; blues", "rock", "folk", "folk"]
    both = table_of(tmp_path, genre=["rock", "rock", "folk", "folk"], genres=cells)
    catalog = read_catalog(both, tags=False)
    assert catalog.genres == ["folk", "rock"]
    assert not catalog.multi_label
    assert any("'genres'" in problem.message for problem in catalog.problems)
    asked = read_catalog(both, tags=False, multi_label=True, min_songs=1)
    assert asked.genres == ["blues", "folk", "rock"]


def test_cells_of_the_column_genre_hold_several_only_if_asked(tmp_path):
    table = table_of(tmp_path, genre=["rock; blues", "rock; blues", "folk", "folk"])
    assert read_catalog(table, tags=False).genres == ["folk", "rock; blues"]
    assert read_catalog(table, tags=False, multi_label=True).genres == ["blues", "folk", "rock"]


def test_a_column_genres_with_one_name_a_row_is_one_genre_a_song(tmp_path):
    catalog = read_catalog(table_of(tmp_path, genres=["rock", "rock", "folk", "folk"]), tags=False)
    assert not catalog.multi_label
    assert catalog.genres == ["folk", "rock"]


def test_a_folder_has_no_songs_with_several_genres(tmp_path):
    for genre in ("rock", "folk"):
        (tmp_path / genre).mkdir()
        for number in range(2):
            (tmp_path / genre / f"{number}.wav").write_bytes(b"")
    with pytest.raises(CatalogError, match="a table with a column genres"):
        read_catalog(tmp_path, tags=False, multi_label=True)


def test_strata_have_enough_artists_for_folds():
    names = [["pop"]] * 30 + [["pop", "ska"]] * 12 + [["dub", "ska"]] * 9 + [["odd"]] * 2
    artists = [*range(30), *range(30, 42), *range(42, 51), 51, 51]
    found = strata(names, artists)
    assert Counter(found) == {"pop": 32, "ska": 21}
    assert min(Counter(found).values()) >= STRATUM
    same_artist = strata([["pop"]] * 20 + [["ska", "pop"]] * 20, [*range(20), *[99] * 20])
    assert set(same_artist) == {"pop"}


def test_targets_are_vectors():
    assert multi_hot(["a; c", "b", "x"], ["a", "b", "c"]).tolist() == [
        [True, False, True],
        [False, True, False],
        [False, False, False],
    ]
