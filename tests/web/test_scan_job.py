"""Scans from the page: the table follows the folder, in the background, and one at a time."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from genrenet.library.corrections import corrected_rows
from genrenet.library.locking import table_lock, watch_lock
from genrenet.library.table import count_rows, read_rows
from genrenet.web.app import create_app
from tests.helpers.served import STREAM, conforms, make_service, scan_of


@pytest.fixture
def root(music, tmp_path):
    shutil.copytree(music, tmp_path / "music")
    return tmp_path / "music"


@pytest.fixture
def table(root, checkpoint, tmp_path):
    return scan_of(root, checkpoint, tmp_path / "songs.parquet")


def client_of(root, checkpoint, table, *, served=True):
    checkpoints = [str(checkpoint)] if served else []
    service = make_service(root, checkpoint, table=table, checkpoints=checkpoints)
    return create_app(service, str(table.parent)).test_client(), service


def followed(client) -> list[dict]:
    """All events of a scan until it has ended."""
    answer = client.get("/api/library/scan", headers=STREAM)
    return [json.loads(line) for line in answer.data.splitlines()]


def test_new_and_gone_songs_are_followed_without_the_page(root, checkpoint, table):
    client, service = client_of(root, checkpoint, table)
    assert client.get("/api/library/scan").json == {"state": "idle"}
    (root / "bass/bass-0.wav").unlink()
    shutil.copy(root / "treble/treble-1.wav", root / "new.wav")
    (root / "odd.mp3").write_text("only text")
    started = client.post("/api/library/scan", json={})
    assert started.status_code == 202
    *_, last = followed(client)
    assert (last["event"], last["state"]) == ("scan", "done")
    found = {name: last["counts"][name] for name in ("songs", "new", "gone", "failed", "left")}
    assert found == {"songs": 25, "new": 1, "gone": 1, "failed": 1, "left": 0}
    assert count_rows(table) == 25
    service.library.wait()
    assert client.get("/api/library/songs?artist=&limit=1").json["total"] == 24  # one is a copy
    again = client.post("/api/library/scan", json={"retry": True})
    assert again.status_code == 202
    assert followed(client)[-1]["counts"]["failed"] == 1
    assert len([row for row in read_rows(table) if row["path"].startswith(str(root))]) == 25


def test_the_folder_is_called_as_the_table_calls_it(root, checkpoint, tmp_path):
    os.symlink(root, tmp_path / "link")
    table = scan_of(tmp_path / "link", checkpoint, tmp_path / "songs.sqlite")
    client, _ = client_of(root, checkpoint, table)
    client.post("/api/library/scan")
    assert followed(client)[-1]["counts"]["same"] == 24


def test_a_scan_is_cancelled_and_goes_on_later(root, checkpoint, table):
    client, _ = client_of(root, checkpoint, table)
    for number in range(40):
        os.link(root / "bass/bass-1.wav", root / f"copy-{number}.wav")
        (root / f"more-{number}.wav").write_bytes(
            (root / "bass/bass-1.wav").read_bytes() + bytes([number])
        )
    client.post("/api/library/scan")
    client.delete("/api/library/scan")
    last = followed(client)[-1]
    assert last["state"] == "cancelled"
    client.post("/api/library/scan")
    last = followed(client)[-1]
    assert (last["state"], last["counts"]["songs"]) == ("done", 24 + 80)


def test_a_scan_steps_aside_for_a_correction(root, checkpoint, table):
    client, service = client_of(root, checkpoint, table)
    whole = (root / "bass/bass-1.wav").read_bytes()
    for number in range(40):
        (root / f"more-{number}.wav").write_bytes(whole + bytes([number]))
    assert client.post("/api/library/scan").json["state"] == "running"
    answer = client.post("/api/correct", json={"path": "bass/bass-3.wav", "genre": "treble"})
    assert (answer.status_code, answer.json["correction"]) == (200, "treble")
    last = followed(client)[-1]
    counts = {name: last["counts"][name] for name in ("songs", "new", "same", "left")}
    assert counts == {"songs": 64, "new": 40, "same": 24, "left": 0}
    assert [row["correction"] for row in corrected_rows(table)] == ["treble"]
    service.library.refresh(now=True)
    service.wait()
    assert service.library.overview()["files"] == 64


def test_a_correction_that_must_wait_does_not_say_where_the_table_is(root, checkpoint, table):
    client, _ = client_of(root, checkpoint, table)
    with table_lock(table):
        answer = client.post("/api/correct", json={"path": "bass/bass-3.wav", "genre": "bass"})
    assert answer.status_code == 422
    assert "another scan or tagging is at work on 'songs.parquet'" in answer.json["error"]


def test_who_is_at_work_on_the_table_is_told(root, checkpoint, table):
    client, _ = client_of(root, checkpoint, table)
    for lock, words in ((table_lock, "another scan or tagging"), (watch_lock, "scan --watch")):
        with lock(table):
            answer = client.post("/api/library/scan")
        assert answer.status_code == 422
        assert words in answer.json["error"]
        assert str(table.parent) not in answer.json["error"]
        conforms(answer.json, "Error")


def test_a_model_that_is_not_here_is_told(root, checkpoint, table):
    client, _ = client_of(root, checkpoint, table, served=False)
    answer = client.post("/api/library/scan")
    assert answer.status_code == 422
    assert "which is not here" in answer.json["error"]
    assert client.post("/api/library/scan", json={"retry": 1}).status_code == 400
    assert client.get("/api/library/scan").json["state"] == "failed"


def test_without_a_library_there_is_nothing_to_scan(music, checkpoint, tmp_path):
    client = create_app(make_service(music, checkpoint), str(tmp_path)).test_client()
    for ask in (client.get, client.post, client.delete):
        assert ask("/api/library/scan").status_code == 400
