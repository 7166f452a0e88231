"""Playlists from the page: downloads, files in the music folder, and errors."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from genrenet.playlists import read_playlist
from genrenet.web.app import create_app
from tests.helpers.library_tables import write_shelf, write_songs
from tests.helpers.served import conforms, make_service


@pytest.fixture
def root(tmp_path):
    (tmp_path / "music").mkdir()
    write_songs(tmp_path / "music")
    return tmp_path / "music"


@pytest.fixture
def client(root, checkpoint, tmp_path):
    table = write_shelf(root, tmp_path / "t.parquet")
    service = make_service(root, checkpoint, table=table, save_playlists=True)
    return create_app(service, str(tmp_path)).test_client()


def asked(client, **body):
    return client.post("/api/library/playlist", json=body)


def test_a_query_becomes_a_file_that_players_read(client, root, tmp_path):
    answer = asked(client, name="Jazz: all?", genre="jazz", sort="title")
    assert answer.mimetype == "audio/x-mpegurl"
    assert "Jazz all.m3u8" in answer.headers["Content-Disposition"]
    assert str(root) not in answer.text
    (root / "list.m3u8").write_bytes(answer.data)
    songs = read_playlist(root / "list.m3u8")
    assert [song.title for song in songs] == ["Freddie Freeloader", "So What", "So What"]
    assert all(Path(song.path).is_file() for song in songs)


def test_paths_keep_their_order_and_are_saved_with_relative_paths(client, root):
    paths = ["Miles Davis/So What.wav", "AC_DC/Powerage/01 Sin City.wav"]
    answer = asked(client, name="Two", paths=[*paths, "unknown.wav"], save=True)
    assert answer.json == {"saved": "Playlists/Two.m3u8", "songs": 2}
    file = root / "Playlists" / "Two.m3u8"
    assert "\n../Miles Davis/So What.wav\n" in file.read_text()
    assert [song.path for song in read_playlist(file)] == [str(root / path) for path in paths]
    again = asked(client, name="Two", paths=paths, save=True)
    assert (again.status_code, "already" in again.json["error"]) == (422, True)


def test_of_two_that_save_one_name_at_once_one_is_refused(client, root):
    with ThreadPoolExecutor(4) as pool:
        answers = [*pool.map(lambda _: asked(client, name="x", genre="jazz", save=True), range(4))]
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]
    assert len(read_playlist(root / "Playlists" / "x.m3u8")) == 3


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("nul", "_nul"),
        ("COM1.jazz", "_COM1.jazz"),
        ("Console", "Console"),
        ("音" * 100, "音" * 66),
        ("x" * 99 + ". y", "x" * 99),
    ],
)
def test_names_are_such_as_every_system_takes(client, root, name, file):
    answer = asked(client, name=name, genre="jazz", save=True)
    assert answer.json["saved"] == f"Playlists/{file}.m3u8"
    assert (root / "Playlists" / f"{file}.m3u8").stat().st_size > 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "x", "paths": []}, "found 0"),
        ({"name": "x", "paths": "a.wav"}, "a list"),
        ({"name": "x", "genre": "polka"}, "found 0"),
        ({"name": "x", "genre": 3}, "a text"),
        ({"name": "../", "genre": "jazz"}, "a few letters"),
        ({"name": "\ud800", "genre": "jazz"}, "a few letters"),
        ({"genre": "jazz"}, "wanted JSON"),
    ],
)
def test_what_makes_no_playlist_is_refused(client, body, words):
    answer = client.post(
        "/api/library/playlist", data=json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 400
    assert words in answer.json["error"]
    conforms(answer.json, "Error")


def test_nothing_is_written_elsewhere_or_unasked(client, root, tmp_path, checkpoint):
    os.symlink(tmp_path, root / "Playlists")
    answer = asked(client, name="x", genre="jazz", save=True)
    assert (answer.status_code, "leads out" in answer.json["error"]) == (422, True)
    os.unlink(root / "Playlists")
    (root / "Playlists").write_text("a file")
    answer = asked(client, name="x", genre="jazz", save=True)
    assert answer.status_code == 422
    assert str(root) not in answer.json["error"]
    assert "download it" in answer.json["error"]
    service = make_service(root, checkpoint, table=tmp_path / "t.parquet")
    other = create_app(service, str(tmp_path)).test_client()
    answer = asked(other, name="x", genre="jazz", save=True)
    assert (answer.status_code, "--save-playlists" in answer.json["error"]) == (400, True)
