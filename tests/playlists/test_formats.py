"""Playlist files: content, unusual names, and reading them back."""

import json
import os
import re
import resource
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from urllib.parse import unquote_to_bytes, urljoin

import pytest

from genrenet.playlists import Playlist, PlaylistError, PlaylistSong, read_playlist, write_playlist
from genrenet.playlists.formats import NAMESPACE, check_out
from genrenet.utils.errors import printable
from tests.helpers.music_shelves import add_song

ODD = [
    "plain.flac", "two words.flac", "#hash.flac", "Käse, 音楽.flac", "100%41 %20.flac",
    "a'b\"&<c>.flac", "new\nline.flac", " lead.flac", "tail.flac ", "q?x=1;y.flac", "C: x.flac",
    "http: x.flac", "sub/in.flac", "[br].flac", "back\\slash.flac", "semi;#frag.flac",
    os.fsdecode(b"caf\xe9.flac"),
]  # fmt: skip


SUFFIXES = [".m3u8", ".m3u", ".xspf", ".json"]


def entry(path, row=0, **kind):
    scores = {"jazz": 0.9, "rock": 0.1}
    return PlaylistSong(row, str(path), "jazz", 0.9, scores, "jazz", 0.9, **kind)


@pytest.fixture
def odd(tmp_path):
    (tmp_path / "sub").mkdir()
    for seed, name in enumerate(ODD):
        add_song(str(tmp_path / name), seed=seed)
    songs = [entry(tmp_path / name, row, duration=0.2) for row, name in enumerate(ODD)]
    return Playlist(songs, "Odd & <new>\nnames", "confidence", "model")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("folder", ["", "sub"])
def test_every_name_comes_back(odd, tmp_path, suffix, absolute, folder):
    file = tmp_path / folder / f"list{suffix}"
    write_playlist(odd, file, absolute=absolute)
    assert [song.path for song in read_playlist(file)] == [song.path for song in odd.songs]
    assert [path.name for path in file.parent.glob("*list*")] == [file.name]
    text = file.read_text(encoding="utf-8")
    whole = (str(tmp_path), tmp_path.as_uri())  # the second where players read the name otherwise
    assert any(f"{folder}/plain" in text for folder in whole) == absolute
    assert "Odd & <new> names" in text.replace("&amp;", "&").replace("&lt;", "<").replace(
        "&gt;", ">"
    )


def test_plain_paths_come_back(odd, tmp_path):
    file = tmp_path / "sub" / "list.m3u8"
    write_playlist(replace(odd, plain=True), file)
    assert [song.path for song in read_playlist(file)] == [song.path for song in odd.songs]
    lines = file.read_text(encoding="utf-8").splitlines()
    assert {"../#hash.flac", "../100%41 %20.flac", "../q?x=1;y.flac"} < {*lines}
    assert sum(line.startswith("file:") for line in lines) == 3


def test_relative_playlists_move_with_their_songs(tmp_path):
    (tmp_path / "old" / "lists").mkdir(parents=True)
    add_song(tmp_path / "old" / "a b.flac")
    made = Playlist([entry(tmp_path / "old" / "a b.flac")], "t", "confidence", "m")
    for suffix in SUFFIXES:
        write_playlist(made, tmp_path / "old" / "lists" / f"x{suffix}")
    (tmp_path / "old").rename(tmp_path / "new")
    for suffix in SUFFIXES:
        (song,) = read_playlist(tmp_path / "new" / "lists" / f"x{suffix}")
        assert song.path == str(tmp_path / "new" / "a b.flac")


def test_m3u8_says_who_and_how_long(tmp_path):
    songs = [
        entry(tmp_path / "a.mp3", duration=183.6, artist="Ärzte", title="Zu, spät"),
        entry(tmp_path / "no tags.mp3"),
    ]
    file = tmp_path / "x.m3u8"
    write_playlist(Playlist(songs, "jazz", "confidence", "m"), file)
    assert file.read_bytes().decode("utf-8") == (
        "#EXTM3U\n#PLAYLIST:jazz\n"
        "#EXTINF:184,Ärzte - Zu, spät\na.mp3\n"
        "#EXTINF:-1,no tags\nno tags.mp3\n"
    )
    assert [song[1:3] for song in read_playlist(file)] == [("Ärzte", "Zu, spät"), ("", "no tags")]


