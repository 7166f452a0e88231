"""Streams: the events before an answer."""

from __future__ import annotations

import json

import pytest
import soundfile

from genrenet.web.events import follow
from genrenet.web.scoring import Song
from tests.helpers.served import STREAM, conforms, form, make_service
from tests.helpers.tones import RATE, tone


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
