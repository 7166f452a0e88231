"""Excluded songs."""

import os
import shutil

import pytest

from genrenet.playlists.base import PlaylistError, PlaylistSong
from genrenet.playlists.excluding import Exclusions, Seen
from genrenet.playlists.reading import ListedSong, read_playlist


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


NFC, NFD = "Café Ünï.mp3", "Cafe\u0301 U\u0308ni\u0308.mp3"
CP1252 = os.fsdecode("Café Ünï.mp3".encode("cp1252"))


@pytest.mark.parametrize("there", [NFC, NFD, CP1252], ids=["composed", "decomposed", "cp1252"])
@pytest.mark.parametrize("named", [NFC, NFD, CP1252], ids=["composed", "decomposed", "cp1252"])
@pytest.mark.parametrize("line", ["Röck/{}", "Röck\\{}", ".\\Röck\\{}", "..\\{folder}\\Röck\\{}"])
def test_a_list_names_a_file_as_another_system_writes_it(tmp_path, there, named, line):
    folder = tmp_path / "music"
    (folder / "Röck").mkdir(parents=True)
    (folder / "Röck" / there).touch()
    (folder / "other.mp3").touch()
    text = line.format(named, folder="music")
    (folder / "list.m3u").write_bytes(b"#EXTM3U\n" + os.fsencode(text) + b"\r\n")
    exclusions = Exclusions(listed=read_playlist(folder / "list.m3u"))
    paths = [str(folder / "other.mp3"), str(folder / "Röck" / there)]
    assert [exclusions.by_path(path) for path in paths] == [False, True]
    assert exclusions.unused(paths) == []


@pytest.mark.parametrize("pattern", ["röck/café*", "RÖCK\\*", "ro\u0308ck", "Röck\\", NFD, CP1252])
def test_globs_as_another_system_writes_them(pattern):
    for name in (NFC, NFD, CP1252):
        assert Exclusions([pattern]).by_path(f"/music/Röck/{name}")
        assert not Exclusions([pattern]).by_path(f"/music/Pop/x-{name}")


def test_lists_and_globs_that_fit_nothing_say_so(tmp_path):
    paths = [str(tmp_path / name) for name in ("a.mp3", "b.mp3", "c.mp3")]
    lists = {
        "used.m3u": "a.mp3\n",
        "of-another-genre.m3u": "c.mp3\n",
        "gone.m3u": "C:\\Music\\a.mp3\nnowhere.mp3\n",
        "also-used.m3u": "x.mp3\na.mp3\n",
        "by-title.m3u": "#EXTINF:1,Anna - Song\nhttp://radio/x\n",
        "empty.m3u": "#EXTM3U\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
    listed = [song for name in lists for song in read_playlist(tmp_path / name)]
    exclusions = Exclusions(["b.mp3", "*.ogg", "c.*", "artist:nobody"], listed)
    looked_at = [exclusions.by_path(path) for path in paths[:2]]
    assert looked_at == [True, True]
    assert exclusions.by_tags(song("x", artist="Anna", title="Song"))
    told = exclusions.unused(paths)
    assert len(told) == 2
    assert told[0] == "--exclude '*.ogg' fits no file of the library"
    assert told[1].startswith(f"no song of the list '{tmp_path / 'gone.m3u'}' was found")


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
