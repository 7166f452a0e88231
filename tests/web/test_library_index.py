"""A table as lists: counting, selecting, sorting, and duplicates."""

from __future__ import annotations

import os

import numpy as np
import pytest

from genrenet.library.corrections import correct
from genrenet.library.table import read_rows
from genrenet.utils.file_stamp import FileState
from genrenet.web import library_queries as queries
from genrenet.web.library import Library
from genrenet.web.library_index import LibraryIndex
from genrenet.web.library_queries import Wanted
from tests.helpers.library_tables import SHELF, write_shelf


@pytest.fixture
def root(tmp_path):
    (tmp_path / "music").mkdir()
    return tmp_path / "music"


@pytest.fixture(params=["parquet", "sqlite"])
def index(root, tmp_path, request):
    return LibraryIndex(str(root), write_shelf(root, tmp_path / f"t.{request.param}"))


def titles(index: LibraryIndex, wanted: Wanted, sort: str = "artist") -> list[str]:
    return [track["title"] for track in index.tracks(queries.select(index, wanted, sort))]


def test_the_overview_counts_recordings(index):
    found = queries.overview(index)
    counted = {key: found[key] for key in ("files", "songs", "copies", "unsure", "not_music")}
    assert counted == {"files": 10, "songs": 9, "copies": 1, "unsure": 1, "not_music": 1}
    assert (found["errors"], found["untagged"], found["artists"]) == (1, 3, 4)
    assert found["hours"] == pytest.approx((8 * 60 + 200) / 3600, abs=0.01)
    rock, jazz = found["genres"]
    assert (rock["genre"], rock["songs"], jazz["genre"], jazz["songs"]) == ("rock", 4, "jazz", 3)
    assert jazz["unsure"] == 1
    assert jazz["subgenres"] == [{"genre": "modal", "songs": 1}]
    assert rock["subgenres"] == [{"genre": "art rock", "songs": 1}]


def test_songs_are_chosen_and_sorted(index):
    assert titles(index, Wanted(genre="jazz"), "title") == [
        "Freddie Freeloader",
        "So What",
        "So What",
    ]
    assert titles(index, Wanted(artist="bjork")) == ["Jóga", "Jóga (live)"]
    assert titles(index, Wanted(subgenre="modal")) == ["So What"]
    assert titles(index, Wanted(state="unsure")) == ["Freddie Freeloader"]
    assert titles(index, Wanted(state="error")) == ["broken"]
    assert titles(index, Wanted(album="Kind of Blue", folder="elsewhere")) == []
    assert titles(index, Wanted(genre="polka")) == []
    assert titles(index, Wanted(genre="jazz"), "confidence")[0] == "Freddie Freeloader"
    assert titles(index, Wanted(genre="jazz"), "duration")[0] == "So What"
    by_path = index.tracks(queries.select(index, Wanted(copies=True), "path"))
    assert [track["path"] for track in by_path] == sorted(SHELF)


def test_songs_without_tags_are_called_by_their_place(index):
    (track,) = index.tracks(np.array([index.row_of("Björk/Homogenic/01 - Jóga (live).wav")]))
    assert (track["artist"], track["album"], track["title"]) == (
        "Björk",
        "Homogenic",
        "Jóga (live)",
    )
    assert index.row_of("nothing.wav") is None


def test_albums_of_several_discs_and_artists_are_one(index):
    rows, total = queries.albums(index, Wanted())
    found = {album["album"]: album for album in rows}
    assert total == len(rows) == 4
    assert found["Rock Hits"]["folder"] == "Best of"
    assert found["Kind of Blue"]["artist"] == "Miles Davis"
    assert found["Kind of Blue"]["songs"] == 2
    assert found["Kind of Blue"]["genre"] == "jazz"
    (first,), _ = queries.artists(index, Wanted(genre="jazz"))
    assert first == {"artist": "Miles Davis", "songs": 3, "seconds": 320.0, "genre": "jazz"}


