"""Colours of genres: fixed, distinct, and the same as on the page."""

from __future__ import annotations

import re
from importlib import resources

from genrenet.utils.genre_colours import HUES, SLOTS, genre_colour, genre_slots


def test_common_genres_have_the_same_slot_in_every_company_and_spelling():
    alone = genre_slots(["hiphop"])["hiphop"]
    assert {*genre_slots(["hip hop", "Hip-Hop", "rap"]).values()} == {alone}
    labels = ["blues", "classical", "country", "disco", "electronic", "hiphop", "jazz", "metal"]
    labels += ["pop", "reggae", "rock"]
    found = genre_slots([*labels, "not music"])
    assert found["not music"] is None
    slots = [found[label] for label in labels]
    assert len({*slots}) == len(labels)
    assert len({slot % len(HUES) for slot in slots}) == len(HUES)


def test_unknown_genres_share_no_slot_while_there_are_some():
    names = [f"genre {number}" for number in range(SLOTS)]
    assert {*genre_slots(names).values()} == {*range(SLOTS)}
    assert all(slot in range(SLOTS) for slot in genre_slots([*names, "one more"]).values())
    assert genre_slots(reversed(names)) == genre_slots(names)


def test_the_colours_are_those_of_the_style_sheet():
    sheet = resources.files("genrenet.web").joinpath("static/base.css").read_text()
    found = re.findall(r"--genre-(\w+): (#\w+);", sheet)
    light = [colour for _, colour in found[:11]]
    dark = [colour for _, colour in found[11:]]
    assert light == [*(genre_colour(slot) for slot in range(10)), genre_colour(None)]
    assert dark == [genre_colour(slot, dark=True) for slot in [*range(10), None]]
