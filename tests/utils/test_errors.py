"""The message of an error, and text that is safe for a terminal."""

import pickle

import pytest

from genrenet.utils.errors import GenrenetError, printable, visible


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "no songs"),
        ({"found": "text"}, "no songs: found text"),
        ({"wanted": "audio"}, "no songs: wanted audio"),
        ({"remedy": "look again"}, "no songs; look again"),
        (
            {"found": "text", "wanted": "audio", "remedy": "look again"},
            "no songs: found text, wanted audio; look again",
        ),
    ],
)
def test_parts_that_are_missing_leave_no_marks(parts, message):
    error = GenrenetError("no songs", **parts)
    assert str(error) == message
    assert (error.what, error.remedy) == ("no songs", parts.get("remedy", ""))


def test_parts_are_kept_raw_and_shown_harmless():
    error = GenrenetError("no songs", found="a\x1b[2J")
    assert error.found == "a\x1b[2J"
    assert str(error) == r"no songs: found a\x1b[2J"


def test_the_message_survives_another_process():
    back = pickle.loads(pickle.dumps(GenrenetError("a", found="b", remedy="c")))
    assert type(back) is GenrenetError
    assert str(back) == "a: found b; c"


def test_kept_control_characters():
    assert visible("a\tb\nc") == "a\\x09b\nc"
    assert visible("a\tb\nc", kept="\t") == "a\tb\\x0ac"
    assert visible("a\u2066b") == r"a\xe2\x81\xa6b"


def test_a_path_is_one_line_and_stays_when_it_is_shown_again():
    shown = printable("caf\udce9\n.mp3")
    assert shown == r"caf\xe9\x0a.mp3"
    assert printable(shown) == shown
    shown.encode("utf-8")
