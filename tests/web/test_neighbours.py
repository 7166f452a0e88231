"""Similar songs of a scanned library."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing

from genrenet.web.app import create_app
from tests.helpers.served import STREAM, make_service, scan_of


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
