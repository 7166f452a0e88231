"""Combining the scores of an album's songs; others, and the table, are unchanged."""

import json
import os

import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC

from genrenet.cli import main
from genrenet.inference.answers import AnswerRule
from genrenet.inference.result import SongResult
from genrenet.library.albums import album_of, album_scores, results_by_album, rows_by_album
from genrenet.library.songs import scanned_songs
from genrenet.library.table import SCORE, About, read_rows, write_rows
from genrenet.library.tag_plans import Wish
from genrenet.library.tagging import tag_songs

SCORES = [(0.9, 0.1), (0.8, 0.2), (0.4, 0.6), (0.3, 0.7)]
"""The third is outvoted by its album; the fourth has no album."""


@pytest.fixture
def songs(tmp_path):
    paths = []
    for number in range(4):
        path = tmp_path / f"{number}.flac"
        soundfile.write(path, 0.1 * np.sin(np.arange(8000) * 0.3), 8000)
        if number < 3:
            tags = FLAC(path)
            tags["album"] = "Blue" if number else "BLUE"
            tags.save()
        paths.append(str(path))
    return paths


@pytest.fixture
def table(songs, tmp_path):
    rows = [
        {"path": path, "genre": "jazz" if a > b else "rock", "confidence": max(a, b)}
        | {"duration": 1.0, f"{SCORE}jazz": a, f"{SCORE}rock": b}
        for path, (a, b) in zip(songs, SCORES, strict=True)
    ]
    write_rows(tmp_path / "t.parquet", rows, About(["jazz", "rock"], "m"))
    return tmp_path / "t.parquet"


def test_scores_are_the_geometric_mean_of_own_and_others():
    found = album_scores(np.array([[0.8, 0.2], [0.2, 0.8], [0.5, 0.5]]), ["a", "a", "a"])
    wanted = np.sqrt(0.8 * np.sqrt(0.2 * 0.5)), np.sqrt(0.2 * np.sqrt(0.8 * 0.5))
    assert found[0] == pytest.approx(np.array(wanted) / sum(wanted))
    assert found.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("albums", [[None, None], ["a", "b"], ["a", None]])
def test_songs_that_stand_alone_keep_their_scores(albums):
    scores = np.array([[0.8, 0.2], [0.2, 0.8]])
    assert (album_scores(scores, albums) == scores).all()


def test_scores_of_taggers_stay_between_zero_and_one():
    found = album_scores(np.array([[0.9, 0.9], [0.9, 0.01]]), ["a", "a"])
    assert found == pytest.approx(np.array([[0.9, np.sqrt(0.009)]] * 2))


def test_an_album_is_a_tag_in_a_folder(songs):
    assert album_of(songs[0]) == album_of(songs[1])
    assert album_of(songs[3]) is None


def test_rows_of_an_album_agree_and_the_rest_stays(table, songs):
    before = list(read_rows(table))
    rows = list(rows_by_album(read_rows(table), ["jazz", "rock"]))
    assert [row["path"] for row in rows] == songs
    assert [row["genre"] for row in rows] == ["jazz", "jazz", "jazz", "rock"]
    assert rows[2]["confidence"] == rows[2]["score_jazz"] > 0.5
    assert rows[3] == before[3]
    assert list(read_rows(table)) == before


def test_folders_between_the_songs_of_an_album_do_not_part_it(table, songs):
    rows = list(read_rows(table))
    inner = {**rows[3], "path": f"{os.path.dirname(songs[0])}/1/x.flac"}
    found = list(rows_by_album([*rows[:2], inner, *rows[2:]], ["jazz", "rock"]))
    assert sorted(row["path"] for row in found) == sorted([*songs, inner["path"]])
    assert {row["path"]: row["genre"] for row in found}[songs[2]] == "jazz"


@pytest.mark.parametrize("word", ["Non-Music", "talk"])
def test_what_is_no_music_under_another_name_stays_none(songs, word):
    rows = [
        {"path": path, "genre": word, "genres": "", SCORE + word: a, f"{SCORE}rock": 1 - a}
        for path, a in zip(songs, (0.9, 0.7), strict=False)
    ]
    found = [(row["genres"], row[SCORE + word]) for row in rows_by_album(rows, [word, "rock"])]
    assert found == [("", pytest.approx(0.820871, abs=1e-5))] * 2


def test_classified_albums_keep_to_a_taxonomy(checkpoint, songs, tmp_path, capsys):
    noise = np.random.default_rng(0).normal(0, 0.1, 8000)
    soundfile.write(songs[0], noise, 8000)
    tags = FLAC(songs[0])
    tags["album"] = "Blue"
    tags.save()
    names = tmp_path / "names.csv"
    names.write_text("genre,name\nbass,all\nmiddle,all > mid\ntreble,all > high\n")
    asked = ["classify", *songs, "--checkpoint", str(checkpoint), "--format", "json"]
    assert main([*asked, "--albums", "--taxonomy", str(names)]) == 0
    for song in json.loads(capsys.readouterr().out):
        assert set(song["genres"]) == {"all"}
        assert set(song["subgenres"]) <= {"mid", "high"}


def test_rows_in_error_pass(songs):
    rows = [{"path": path, "genre": None} for path in songs]
    assert list(rows_by_album(rows, ["jazz", "rock"])) == rows


def test_results_of_an_album_agree(songs):
    rule, results = AnswerRule(0.25, 0.4), []
    for path, scores in zip(songs, SCORES, strict=True):
        results.append(SongResult(path, "m"))
        results[-1].decide(dict(zip(("jazz", "rock"), scores, strict=True)), rule)
    results_by_album([*results, SongResult("gone.mp3", "m", error="gone")], rule)
    assert [result.genre for result in results] == ["jazz", "jazz", "jazz", "rock"]
    assert results[3].scores == {"jazz": 0.3, "rock": 0.7}


def test_tags_and_playlists_heed_albums_where_asked(table, capsys):
    wish = Wish(min_confidence=0.0, force=True)
    for albums, genre in ((False, "rock"), (True, "jazz")):
        assert scanned_songs(table, albums=albums).genres[2] == genre
        assert list(tag_songs(table, wish, albums=albums))[2].new == [genre]
    asked = ["playlist", str(table), "--genre", "rock", "--min-confidence", "0"]
    assert main(asked) == 0
    assert "2.flac" in capsys.readouterr().out
    assert main([*asked, "--albums"]) == 0
    assert "2.flac" not in capsys.readouterr().out
