"""Paths and URIs in playlists."""

import os

from genrenet.playlists.paths import line_of, path_at, place_of, uri_of


def test_places_through_linked_folders(tmp_path):
    """'..' of a linked folder is where the link leads to."""
    (tmp_path / "music").mkdir()
    (tmp_path / "data" / "lists").mkdir(parents=True)
    (tmp_path / "lists").symlink_to(tmp_path / "data" / "lists")
    (tmp_path / "music" / "a.mp3").touch()
    place = place_of(str(tmp_path / "music" / "a.mp3"), str(tmp_path / "lists"))
    assert os.path.samefile(tmp_path / "lists" / place, tmp_path / "music" / "a.mp3")


def test_lines_and_uris():
    assert line_of("/m/a b.mp3", "/m") == "a b.mp3"
    assert line_of("/m/ a.mp3", "/m") == "./ a.mp3"
    assert line_of("/m/#1.mp3", "/m") == "file:///m/%231.mp3"
    for name in ("#1.mp3", "a #1.mp3", "why?.mp3", "100%41.mp3"):
        line = f"./{name}" if name.startswith("#") else name
        assert line_of(f"/m/{name}", "/m", plain=True) == line
        assert path_at(line, "/m", uri=False) == f"/m/{name}"
    assert line_of("/m/a\nb.mp3", "/m", plain=True) == "file:///m/a%0Ab.mp3"
    assert line_of("/m/a .mp3 ", "/m", plain=True) == "file:///m/a%20.mp3%20"
    assert uri_of("/m/ä:b.mp3", "/m/x") == "../%C3%A4%3Ab.mp3"
    assert uri_of("/m/ä:b.mp3", None) == "file:///m/%C3%A4%3Ab.mp3"
    assert path_at("file://localhost/m/a%20b.mp3", "/x", uri=False) == "/m/a b.mp3"
    assert path_at("FILE:/m/a.mp3", "/x", uri=False) == "/m/a.mp3"
    assert path_at("file://elsewhere/a.mp3", "/x", uri=False) is None
    assert path_at("https://radio/stream", "/x", uri=False) is None
    assert path_at("a%20b.mp3", "/x", uri=False) == "/x/a%20b.mp3"
    assert path_at("a%20b.mp3", "/x", uri=True) == "/x/a b.mp3"
