"""Suggestions of similar names."""

import pytest

from genrenet.utils import suggest
from genrenet.utils.suggest import did_you_mean, nearest


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("jaz", ["blues", "jazz"], ["jazz"]),
        ("HIPHOP", ["Hip-Hop", "rock"], ["Hip-Hop"]),
        ("STRASSE", ["Straße"], ["Straße"]),
        ("polka", ["blues", "jazz"], []),
        ("a", [], []),
    ],
)
def test_near_names_are_found_in_any_case(name, known, found):
    assert nearest(name, known) == found


def test_the_question_names_what_is_near():
    assert did_you_mean("rok", ["rock", "roc", "jazz"]) == "did you mean 'rock' or 'roc'?"
    assert did_you_mean("caf", ["caf\udce9"]) == r"did you mean 'caf\xe9'?"
    assert did_you_mean("polka", ["rock"]) == ""


def test_very_many_names_are_not_looked_at(monkeypatch):
    monkeypatch.setattr(suggest, "FEW", 2)
    assert nearest("jaz", ["jazz", "rock"]) == ["jazz"]
    assert nearest("jaz", ["jazz", "rock", "pop"]) == []
