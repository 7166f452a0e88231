"""Content of songs in a history: matching paths, new songs, libraries without plays."""

import numpy as np
import pytest

from genrenet.cli import main
from genrenet.recommend import RecommendError, read_history
from genrenet.recommend.content import (
    SongContent,
    is_library,
    library_history,
    match_paths,
    read_content,
    song_of,
    with_content,
)
from genrenet.utils.errors import GenrenetError


@pytest.fixture(scope="module")
def embedded(music, checkpoint, tmp_path_factory):
    """Embeddings of the songs of `music`, as the program writes them, in both formats."""
    folder = tmp_path_factory.mktemp("embedded")
    for name in ("songs.npz", "songs.parquet"):
        arguments = ["embed", music, "--backbone", checkpoint, "--per", "song", "--out"]
        assert main([*map(str, arguments), str(folder / name)]) == 0
    return folder


@pytest.mark.parametrize(
    ("wanted", "known", "places"),
    [
        (["/m/a/1.mp3"], ["/m/b/1.mp3", "/m/a/1.mp3"], [1]),
        (["a/1.mp3", "b/1.mp3"], ["/m/b/1.mp3", "/m/a/1.mp3"], [1, 0]),
        (["/old/m/a/1.mp3"], ["/new/n/a/1.mp3", "/new/m/a/1.mp3"], [1]),
        (["1.mp3"], ["/m/a/1.mp3", "/m/b/2.mp3"], [0]),
        (["1.mp3"], ["/m/a/1.mp3", "/m/b/1.mp3"], [-1]),
        (["/m/a/1.mp3"], ["1.mp3", "2.mp3"], [0]),
        (["other/1.mp3"], ["/m/a/1.mp3"], [-1]),
        (["x"], [], [-1]),
    ],
)
def test_paths_match_by_their_ends(wanted, known, places):
    assert match_paths(wanted, known) == places


def test_relative_paths_are_those_of_the_folder_we_are_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert match_paths(["1.mp3"], [str(tmp_path / "1.mp3"), "/m/1.mp3"]) == [0]


@pytest.mark.parametrize("name", ["songs.npz", "songs.parquet"])
def test_embeddings_become_directions(embedded, name):
    songs = read_content(embedded / name)
    assert is_library(embedded / name)
    assert len(songs.paths) == 24
    assert np.linalg.norm(songs.rows, axis=1) == pytest.approx(np.ones(24), abs=1e-5)
    near = songs.rows @ songs.rows.T
    np.fill_diagonal(near, -1)
    genres = np.array([path.split("/")[-2] for path in songs.paths])
    assert (genres[near.argmax(axis=1)] == genres).mean() == 1


def test_scores_of_a_scan_become_directions(music, checkpoint, tmp_path):
    table = tmp_path / "genres.sqlite"
    arguments = ["scan", music, "--out", table, "--checkpoint", checkpoint]
    assert main([*map(str, arguments)]) == 0
    songs = read_content(table)
    assert songs.rows.shape == (24, 3)
    assert np.linalg.norm(songs.rows, axis=1) == pytest.approx(np.ones(24), abs=1e-5)
    assert songs.what.startswith("genre scores of ")


def test_songs_are_scored_under_the_names_of_the_table(music, checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(checkpoint.parent)  # tables know a file by its name
    names, table = tmp_path / "names.csv", tmp_path / "genres.sqlite"
    names.write_text("genre,name\nbass,low\nmiddle,loud > mid\ntreble,loud\n")
    arguments = ["scan", music, "--out", table, "--checkpoint", checkpoint, "--taxonomy", names]
    assert main([*map(str, arguments)]) == 0
    songs = read_content(table)
    assert songs.describe(songs.paths[0])[0] == pytest.approx(songs.rows[0], abs=1e-3)
    names.write_text("genre,name\nbass,deep\n")
    with pytest.raises(RecommendError, match="not the taxonomy of the table: found deep"):
        songs.describe(songs.paths[0])


def test_a_history_of_songs_meets_a_library(embedded, tmp_path):
    path = tmp_path / "plays.csv"
    path.write_text("user,path,plays\nanna,bass/bass-0.wav,3\nanna,gone.mp3,1\nben,bass-0.wav,1\n")
    songs = read_content(embedded / "songs.npz")
    history, content, matched = with_content(read_history(path), songs)
    assert matched == 2
    assert history.items[:3] == ["bass/bass-0.wav", "gone.mp3", "bass-0.wav"]
    assert len(history.items) == 3 + 23
    assert history.plays.shape == (2, 26)
    assert not content[1].any()
    assert np.array_equal(content[0], content[2])
    assert np.linalg.norm(content, axis=1).sum() == pytest.approx(25, abs=1e-3)


def test_songs_are_found_by_name_and_near_names_are_offered():
    songs = SongContent(["/m/a/Song.mp3", "/m/b/Song.mp3", "/m/b/other.mp3"], np.eye(3), "x")
    history = library_history(songs)
    assert history.plays.shape == (0, 3)
    assert song_of(history, "b/Song.mp3") == 1
    assert song_of(history, "/elsewhere/other.mp3") == 2
    with pytest.raises(RecommendError, match=r"several items are called 'Song\.mp3'"):
        song_of(history, "Song.mp3")
    with pytest.raises(RecommendError, match=r"no item 'othr.mp3'.*did you mean '/m/b/other.mp3'"):
        song_of(history, "othr.mp3")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.npz", "there is no file"),
        ("gone.parquet", "there is no"),
        ("plays.csv", "contains no audio features of songs"),
        ("broken.npz", "is not a file of embeddings"),
        ("broken.sqlite", "is not the table"),
    ],
)
def test_files_without_content(tmp_path, name, message):
    if "gone" not in name:
        (tmp_path / name).write_text("user,item\n")
    with pytest.raises(GenrenetError, match=message):
        read_content(tmp_path / name)
