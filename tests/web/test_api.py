"""The API: the answers of `genrenet classify`, streams, limits, and the description of it all."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import jsonschema
import numpy as np
import openapi_spec_validator
import pytest
import soundfile

from genrenet.cli import main
from genrenet.data.frames import FrameSettings
from genrenet.web.app import create_app
from genrenet.web.events import follow
from genrenet.web.openapi import description
from genrenet.web.scoring import Song
from genrenet.web.uploads import display_name
from tests.helpers.served import make_service, scan_of, serving
from tests.helpers.tones import RATE, tone

JSON = {"content_type": "application/json"}
STREAM = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def folder(music, tmp_path_factory) -> Path:
    """Music with a broken file, a silent one, a truncated one and a long one."""
    root = tmp_path_factory.mktemp("served") / "music"
    shutil.copytree(music, root)
    (root / "broken.mp3").write_bytes(b"only text")
    soundfile.write(root / "silent.wav", np.zeros(3 * RATE), RATE)
    whole = (root / "bass" / "bass-1.wav").read_bytes()
    (root / "cut.wav").write_bytes(whole[: len(whole) * 2 // 3])
    soundfile.write(root / "long.flac", np.tile(tone(900, 20, seed=3), 6), RATE)
    return root


@pytest.fixture(scope="module")
def service(folder, checkpoint, tmp_path_factory):
    table = scan_of(folder, checkpoint, tmp_path_factory.mktemp("table") / "t.parquet")
    return make_service(folder, checkpoint, table=table, max_seconds=100.0, max_upload=4_000_000)


@pytest.fixture
def uploads(tmp_path) -> Path:
    (tmp_path / "uploads").mkdir()
    return tmp_path / "uploads"


@pytest.fixture
def client(service, uploads):
    return create_app(service, str(uploads)).test_client()


def form(data: bytes, name: str) -> dict:
    """A form with one upload; the test client's own would leave files open where they are large."""
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    body = f"--edge\r\n{head}\r\n\r\n".encode() + data + b"\r\n--edge--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=edge"}


def classified(path: Path, checkpoint: Path, capsys, *options: str) -> dict:
    """What the command line says of a song."""
    capsys.readouterr()
    main(["classify", str(path), "--checkpoint", str(checkpoint), "--format", "json", *options])
    (song,) = json.loads(capsys.readouterr().out)
    return song


def conforms(answer: object, schema: str) -> None:
    whole = description(1, 1.0)
    jsonschema.validate(answer, {**whole, "$ref": f"#/components/schemas/{schema}"})


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


def test_an_upload_gets_the_same_and_is_removed(client, folder, uploads, checkpoint, capsys):
    name = "middle/middle-2.wav"
    wanted = classified(folder / name, checkpoint, capsys, "--timeline")
    upload = (io.BytesIO((folder / name).read_bytes()), "C:\\music\\../My Song.wav")
    answer = client.post("/api/classify", data={"file": upload, "timeline": "true"})
    assert answer.status_code == 200
    assert answer.json == {**wanted, "path": "My Song.wav", "checkpoint": checkpoint.name}
    assert not list(uploads.iterdir())


def test_a_stream_tells_on_the_way_and_ends_with_the_answer(client, folder, checkpoint, uploads):
    upload = form((folder / "long.flac").read_bytes(), "long.flac")
    for sent in ({"json": {"path": "middle/middle-2.wav"}}, upload):
        if "data" in sent:
            client.application.config["SERVICE"].scoring.max_seconds = 200.0
        answer = client.post("/api/classify", headers=STREAM, **sent)
        assert answer.mimetype == "application/x-ndjson"
        events = [json.loads(line) for line in answer.data.splitlines()]
        client.application.config["SERVICE"].scoring.max_seconds = 100.0
        answer.close()
        events = [event for event in events if event["event"] != "working"]
        assert events[0]["event"] == "started"
        assert events[-1]["event"] == "result"
        song = events[-1]["song"]
        conforms(song, "Song")
        assert song["genre"] == "middle"
        frames = [event for event in events if event["event"] == "frames"]
        told = {each["first"] + k: f for each in frames for k, f in enumerate(each["frames"])}
        assert [told[k] for k in range(len(told))] == song["timeline"]
        assert {each["total"] for each in frames} == {len(song["timeline"])}
        assert max(each["done"] for each in frames) == len(song["timeline"])
        peaks = [p for event in events if event["event"] == "waveform" for p in event["peaks"]]
        seconds = len(peaks) * events[0]["seconds_per_peak"]
        assert seconds == pytest.approx(song["duration"], abs=events[0]["seconds_per_peak"])
        assert 0.3 < max(peaks) < 0.6
        assert len(events[-1]["similar"]) == 8
        assert events[-1]["by"] == "scores"
        assert {each["genre"] for each in events[-1]["similar"]} == {"middle"}
        own = "middle/middle-2.wav"
        assert ("json" in sent) == (own not in {each["path"] for each in events[-1]["similar"]})
    assert not list(uploads.iterdir())


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


