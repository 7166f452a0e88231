"""Corrections stored in a library's table."""

import os
import shutil

import pyarrow.parquet as pq
import pytest
import soundfile

from genrenet.library.corrections import (
    CorrectionError,
    Remembered,
    answered,
    correct,
    corrected_rows,
)
from genrenet.library.genre_tags import read_genre, write_genre
from genrenet.library.songs import NO_MUSIC, scanned_songs
from genrenet.library.table import About, TableError, read_rows, read_table, table_lock, write_rows
from genrenet.library.tag_plans import Wish
from genrenet.library.tagging import tag_songs
from genrenet.playlists import playlist
from tests.helpers.scanned_songs import add_song, row
from tests.helpers.tones import RATE, tone

ABOUT = About(["rock", "pop"], "model")


@pytest.fixture(params=[".parquet", ".sqlite"])
def table(request, tmp_path):
    """A table of three songs, one of them without a genre."""
    rows = []
    for name in "abc":
        add_song(tmp_path / f"{name}.flac")
        rows.append(row(tmp_path / f"{name}.flac", score_pop=0.1))
    rows[2] |= {"genre": None, "confidence": None, "error": "cannot read it"}
    write_rows(tmp_path / f"t{request.param}", rows, ABOUT)
    return tmp_path / f"t{request.param}"


def test_a_correction_stands_beside_the_answer_and_can_be_taken_back(table):
    song = table.with_name("b.flac")
    before = read_table(table)
    (changed,) = correct(table, {str(song): " POP "})
    assert (changed["genre"], changed["correction"]) == ("rock", "pop")
    after = read_table(table)
    assert after.drop(columns="correction").equals(before.drop(columns="correction"))
    assert [row["path"] for row in corrected_rows(table)] == [str(song)]
    correct(table, {str(song): None})
    assert read_table(table).equals(before)


def test_what_cannot_be_noted_leaves_the_table_as_it_is(table, tmp_path):
    before = table.read_bytes()
    good = str(table.with_name("a.flac"))
    for genres, words in (
        ({good: "pop", str(tmp_path / "z.flac"): "pop"}, "not in the table"),
        ({str(tmp_path / "c.flac"): "pop"}, "was not classified"),
        ({good: "a;b"}, "one name"),
        ({good: "  "}, "one name"),
        ({good: "x" * 101}, "at most 100"),
    ):
        with pytest.raises(CorrectionError, match=words):
            correct(table, genres)
    with table_lock(table), pytest.raises(TableError, match="at work"):
        correct(table, {good: "pop"})
    assert table.read_bytes() == before


def test_songs_are_found_through_links(table, tmp_path):
    os.symlink(tmp_path, tmp_path / "link")
    (changed,) = correct(table, {str(tmp_path / "link" / "a.flac"): "pop"})
    assert changed["path"] == str(tmp_path / "a.flac")


def test_older_tables_can_be_corrected(tmp_path):
    add_song(tmp_path / "a.flac")
    file = tmp_path / "t.parquet"
    write_rows(file, [row(tmp_path / "a.flac")], ABOUT)
    old = pq.read_table(file).drop_columns(["correction"])
    pq.write_table(old, file)
    assert [row["correction"] for row in read_rows(file)] == [None]
    correct(file, {str(tmp_path / "a.flac"): "pop"})
    assert [row["correction"] for row in corrected_rows(file)] == ["pop"]


def test_tags_and_playlists_take_the_correction(table):
    a, b = (str(table.with_name(f"{name}.flac")) for name in "ab")
    correct(table, {a: "hip hop", b: "pop"})
    songs = scanned_songs(table)
    assert songs.labels == ["rock", "pop", "hip hop"]
    assert songs.genres == ["hip hop", "pop"]
    assert songs.confidence.tolist() == [1.0, 1.0]
    assert songs.scores.tolist() == [[0, 0, 1], [0, 1, 0]]
    assert songs.corrections == {a: "hip hop", b: "pop"}
    (found,) = playlist(songs, ["hip hop"], min_confidence=0.99).songs
    assert found.path == a
    wish = Wish(min_confidence=0.95)
    list(tag_songs(table, wish, undo=table.with_name("undo.jsonl")))
    assert [read_genre(path) for path in (a, b)] == [["hip hop"], ["pop"]]
    # Tagging changes the files, and the table follows them with their corrections.
    assert {row["path"] for row in corrected_rows(table)} == {a, b}


def test_no_music_is_a_correction_too(table):
    a = str(table.with_name("a.flac"))
    correct(table, {a: "Not Music"})
    assert scanned_songs(table).left_out[a] == NO_MUSIC
    outcomes = {outcome.path: outcome.kind for outcome in tag_songs(table, Wish())}
    assert outcomes[a] == "nothing"


def test_rows_without_an_answer_stay_so():
    assert answered({"genre": None, "correction": "jazz"})["genre"] is None
    assert answered({"genre": "rock"}) == {"genre": "rock"}


def test_a_scan_keeps_corrections_while_the_content_is_the_same(scanned, library, tmp_path):
    scanned()
    out = tmp_path / "genres.parquet"
    stays, moved, changed = (library / "bass" / f"bass-{number}.wav" for number in range(3))
    correct(out, {str(stays): "treble", str(moved): "middle", str(changed): "new"})
    new_place = library / "treble" / "moved.wav"
    shutil.move(moved, new_place)
    soundfile.write(changed, tone(150, 5.0, seed=9), RATE)
    _, table = scanned()
    found = table.set_index("path")["correction"].dropna().to_dict()
    assert found == {str(stays): "treble", str(new_place): "middle"}
    counts, table = scanned(restart=True)
    assert counts.new == 24
    assert table.set_index("path")["correction"].dropna().to_dict() == found
    assert set(table["genre"]) == {"bass", "middle", "treble"}


def test_songs_are_known_by_their_content_or_their_file():
    was = {"path": "/a", "size": 3, "mtime": 5, "sample": "x", "correction": "jazz"}
    known = Remembered([was, {**was, "path": "/b", "sample": "y", "correction": None}])
    assert known.of({"path": "/c", "size": 9, "mtime": 9, "sample": "x"}) == "jazz"
    assert known.of({"path": "/a", "size": 3, "mtime": 5, "sample": None}) == "jazz"
    assert known.of({"path": "/b", "size": 3, "mtime": 5, "sample": "y"}) is None


def test_a_song_that_another_program_tags_keeps_its_correction(scanned, library, tmp_path):
    scanned()
    song, other = library / "bass" / "bass-0.wav", library / "bass" / "bass-1.wav"
    correct(tmp_path / "genres.parquet", {str(song): "dub", str(other): "dub"})
    write_genre(str(song), ["by another program"])
    soundfile.write(other, tone(150, 5.0, seed=9), RATE)  # as long, and not the same
    counts, table = scanned()
    assert counts.changed == 2
    assert table.set_index("path")["correction"].dropna().to_dict() == {str(song): "dub"}
