"""The API: the same answers as `genrenet classify`, streams, limits, and its description."""

from __future__ import annotations

import io

import pytest

from tests.helpers.served import STREAM, classified, conforms, form

JSON = {"content_type": "application/json"}


def test_a_path_gets_the_answer_of_the_command_line(client, folder, checkpoint, capsys):
    for name in ("bass/bass-0.wav", "treble/treble-7.wav"):
        wanted = classified(folder / name, checkpoint, capsys)
        answer = client.post("/api/classify", json={"path": name})
        assert answer.status_code == 200
        assert answer.json == {**wanted, "path": name, "checkpoint": checkpoint.name}
        conforms(answer.json, "Song")
    wanted = classified(folder / name, checkpoint, capsys, "--timeline")
    answer = client.post("/api/classify", json={"path": name, "timeline": True})
    assert answer.json == {**wanted, "path": name, "checkpoint": checkpoint.name}
    assert len(answer.json["timeline"]) == 4
    conforms(answer.json, "Song")


def test_files_that_cannot_be_read_are_named_without_the_servers_folders(client, folder, uploads):
    secret = str(folder.parent)
    for sent in (
        {"json": {"path": "broken.mp3"}},
        {"data": {"file": (io.BytesIO(b"only text"), "broken.mp3")}},
        {"data": {"file": (io.BytesIO(b""), "broken.mp3")}},
    ):
        for headers in ({}, STREAM):
            if "data" in sent:
                sent["data"]["file"] = (io.BytesIO(b"only text"), "broken.mp3")
            answer = client.post("/api/classify", headers=headers, **sent)
            assert answer.status_code == 422
            assert "broken.mp3" in answer.json["error"]
            assert secret not in answer.text
            assert str(uploads) not in answer.text
    silent = client.post("/api/classify", json={"path": "silent.wav"})
    assert (silent.status_code, silent.json["genre"]) == (422, None)
    assert "'silent.wav' is silent" in silent.json["error"]
    conforms(silent.json, "Song")
    cut = client.post("/api/classify", json={"path": "cut.wav"})
    assert (cut.status_code, cut.json["genre"]) == (200, "bass")
    assert "'cut.wav'" in cut.json["error"]
    assert secret not in silent.text + cut.text
    assert not list(uploads.iterdir())


def test_limits_have_clear_answers(client, folder):
    long = client.post("/api/classify", json={"path": "long.flac"})
    assert long.status_code == 422
    assert long.json["error"] == "'long.flac' is too long: found 2 minutes, wanted at most 2"
    big = client.post("/api/classify", **form(b"x" * 5_000_000, "big.mp3"))
    assert big.status_code == 413
    assert big.json["error"] == "the upload is too large: wanted at most 4 MB"


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        ({"json": {"path": "../x.mp3"}}, 400, "without '..'"),
        ({"json": {"path": "x.mp3"}}, 404, "no song 'x.mp3'"),
        ({"json": {"path": 3}}, 400, "wanted JSON such as"),
        ({"json": ["x"]}, 400, "wanted JSON such as"),
        ({"data": b"{", "content_type": "application/json"}, 400, "wanted JSON such as"),
        ({"json": {"path": "long.flac", "model": "jazz"}}, 400, "no model 'jazz'"),
        ({"json": {"path": "long.flac", "model": []}}, 400, "wanted a name"),
        ({"json": {"path": "long.flac", "timeline": "x"}}, 400, "wanted true or false"),
        ({"data": {"model": "x"}, "content_type": "multipart/form-data"}, 400, "found 0 files"),
        ({"data": b"x", "content_type": "text/plain"}, 415, "multipart form"),
        (
            {"data": b'{"path": "x", "model": "\\ud800"}', "content_type": "application/json"},
            400,
            "model",
        ),
        ({"data": b"[" * 200_000, **JSON}, 400, "wanted JSON such as"),
    ],
)
def test_wrong_requests_get_a_line(client, sent, status, words):
    answer = client.post("/api/classify", **sent)
    assert answer.status_code == status
    assert words in answer.json["error"]
    assert "Traceback" not in answer.text
    conforms(answer.json, "Error")


def test_other_addresses(client, folder, checkpoint):
    health = client.get("/api/health").json
    conforms(health, "Health")
    assert health["library"] == {
        "state": "ready",
        "index": "ready",
        "saves_playlists": False,
        "songs": 25 + 1,
        "files": 28,
    }
    (model,) = client.get("/api/models").json["models"]
    conforms(model, "Model")
    assert model["genres"] == ["bass", "middle", "treble"]
    assert model["kind"] == "genres"
    found = client.get("/api/library?prefix=bass/&limit=3").json
    assert found["more"]
    for entry in found["entries"]:
        conforms(entry, "Entry")
        assert entry["genre"] == "bass"
    for limit in ("0", "x", "1000", "-1", "9" * 5000):
        assert client.get(f"/api/library?limit={limit}").status_code == 400
    audio = client.get("/api/audio?path=bass/bass-0.wav", headers={"Range": "bytes=0-3"})
    assert (audio.status_code, audio.data) == (206, b"RIFF")
    audio.close()
    assert client.get("/api/audio?path=../x.wav").status_code == 400
    assert client.get("/api/audio").status_code == 404
    assert client.get("/api/nothing").json["error"]
    assert client.get("/api/classify").status_code == 405
