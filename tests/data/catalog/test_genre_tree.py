"""The hierarchy of genre names, and placeholders."""

import re

import pytest
from mutagen.id3 import TCON

from genrenet.data.catalog.genre_tree import _table, above, is_known, relation
from genrenet.data.catalog.tags import first_genre, named_genres
from genrenet.inference.taxonomy import BUILT_IN, taxonomy


def test_the_table_makes_sense():
    names, parents = _table()
    assert names.keys() >= parents.keys() >= {one for some in parents.values() for one in some}
    for key, higher in parents.items():
        assert all(key not in above(parent) for parent in higher), f"{key} lies below itself"


def test_all_genres_of_id3v1_are_known():
    assert [name for name in TCON.GENRES if not is_known(name)] == ["Other"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_taxonomies_agree_with_the_tree(name):
    odd = set()
    for low, high in taxonomy(name).parents.items():
        parts = [part for part in re.split("[/,&]", high) if part.strip()]
        if relation(low, [high, *parts]) not in ("below", "same"):
            odd.add(low)
    assert odd <= {"New Age", "new-age music", "Gospel", "Rhythm & Blues", "reggae"}


@pytest.mark.parametrize(
    ("found", "ours", "expected"),
    [
        ("Shoegaze", "rock", "below"),
        ("INDIE-ROCK", "rock", "below"),
        ("Black Metal", "rock", "below"),
        ("Rock 'n' Roll", "rock", "below"),
        ("Hip-Hop/Rap", "hip hop", "same"),
        ("hiphop", "hip hop", "same"),
        ("RnB", "r&b", "same"),
        ("Acid Jazz", "electronic", "below"),
        ("Rock", "metal", "above"),
        ("Jazz", "rock", "other"),
        ("My own", "rock", "other"),
        ("My Own", "my own", "same"),
    ],
)
def test_relations(found, ours, expected):
    assert relation(found, [ours]) == expected


@pytest.mark.parametrize(
    "value",
    ["", " ", "Other", "unknown", "<Unknown>", "Misc", "Misc.", "(12)", "12", "255", "(255)",
     "147?", "1999", "none", "N/A", "Undefined", "Other; Misc", "?"],
)  # fmt: skip
def test_place_holders(value):
    assert first_genre([value]) == ""


def test_several_in_one_value():
    assert [*named_genres(["Other", "Soul/Funk", "Rock, Pop", "(17)(13)"])] == [
        "Soul", "Funk", "Rock", "Pop", "Rock", "Pop",
    ]  # fmt: skip
    assert [*named_genres(["Drum & Bass/Jungle", "AC/DC-like", "日本, Pop"])] == [
        "Drum & Bass", "Jungle", "AC/DC-like", "日本, Pop",
    ]  # fmt: skip
