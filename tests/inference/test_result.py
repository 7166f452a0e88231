"""The result for one file, in tables and JSON."""

import json

import numpy as np
import pytest

from genrenet.inference.answers import SIGMOID, SOFTMAX
from genrenet.inference.result import SongResult, named, named_scores, score_columns


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        ([], []),
        (["rock", "Rock", "ROCK"], ["score_rock", "score_Rock_2", "score_ROCK_3"]),
        (["rock", "rock_2", "Rock"], ["score_rock", "score_rock_2", "score_Rock_3"]),
        (["STRASSE", "straße"], ["score_STRASSE", "score_straße_2"]),
        (["straße", "STRASSE"], ["score_straße", "score_STRASSE_2"]),
    ],
)
def test_columns_are_different_for_databases_too(labels, columns):
    found = score_columns(labels)
    assert list(found) == labels
    assert list(found.values()) == columns


def test_an_answer_is_taken_from_scores():
    result = SongResult("a.wav", "model")
    result.decide({"pop": 0.3, "rock": 0.6, "jazz": 0.1}, SOFTMAX)
    assert (result.genre, result.confidence, result.unsure) == ("rock", 0.6, False)
    assert result.genres == {"rock": 0.6, "pop": 0.3}
    result.decide({"pop": 0.1, "rock": 0.05}, SIGMOID)
    assert (result.genre, result.unsure) == ("pop", True)


def test_a_file_that_failed_has_no_genre():
    found = SongResult("caf\udce9.mp3", "model", error="no audio").as_dict()
    assert found["path"] == r"caf\xe9.mp3"
    assert (found["genre"], found["confidence"], found["scores"]) == (None, 0.0, {})
    assert found["duration"] is None
    assert json.loads(json.dumps(found)) == found


def test_defaults_are_not_shared():
    first, second = SongResult("a", "m"), SongResult("b", "m")
    first.notes.append("short")
    first.scores["rock"] = 1.0
    assert (second.notes, second.scores) == ([], {})


def test_timeline_and_sections_where_they_are_asked_for():
    frames = [[0.9, 0.1]] * 4 + [[0.05, 0.95]] * 4
    result = SongResult("a.wav", "model", scores={"a": 0.5, "b": 0.5})
    result.timeline = [
        {
            "start": 30.0 * n,
            "end": 30.0 * (n + 1),
            "genre": "ab"[row[1] > row[0]],
            # By name: in another order than the song's scores.
            "scores": {"b": row[1], "a": row[0]},
        }
        for n, row in enumerate(frames)
    ]
    assert not {"timeline", "sections"} & set(result.as_dict())
    found = result.as_dict(timeline=True)
    assert found["timeline"] == result.timeline
    parts = [(part["start"], part["end"], part["genre"]) for part in found["sections"]]
    assert parts == [(0.0, 120.0, "a"), (120.0, 240.0, "b")]
    assert SongResult("a", "m").sections() == []


def test_scores_by_label():
    scores = np.array([0.12345678, 1.0], np.float64)
    assert named_scores(["a", "b"], scores) == {"a": 0.123457, "b": 1.0}
    with pytest.raises(ValueError, match="zip"):
        named_scores(["a"], scores)
    assert named([]) == ""
