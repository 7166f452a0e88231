"""Reading other playlists, and files that are not playlists."""

import os

import pytest

from genrenet.playlists import PlaylistError, read_playlist


def test_others_playlists(tmp_path):
    (tmp_path / "win.m3u").write_bytes(
        b"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:1,A - B - C\r\n#EXTALB:x\r\na.mp3\r\n\r\ncaf\xe9.mp3\r\n"
    )
    found = read_playlist(tmp_path / "win.m3u")
    assert [song[1:3] for song in found] == [("A", "B - C"), ("", "")]
    assert os.fsencode(found[1].path).endswith(b"/caf\xe9.mp3")
    (tmp_path / "x.xspf").write_text(
        "<playlist version='1' xmlns='http://xspf.org/ns/0/'><trackList><track><creator>A</creator>"
        "<title>T</title></track><track><location>http://r/s</location></track></trackList></playlist>"
    )
    assert [song[:3] for song in read_playlist(tmp_path / "x.xspf")] == [
        (None, "A", "T"),
        (None, "", ""),
    ]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.m3u8", b"\0\1", "no .m3u8 playlist"),
        ("x.xspf", b"<playlist>", "no .xspf playlist"),
        ("x.xspf", b"<html/>", "<html> instead of <playlist>"),
        ("x.json", b"[]", "no .json playlist"),
        ("x.json", b'{"songs": [{}]}', "no .json playlist"),
        ("x.json", b'{"songs": [3]}', "no .json playlist"),
        ("x.json", b"\xff", "no .json playlist"),
        ("x.pls", b"", "found the suffix '.pls', wanted .m3u8 or"),
        ("missing.m3u8", None, "cannot read the playlist .*: No such file"),
    ],
)
def test_what_is_no_playlist(tmp_path, name, data, said):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(PlaylistError, match=said):
        read_playlist(tmp_path / name)