def test_names_of_uploads_are_shown_without_what_could_harm():
    assert display_name("../..\\x/So\x1b[31m\nWhat?.mp3") == "So [31m What?.mp3"
    assert display_name("caf\udce9.mp3") == "caf\\xe9.mp3"
    assert [display_name(name) for name in (None, "", "a/", "\0")] == ["upload"] * 4
    assert len(display_name("x" * 9999)) == 200


def test_two_files_at_once_are_refused_and_removed(client, uploads):
    data = {"file": (io.BytesIO(b"a"), "a.mp3"), "other": (io.BytesIO(b"b"), "b.mp3")}
    answer = client.post("/api/classify", data=data)
    assert (answer.status_code, "found 2 files" in answer.json["error"]) == (400, True)
    assert not list(uploads.iterdir())


def test_other_addresses(client, folder, checkpoint):
    health = client.get("/api/health").json
    conforms(health, "Health")
    assert health["library"] == {"state": "ready", "songs": 25 + 1, "files": 28}
    (model,) = client.get("/api/models").json["models"]
    conforms(model, "Model")
    assert model["genres"] == ["bass", "middle", "treble"]
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


def test_the_description_is_openapi_and_names_every_address(client):
    told = client.get("/api/openapi.json").json
    openapi_spec_validator.validate(told)
    rules = {r.rule for r in client.application.url_map.iter_rules() if r.rule.startswith("/api/")}
    assert rules == set(told["paths"])


def test_a_fault_of_the_program_shows_no_trace(folder, checkpoint, uploads, caplog):
    service = make_service(folder, checkpoint)
    service.scoring.models = {"gone": None}
    client = create_app(service, str(uploads)).test_client()
    answer = client.post("/api/classify", json={"path": "long.flac", "model": "gone"})
    assert (answer.status_code, answer.json) == (500, {"error": service.FAULT})
    streamed = client.post("/api/classify", json={"path": "long.flac"}, headers=STREAM)
    last = json.loads(streamed.data.splitlines()[-1])
    assert last == {"event": "error", "status": 500, "error": service.FAULT}
    assert "Traceback" in caplog.text
    assert service.scoring.turns.running == 0


