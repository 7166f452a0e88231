"""Paths in requests."""

import os
from pathlib import Path

import pytest

from genrenet.web.errors import NoSuchSong, RequestError
from genrenet.web.music_folder import Shelf
from genrenet.web.paths import real_paths, relative_name, song_file


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A served folder with links that stay in it and links that leave it."""
    outside, folder = tmp_path / "outside", tmp_path / "music"
    (folder / "Jazz" / "more").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.mp3").write_bytes(b"x")
    (tmp_path / "music-too").mkdir()
    (tmp_path / "music-too" / "secret.mp3").write_bytes(b"x")
    for name in ("a song.mp3", "b.txt", ".hidden.mp3", "Jazz/So What.mp3", "Jazz/more/x.ogg"):
        (folder / name).write_bytes(b"x")
    (folder / "good link.mp3").symlink_to(folder / "Jazz" / "So What.mp3")
    (folder / "bad link.mp3").symlink_to(outside / "secret.mp3")
    (folder / "bad folder").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    (folder / "itself.mp3").symlink_to(folder / "itself.mp3")
    (folder / "long.mp3").symlink_to("x" * 300)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "secret.mp3").write_bytes(b"x")
    (folder / "to hidden.mp3").symlink_to(folder / ".hidden" / "secret.mp3")
    os.mkfifo(folder / "pipe.mp3")
    with open(os.fsencode(folder) + b"/caf\xe9.mp3", "wb") as file:
        file.write(b"x")
    return os.path.realpath(folder)


@pytest.mark.parametrize(
    "name",
    ["a song.mp3", "Jazz/So What.mp3", "Jazz//more/./x.ogg", "good link.mp3", "loop/a song.mp3"],
)
def test_songs_of_the_folder_are_found(root, name):
    assert os.path.samefile(song_file(root, name), os.path.join(root, name))


@pytest.mark.parametrize(
    "name",
    ["bad link.mp3", "bad folder/secret.mp3", "b.txt", "Jazz", "", ".hidden.mp3", "pipe.mp3",
     "no.mp3", "%2e%2e/outside/secret.mp3", "..%2foutside%2fsecret.mp3", "a song.mp3/",
     "x" * 5000 + ".mp3", "itself.mp3", "long.mp3", ".hidden/secret.mp3", "to hidden.mp3",
     "loop/.hidden/secret.mp3",
     "\\..\\outside\\secret.mp3", "\u2025/outside/secret.mp3", "a song.mp3\n"],
)  # fmt: skip
def test_anything_else_is_not_there(root, name):
    with pytest.raises(NoSuchSong, match="no song"):
        song_file(root, name)


@pytest.mark.parametrize(
    "name",
    ["../outside/secret.mp3", "Jazz/../../outside/secret.mp3", "..", "/etc/passwd", "//etc/x.mp3",
     "Jazz/../a song.mp3", "a\0.mp3", "\\x00.mp3", "\udce9.mp3", "../music-too/secret.mp3"],
)  # fmt: skip
def test_what_is_no_relative_path_is_refused(root, name):
    with pytest.raises(RequestError, match="cannot be used"):
        song_file(root, name)


def test_names_that_are_not_utf8_go_out_and_come_back(root):
    (path,) = (entry.path for entry in os.scandir(root) if "caf" in entry.name)
    name = relative_name(root, path)
    assert name == "caf\\xe9.mp3"
    assert song_file(root, name) == path


def test_escapes_cannot_spell_a_way_out(root):
    for name in ("\\x2e\\x2e/outside/secret.mp3", "Jazz\\x2f..\\x2f..\\x2foutside\\x2fsecret.mp3"):
        with pytest.raises(RequestError):
            song_file(root, name)


def test_completion_shows_what_can_be_chosen_and_no_more(root):
    shelf = Shelf(root)
    assert [entry["path"] for entry in shelf.complete("", 50)[0]] == [
        "Jazz/", "loop/", "a song.mp3", "caf\\xe9.mp3", "good link.mp3",
    ]  # fmt: skip
    assert [name for name, _ in shelf.files()] == [
        "Jazz/So What.mp3", "Jazz/more/x.ogg", "a song.mp3", "caf\\xe9.mp3", "good link.mp3",
    ]  # fmt: skip
    assert [entry["path"] for entry in shelf.complete("jazz/s", 50)[0]] == ["Jazz/So What.mp3"]
    assert [entry["path"] for entry in shelf.complete("Jazz/", 50)[0]] == [
        "Jazz/more/", "Jazz/So What.mp3", "Jazz/more/x.ogg",
    ]  # fmt: skip
    assert [entry["path"] for entry in shelf.complete("what SO", 50)[0]] == ["Jazz/So What.mp3"]
    assert shelf.complete("", 2) == (
        [{"path": "Jazz/", "kind": "folder"}, {"path": "loop/", "kind": "folder"}],
        True,
    )
    for text in (
        ".hidden/",
        "loop/.hidden/",
        "../",
        "bad folder/",
        "..",
        "\0",
        "nothing like this",
    ):
        assert shelf.complete(text, 50) == ([], False), text


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_of_files_and_folders_are_followed(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "song.wav").touch()
    (tmp_path / "folder").symlink_to("a/b")
    (tmp_path / "link.wav").symlink_to("folder/song.wav")
    (tmp_path / "gone.wav").symlink_to("nothing.wav")
    names = ["a/b/song.wav", "folder/song.wav", "link.wav", "gone.wav", "none/x.wav", "a/..", "a/"]
    paths = [f"{tmp_path}/{name}" for name in names] + ["/song.wav", "song.wav", "a/b/song.wav"]
    monkeypatch.chdir(tmp_path)
    assert real_paths(paths) == [os.path.realpath(path) for path in paths]