def test_xspf_is_as_its_specification_says(odd, tmp_path):
    file = tmp_path / "sub" / "x.xspf"
    songs = [*odd.songs, entry(tmp_path / "a.mp3", artist="A & B", title="<T>", album="L")]
    write_playlist(Playlist(songs, odd.title, "confidence", "m"), file)
    root = ElementTree.parse(file).getroot()
    names = {"x": NAMESPACE}
    assert (root.tag, root.attrib) == (f"{{{NAMESPACE}}}playlist", {"version": "1"})
    assert [child.tag.rpartition("}")[2] for child in root] == ["title", "trackList"]
    tracks = root.findall("x:trackList/x:track", names)
    allowed = {"location", "title", "creator", "album", "duration"}
    for track, song in zip(tracks, songs, strict=True):
        tags = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in track]
        assert {*tags} <= allowed
        assert len({*tags}) == len(tags)
        assert all(child.text and child.text.isprintable() for child in track)
        place = track.findtext("x:location", None, names)
        # RFC 3986: only these characters, and no colon in a relative reference's first part.
        assert re.fullmatch(r"(?:[\w.~/!$&'()*+,;=:@-]|%[0-9A-F]{2})+", place, re.ASCII)
        whole = urljoin(file.as_uri(), place)
        assert os.fsdecode(unquote_to_bytes(whole.removeprefix("file://"))) == song.path
    last = {child.tag.rpartition("}")[2]: child.text for child in tracks[-1]}
    assert last == {"location": "../a.mp3", "title": "<T>", "creator": "A & B", "album": "L"}
    assert tracks[0].findtext("x:duration", None, names) == "200"


def test_json_holds_all(odd, tmp_path):
    write_playlist(odd, tmp_path / "x.json")
    held = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert held["seconds"] == pytest.approx(0.2 * len(ODD))
    assert held["songs"][0] == {
        "path": "plain.flac", "genre": "jazz", "confidence": 0.9,
        "scores": {"jazz": 0.9, "rock": 0.1}, "wanted": "jazz", "fit": 0.9, "duration": 0.2,
        "artist": "", "title": "", "album": "",
    }  # fmt: skip
    assert held["songs"][-1]["path"] == printable(ODD[-1]) == "caf\\xe9.flac"


@pytest.mark.skipif(not shutil.which("mpv"), reason="no mpv")
@pytest.mark.parametrize("absolute", [False, True])
def test_a_player_opens_every_song(odd, tmp_path, absolute):
    file = tmp_path / "sub" / "x.m3u8"
    write_playlist(odd, file, absolute=absolute)
    command = ["mpv", "--no-config", "--no-video", "--ao=null", "--untimed", str(file)]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(b"(+) Audio") == len(ODD)
    assert b"rror" not in done.stdout


def test_what_cannot_be_written(odd, tmp_path):
    for name, said in {
        "x.mp3": "found the suffix '.mp3', wanted .m3u8 or .m3u or .xspf or .json",
        "none/x.m3u8": "no folder .*none' to write into; create it first",
        "folder.m3u8": "found a folder of that name",
    }.items():
        (tmp_path / "folder.m3u8").mkdir(exist_ok=True)
        with pytest.raises(PlaylistError, match=said):
            check_out(tmp_path / name)
    # A name too long for the disk: what is there stays, and nothing is left behind.
    before = sorted(tmp_path.iterdir())
    with pytest.raises(PlaylistError, match="cannot write"):
        write_playlist(odd, tmp_path / f"{'x' * 300}.m3u8")
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_leaves_what_was_there(odd, tmp_path):
    file = tmp_path / "x.m3u8"
    file.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(PlaylistError, match="File too large"):
            write_playlist(odd, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text() == "old"
    assert [path for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