def asking(port: int, body: bytes, **headers: str) -> http.client.HTTPConnection:
    """A connection on which a song has been asked about."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request("POST", "/api/classify", body, headers)
    return connection


def test_a_client_that_leaves_gives_its_place_up(folder, checkpoint):
    service = make_service(folder, checkpoint, at_once=1, queue=1)
    turns = service.scoring.turns
    body, kind = b'{"path": "long.flac"}', {"Content-Type": "application/json"}
    with serving(service) as server, turns.join() as busy:
        port = urlsplit(server.url).port
        waiting = asking(port, body, **kind, **STREAM)
        with closing(waiting), waiting.getresponse() as answer:
            while b"queued" not in (line := answer.readline()):
                pass
            assert json.loads(line)["ahead"] == 1
            refused = asking(port, body, **kind)
            with closing(refused), refused.getresponse() as full:
                assert (full.status, full.getheader("Retry-After")) == (429, "5")
                assert "too many songs at once" in json.loads(full.read())["error"]
        end = time.monotonic() + 30
        while turns.waiting and time.monotonic() < end:
            time.sleep(0.05)
        assert (turns.waiting, turns.running, busy.ahead) == (0, 1, 0)


def test_two_hundred_at_once_all_get_their_own_answer(folder, checkpoint, music):
    service = make_service(folder, checkpoint)
    names = sorted(str(path.relative_to(music)) for path in music.rglob("*.wav"))
    alone = create_app(service, os.devnull).test_client()
    wanted = {n: alone.post("/api/classify", json={"path": n}).json["scores"] for n in names}
    found: list[tuple[str, int, dict]] = []
    start = threading.Barrier(201)

    def ask(number: int) -> None:
        name = names[number % len(names)]
        if number % 2:
            body, kind = json.dumps({"path": name}).encode(), "application/json"
        else:
            sent = form((music / name).read_bytes(), "x.wav")
            body, kind = sent["data"], sent["content_type"]
        start.wait()
        connection = asking(port, body, **{"Content-Type": kind})
        with closing(connection), connection.getresponse() as answer:
            found.append((name, answer.status, json.loads(answer.read())))

    with serving(service) as server:
        port = urlsplit(server.url).port
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(200)]
        for thread in threads:
            thread.start()
        start.wait()
        with urlopen(f"{server.url}api/health", timeout=60) as page:  # while they wait
            assert page.status == 200
        for thread in threads:
            thread.join()
    assert len(found) == 200
    assert {status for _, status, _ in found} == {200}
    for name, _, answer in found:
        assert answer["scores"] == wanted[name]
    assert service.scoring.turns.running == service.scoring.turns.waiting == 0


def test_a_song_is_looked_at_again_when_its_turn_comes(music, checkpoint, tmp_path):
    root, outside = tmp_path / "music", tmp_path / "outside.wav"
    root.mkdir()
    shutil.copy(music / "bass" / "bass-0.wav", root / "song.wav")
    outside.write_bytes(b"root:x:0:0:a secret")
    service = make_service(root, checkpoint, at_once=1)
    client = create_app(service, os.devnull).test_client()
    answers = []

    def ask(headers: dict[str, str]) -> None:
        answers.append(client.post("/api/classify", json={"path": "song.wav"}, headers=headers))
        answers[-1].data  # noqa: B018 - reads the stream to its end

    with service.scoring.turns.join():
        threads = [threading.Thread(target=ask, args=(headers,)) for headers in ({}, STREAM)]
        for thread in threads:
            thread.start()
        while service.scoring.turns.waiting < 2:
            time.sleep(0.01)
        (root / "song.wav").unlink()
        (root / "song.wav").symlink_to(outside)
    for thread in threads:
        thread.join()
    assert len(answers) == 2
    for answer in answers:
        assert "no song 'song.wav'" in answer.text
        assert "secret" not in answer.text
    assert service.scoring.turns.running == 0


def test_the_outline_ends_where_the_file_says_it_ends(tmp_path, checkpoint, monkeypatch):
    path = tmp_path / "music" / "song.wav"
    path.parent.mkdir()
    soundfile.write(path, tone(150, 6.0), RATE)
    service = make_service(path.parent, checkpoint)
    song = Song(str(path), "song.wav", service.shelf.root)
    # The header's word, as of a file to which more was added.
    monkeypatch.setattr(service.scoring, "length", lambda song: 2.0)
    found = [e for e in follow(service.scoring, song, checkpoint.name) if e["event"] == "waveform"]
    assert sum(len(event["peaks"]) for event in found) <= 101


def test_a_table_with_odd_content_stops_nothing(folder, checkpoint, tmp_path):
    table = scan_of(folder, checkpoint, tmp_path / "t.sqlite")
    for change, state, songs in (
        ("UPDATE songs SET confidence = NULL WHERE genre = 'bass'", "ready", 16 + 1),
        ("UPDATE songs SET score_treble = 9e999 WHERE genre = 'middle'", "ready", 8),
        ("UPDATE songs SET path = x'fffe' WHERE path LIKE '%bass-0.wav'", "none", 0),
    ):
        with closing(sqlite3.connect(table)) as connection, connection:
            connection.execute(change)
        service = make_service(folder, checkpoint, table=table)
        told = create_app(service, os.devnull).test_client().get("/api/health").json["library"]
        assert (told["state"], told["songs"]) == (state, songs), change


def test_songs_scanned_with_other_genres_are_not_compared(folder, checkpoint, tmp_path):
    table = scan_of(folder, checkpoint, tmp_path / "t.parquet")
    service = make_service(folder, checkpoint, "emotify-cnn", table=table)
    client = create_app(service, os.devnull).test_client()
    for model, by, number in ((checkpoint.name, "scores", 8), ("emotify-cnn", "incomparable", 0)):
        asked = {"path": "bass/bass-0.wav", "model": model}
        lines = client.post("/api/classify", json=asked, headers=STREAM).data.splitlines()
        last = json.loads(lines[-1])
        assert (last["by"], len(last["similar"])) == (by, number)


def test_what_a_model_refuses_is_an_answer_and_a_fault_of_one_song_ends_nothing(
    folder, checkpoint, uploads, tmp_path, caplog
):
    for name in ("refusing.ckpt", "failing.ckpt", "good.ckpt"):
        shutil.copy(checkpoint, tmp_path / name)
    names = [tmp_path / name for name in ("good.ckpt", "refusing.ckpt", "failing.ckpt")]
    service = make_service(folder, *names)
    # A frame length that the network was not made for, and an output without a name.
    refusing, failing = (service.scoring.models[name.name] for name in names[1:])
    refusing.frames = FrameSettings(2.0, 0.0, RATE)
    failing.labels = failing.labels[:2]
    client = create_app(service, str(uploads)).test_client()
    for number in range(4):
        asked = {"path": f"bass/bass-{number}.wav"}
        answers = {
            name.name: client.post("/api/classify", json={**asked, "model": name.name})
            for name in names
        }
        assert {name: answer.status_code for name, answer in answers.items()} == {
            "good.ckpt": 200, "refusing.ckpt": 422, "failing.ckpt": 500
        }  # fmt: skip
        assert "another frame length" in answers["refusing.ckpt"].json["error"]
        assert answers["failing.ckpt"].json == {"error": service.FAULT}
        streamed = client.post(
            "/api/classify", json={**asked, "model": "refusing.ckpt"}, headers=STREAM
        )
        last = json.loads(streamed.data.splitlines()[-1])
        assert (last["event"], last["status"]) == ("error", 422)
    assert client.get("/api/health").json["queue"]["running"] == 0
    assert "a request failed" in caplog.text
