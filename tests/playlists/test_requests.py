"""Parsing of shares, lengths and names of songs."""

import pytest

from genrenet.playlists.base import PlaylistError
from genrenet.playlists.requests import find_song, parse_length, parse_mix

LABELS = ["Hip-Hop", "jazz", "r:b", "rock"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60min", 3600), ("1h30", 5400), ("45", 2700), ("3600s", 3600), ("1.5h", 5400),
        ("1 h 30 min 10 s", 5410), ("90M", 5400), ("2 hours", 7200),
    ],
)  # fmt: skip
def test_lengths(text, seconds):
    assert parse_length(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "long", "1.2.3", "30min1h", "nan", "1e999"])
def test_lengths_that_are_none(text):
    with pytest.raises(PlaylistError, match="wanted such as 60min"):
        parse_length(text)


def test_mixes():
    assert parse_mix(["jazz:2", "ROCK"], LABELS) == {"jazz": 2, "rock": 1}
    assert parse_mix(["hip-hop:0.5", "r:b", "r:b:3"], LABELS) == {"Hip-Hop": 0.5, "r:b": 4}
    assert parse_mix([], LABELS) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jaz", "has no genre 'jaz'.*did you mean 'jazz'"),
        ("hiphop:2", "has no genre 'hiphop'.*did you mean 'Hip-Hop'"),
        ("zydeco", "wanted one of Hip-Hop, jazz, r:b, rock$"),
        ("jazz:0", "found the share '0'"),
        ("jazz:inf", "found the share 'inf'"),
        ("jazz:", "found the share ''"),
    ],
)
def test_mixes_that_cannot_be_had(text, said):
    with pytest.raises(PlaylistError, match=said):
        parse_mix([text], LABELS)


def test_a_genre_that_other_models_know():
    with pytest.raises(
        PlaylistError, match=r"gtzan10-crnn, .*msd-cnn.* know it: run .*gtzan10-crnn"
    ):
        parse_mix(["Jazz"], ["classical", "electronic", "pop", "rock"])
    with pytest.raises(PlaylistError, match="emotify-cnn") as caught:
        parse_mix(["electronic"], ["blues", "jazz"])
    assert caught.value.wanted == "one of blues, jazz"


def test_songs_by_name(tmp_path, monkeypatch):
    names = ("one/Blue.mp3", "one/Green.mp3", "two/Green.mp3", "blue/Red.mp3")
    paths = [str(tmp_path / name) for name in names]
    assert find_song("red", paths) == 3
    assert find_song("two/green", paths) == 2
    # Names of files come before names of folders.
    assert find_song("blue", paths) == 0
    monkeypatch.chdir(tmp_path / "..")
    assert find_song(f"{tmp_path.name}/one/Green.mp3", paths) == 1
    with pytest.raises(PlaylistError, match=r"any of 2 songs: found '.*one/Green.mp3', '.*two/G"):
        find_song("Green.mp3", paths)
    with pytest.raises(
        PlaylistError, match=r"no song 'grean.mp3'; did you mean 'Green.mp3' or 'Red.mp3'\?"
    ):
        find_song("grean.mp3", paths)
    with pytest.raises(PlaylistError, match="by its path, or a part of it"):
        find_song("zzzzzzzz", paths)
