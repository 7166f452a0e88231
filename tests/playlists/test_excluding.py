"""Songs that must not be there."""

import shutil

import pytest

from genrenet.playlists.base import PlaylistError, PlaylistSong
from genrenet.playlists.excluding import Exclusions, Seen
from genrenet.playlists.reading import ListedSong


def song(path, row=0, **tags):
    return PlaylistSong(row, str(path), "jazz", 0.9, {}, "jazz", 0.9, **tags)


@pytest.mark.parametrize(
    ("pattern", "out"),
    [
        ("christmas", {"/music/Christmas/a.mp3"}),
        ("Christmas/", {"/music/Christmas/a.mp3"}),
        ("*LIVE*", {"/music/x/b (live).mp3"}),
        ("a.mp3", {"/music/Christmas/a.mp3"}),
        ("music/x/*.mp3", {"/music/x/b (live).mp3"}),
        ("/music/*", {"/music/Christmas/a.mp3", "/music/x/b (live).mp3"}),
        ("/x", set()),
        ("mas", set()),
    ],
)
def test_globs(pattern, out):
    paths = {"/music/Christmas/a.mp3", "/music/x/b (live).mp3"}
    assert {path for path in paths if Exclusions([pattern]).by_path(path)} == out


def test_artists():
    exclusions = Exclusions(["artist:bad  RELIGION", "Artist:the x*"])
    gone = ("Bad Religion", "The Xylophones", "Somebody, Bad Religion")
    assert all(exclusions.by_tags(song("a", artist=artist)) for artist in gone)
    kept = ("Bad", "", "Not the X", "Bad Religions")
    assert not any(exclusions.by_tags(song("a", artist=artist)) for artist in kept)
    assert not exclusions.by_path("/the x/bad religion.mp3")


def test_songs_of_other_playlists(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.mp3").touch()
    (tmp_path / "linked").symlink_to("real")
    listed = [ListedSong(str(tmp_path / "linked" / "a.mp3")), ListedSong(None, "A B", "T")]
    exclusions = Exclusions(listed=listed)
    assert exclusions.by_path(str(tmp_path / "real" / "a.mp3"))
    assert not exclusions.by_path(str(tmp_path / "real" / "b.mp3"))
    assert exclusions.by_tags(song("x", artist="a b", title="t"))
    assert not exclusions.by_tags(song("x", artist="a b", title="u"))


@pytest.mark.parametrize("pattern", ["", " ", "/", "artist:", "artist: "])
def test_empty_patterns(pattern):
    with pytest.raises(PlaylistError, match="--exclude"):
        Exclusions([pattern])


def test_the_same_song_by_tags_and_by_content(tmp_path):
    for name, data in {"a": b"x" * 99, "b": b"y" * 99, "d": b"z" * 98}.items():
        (tmp_path / name).write_bytes(data)
    shutil.copy(tmp_path / "a", tmp_path / "c")
    seen = Seen()
    found = [
        seen.again(song(tmp_path / name, row, artist=artist, title=title))
        for row, (name, artist, title) in enumerate(
            [
                ("a", "Größe", "One"),
                ("b", "Größe", "Two"),
                ("c", "Another", "Title"),  # bytes of a
                ("d", "GRÖSSE", " o n e"),  # tags of a
                ("gone", "", ""),
                ("also gone", "", ""),  # no tags are not the same tags
            ]
        )
    ]
    assert found == [False, False, True, True, False, False]
    assert seen.again(song(tmp_path / "b", 1))
