"""Songs in the tables of a page: their names, addresses and players."""

import os
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from genrenet.evaluation.report.song_cells import SongCells
from tests.helpers.reports import Page

NAMES = ("rock/a & b #1?.mp3", "jazz/100% Ж.flac", "jazz/a:b.ogg")


@pytest.fixture
def music(tmp_path):
    for name in NAMES:
        file = tmp_path / "music" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / "music"


@pytest.mark.parametrize("report", ["runs/a run", "music", "music/rock"])
def test_addresses_lead_from_the_page_to_the_files(music, tmp_path, report):
    paths = [str(music / name) for name in NAMES]
    cells = SongCells(tmp_path / report, paths)
    assert cells.root == str(music)
    for name, path in zip(NAMES, paths, strict=True):
        assert cells.name(path) == name
        address = cells.address(path)
        assert not {"#", "?", ":", " "} & set(address)
        assert os.path.normpath(tmp_path / report / unquote(address)) == path
        page = Page(str(cells.player(path)))
        assert [unescape(url) for url in page.outside] == [address, address]
        assert page.tags == ["a", "audio"]
        assert page.text == name


def test_a_page_that_shares_no_folder_with_the_songs_has_whole_addresses(music):
    path = str(music / NAMES[1])
    address = SongCells("/elsewhere/run", [path]).address(path)
    assert address == Path(path).as_uri()
    assert address.startswith("file:///")


def test_files_that_are_gone_have_a_name_alone(music, tmp_path):
    paths = [str(music / name) for name in NAMES]
    gone = str(music / "rock" / "gone.mp3")
    cells = SongCells(tmp_path, [*paths, gone])
    assert cells.player(gone) == "rock/gone.mp3"
    assert cells.player("a\0b.mp3") == "a\0b.mp3"
    assert cells.address(str(music / "rock")) is None


def test_names_in_a_table_of_features_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = SongCells(tmp_path, ["blues.00000.wav", "jazz.00001.wav"])
    assert cells.root == ""
    assert cells.player("blues.00000.wav") == "blues.00000.wav"
    mixed = SongCells(tmp_path, ["/music/a.mp3", "b.mp3"])
    assert (mixed.root, mixed.name("/music/a.mp3")) == ("", "/music/a.mp3")
    assert SongCells(tmp_path, []).root == ""
