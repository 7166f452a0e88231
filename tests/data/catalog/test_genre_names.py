"""Spellings of one genre, and cells with several genres."""

import numpy as np
import pandas as pd
import pytest

from genrenet.data.catalog.base import Reading, Song
from genrenet.data.catalog.genre_names import (
    ascii_form,
    cell_values,
    merged,
    report_names,
    spelling_key,
)


@pytest.mark.parametrize("name", ["hip hop", "HIP-HOP", "Hip_Hop", "hip\u2013hop", " Hip\tHop "])
def test_case_blanks_and_hyphens_do_not_count(name):
    assert spelling_key(name) == spelling_key("Hip-Hop")


def test_other_letters_do():
    assert spelling_key("Cafe\u0301") == spelling_key("CAF\u00c9") != spelling_key("cafe")
    assert spelling_key("R&B") != spelling_key("RB")
    assert spelling_key("-") != spelling_key("_")  # a name of hyphens alone keeps them


def test_spellings():
    names = ["Hip-Hop", "hip hop", "Hip-Hop", "HIPHOP", "R&B", "Pop", "pop "]
    found = merged(names)
    assert {found[name] for name in names[:4]} == {"Hip-Hop"}
    assert found["pop "] == "Pop"
    assert found["R&B"] == "R&B"


def test_the_first_in_order_of_equally_frequent_spellings():
    assert merged(["rock", "Rock"]) == merged(["Rock", "rock"]) == {"rock": "Rock", "Rock": "Rock"}
    assert merged([]) == {}


def test_names_that_differ_in_spelling_alone_are_one_problem():
    names = ["Rock", "rock", "rock", "Pop", "Cafe\u0301", "Caf\u00e9"]
    reading = Reading("folders", "/m", [Song(f"/m/{n}.mp3", name) for n, name in enumerate(names)])
    report_names(reading)
    kinds = {problem.kind for problem in reading.problems}
    texts = sorted(problem.message for problem in reading.problems)
    assert kinds == {"similar-genres"}
    assert len(texts) == 2
    assert "'Rock' (1 songs) and 'rock' (2 songs)" in texts[1]
    assert "Pop" not in "".join(texts)
    assert ascii_form("Cafe\u0301") in texts[0]


def test_letters_that_look_like_others_are_written_as_escapes():
    assert ascii_form("Caf\u00e9") == "'Caf\u00e9'"
    assert ascii_form("Cafe\u0301") == r"'Cafe\u0301'"


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("rock", ["rock"]),
        (["rock"], ["rock"]),
        (np.array(["rock", "pop"], object), ["rock", "pop"]),
        (("a", None, "b"), ["a", "b"]),
        ([["a"], ["b"]], ["a", "b"]),
        ("['rock']", ["rock"]),
        ('["rock", "pop"]', ["rock", "pop"]),
        ("('rock',)", ["rock"]),
        ("[]", []),
        (np.nan, []),
        (None, []),
        ("  ", []),
        ("[live]", ["[live]"]),
        ("(What's the Story)", ["(What's the Story)"]),
        (np.float64(3), ["3.0"]),
        (7, ["7"]),
    ],
)
def test_cells(cell, values):
    assert cell_values(cell) == values


@pytest.mark.parametrize("cell", [pd.NA, pd.NaT, np.array([], object), set(), "\x00"])
def test_cells_without_a_value(cell):
    assert cell_values(cell) == []


def test_lists_too_deep_to_parse_are_text():
    cell = "[" * 5000 + "]" * 5000
    assert cell_values(cell) == [cell]
