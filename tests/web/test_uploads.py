"""Uploads: names, limits, and their removal."""

from __future__ import annotations

import io

from genrenet.web.uploads import display_name
from tests.helpers.served import classified


def test_an_upload_gets_the_same_and_is_removed(client, folder, uploads, checkpoint, capsys):
    name = "middle/middle-2.wav"
    wanted = classified(folder / name, checkpoint, capsys, "--timeline")
    upload = (io.BytesIO((folder / name).read_bytes()), "C:\\music\\../My Song.wav")
    answer = client.post("/api/classify", data={"file": upload, "timeline": "true"})
    assert answer.status_code == 200
    assert answer.json == {**wanted, "path": "My Song.wav", "checkpoint": checkpoint.name}
    assert not list(uploads.iterdir())


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