def test_albums_that_differ_in_case_alone_are_one(root, tmp_path):
    named = ("Abbey Road", "Abbey Road", "Abbey road", "Ábbey Road")
    shelf = {
        f"Beatles/{number}.wav": {"artist": "A", "album": album, "title": f"{number}"}
        for number, album in enumerate(named)
    }
    index = LibraryIndex(str(root), write_shelf(root, tmp_path / "t.parquet", shelf))
    (album,), total = queries.albums(index, Wanted())
    assert (album["album"], album["folder"], album["songs"], total) == (
        "Abbey Road",
        "Beatles",
        4,
        1,
    )
    assert len(titles(index, Wanted(album="abbey road", folder="Beatles"))) == 4
    assert titles(index, Wanted(album="Abbey Road", folder="beatles")) == []
    assert len(index.album_rows(0)) == 4


def test_a_recording_that_is_there_twice_is_listed_once(index):
    (row,) = queries.recordings(index).tolist()
    files = [track["path"] for track in index.tracks(queries.files_of(index, row))]
    assert files == ["AC_DC/Powerage/01 Sin City.wav", "Best of/CD1/Sin City.mp3"]
    assert titles(index, Wanted(artist="AC/DC")) == ["Sin City", "Riff Raff"]
    assert len(titles(index, Wanted(artist="AC/DC", copies=True))) == 3


def test_copies_are_told_from_other_songs_of_the_same_name(root, tmp_path):
    names = {"artist": "A", "album": "B", "title": "C"}
    shelf = {
        "same-1.wav": {"sample": "x"},
        "same-2.wav": {"sample": "x", "size": 2000},
        "a.wav": names,
        "longer.wav": {**names, "duration": 63.0},
        "other.wav": {**names, "genre": "jazz"},
        "unknown.wav": {**names, "duration": None},
        "damaged.wav": {**names, "genre": None},
    }
    index = LibraryIndex(str(root), write_shelf(root, tmp_path / "t.parquet", shelf))
    found = [track["path"] for track in index.tracks(queries.recordings(index))]
    assert found == ["same-2.wav"]


def test_songs_outside_of_the_folder_are_left_out_and_links_followed(root, tmp_path):
    os.symlink(root, tmp_path / "link")
    shelf = {str(tmp_path / "link" / "in.wav"): {}, "../out.wav": {}, "odd \\xff.wav": {}}
    index = LibraryIndex(str(root), write_shelf(root, tmp_path / "t.parquet", shelf))
    assert sorted(index.paths.to_pylist()) == ["in.wav", "odd \\xff.wav"]


def test_an_empty_table_is_an_empty_library(root, tmp_path):
    for name in ("t.parquet", "t.sqlite"):
        index = LibraryIndex(str(root), write_shelf(root, tmp_path / name, {}))
        assert queries.overview(index)["songs"] == 0
        assert titles(index, Wanted(artist="x")) == []
        assert queries.albums(index, Wanted()) == ([], 0)


def test_the_library_follows_its_table(root, tmp_path):
    table, faults, changes = tmp_path / "t.parquet", [], []
    write_shelf(root, table)
    library = Library(str(root), table, lambda: changes.append(1), faults.append)
    library.wait()
    assert library.overview()["songs"] == 9
    path = "AC_DC/Powerage/02 Riff Raff.wav"
    (root / "AC_DC/Powerage").mkdir(parents=True)
    before = FileState.find(table)
    (row,) = correct(table, {str(root / path): "blues"})
    library.correct(path, row, before, FileState.find(table))
    library.refresh(now=True)
    assert {genre["genre"]: genre["songs"] for genre in library.overview()["genres"]} == {
        "rock": 3,
        "jazz": 3,
        "blues": 1,
    }
    assert titles(library.index(), Wanted(state="corrected")) == ["Riff Raff"]
    assert len(changes) == 1  # the correction was taken without reading all again
    write_shelf(root, table, {"one.wav": {}, "two.wav": {}})
    before = FileState.find(table)
    (row,) = correct(table, {str(root / "one.wav"): "blues"})
    library.correct("one.wav", row, before, FileState.find(table))
    library.refresh(now=True)  # what another command wrote before it is read
    library.wait()
    assert library.overview()["songs"] == 2
    write_shelf(root, table, {"one.wav": {}})
    library.refresh(now=True)
    library.wait()
    assert library.overview()["songs"] == 1
    table.write_bytes(b"no table")
    library.refresh(now=True)
    library.wait()
    assert library.overview()["songs"] == 1  # what was known stays
    assert (len(faults), library.state) == (1, "ready")
    assert not [*read_rows(write_shelf(root, tmp_path / "x.parquet", {}))]
