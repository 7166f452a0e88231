"""Scoring for many clients at once: turns, errors, and files that change while they wait."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from contextlib import closing
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from genrenet.data.frames import FrameSettings
from genrenet.web.app import create_app
from tests.helpers.served import STREAM, asking, form, make_service, serving
from tests.helpers.tones import RATE


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


@pytest.mark.long
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
