"""``genrenet init``: from a folder to commands that need no arguments."""

import json
import os
import shutil

import pytest
import yaml

from genrenet.cli import main
from genrenet.cli.configuration import NAME
from genrenet.library.genre_tags import write_genre


@pytest.fixture
def place(tmp_path, monkeypatch, music):
    """A folder with a library, and nothing of the user's own."""
    shutil.copytree(music / "bass", tmp_path / "Music")
    for name in ("config", "data"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    monkeypatch.setenv("GENRENET_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_five_lines_lead_from_a_folder_to_a_playlist(place, capsys):
    assert main(["init", "Music"]) == 0
    shown = capsys.readouterr().out
    assert "8 songs (wav 8), in one folder" in shown
    assert shown.splitlines()[-1] == "next: genrenet scan    # predicts the genres"
    table = place / "data" / "genrenet" / "music.parquet"
    told = yaml.safe_load((place / "config.yaml").read_text())
    assert told["library"] == "Music"
    assert os.path.join(place, told["table"]) == str(table)
    assert main(["config", "set", "checkpoint", "emotify-cnn"]) == 0
    assert main(["scan"]) == 0
    assert table.exists()
    assert capsys.readouterr().out.splitlines()[-1].startswith("next: genrenet tag    #")
    for words in (
        ["tag", "--write", "--min-confidence", "0"],
        ["playlist", "--min-confidence", "0", "--out", "all.m3u8"],
        ["embed", "--backbone", "emotify-cnn"],
        ["recommend", "--like", "Music/bass-0.wav"],
    ):
        assert main(words) == 0, capsys.readouterr().err
    assert table.with_suffix(".npz").exists()
    assert (place / "all.m3u8").read_text().count("bass-") >= 8


def test_a_configuration_is_not_replaced_silently(place, capsys):
    (place / "config.yaml").write_text("frames: 3\n")
    assert main(["init", "Music"]) == 2
    error = capsys.readouterr().err
    assert "there is a configuration already" in error
    assert "--force" in error
    assert error.count("\n") == 1
    assert (place / "config.yaml").read_text() == "frames: 3\n"
    assert main(["init", "Music", "--force", "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert (place / "config.yaml.bak").read_text() == "frames: 3\n"
    assert "library: Music" in (place / "config.yaml").read_text()


def test_in_the_library_itself(place, capsys, monkeypatch):
    write_genre(str(place / "Music" / "bass-0.wav"), ["Other"])
    assert main(["init", "Music", "--here"]) == 0
    capsys.readouterr()
    told = yaml.safe_load((place / "Music" / NAME).read_text())
    assert told["table"] == ".genrenet/genres.parquet"
    assert told["tag"] == {"refine": True}
    assert not (place / "config.yaml").exists()
    assert main(["scan", "Music", "--checkpoint", "emotify-cnn"]) == 0
    assert (place / "Music" / ".genrenet" / "genres.parquet").exists()
    monkeypatch.chdir(place / "Music")
    assert main(["tag"]) == 0
    assert main(["config"]) == 0


def test_two_libraries_of_one_name_have_two_tables(place, music, capsys):
    assert main(["init", "Music", "-q"]) == 0
    assert main(["scan", "--checkpoint", "emotify-cnn", "-q"]) == 0
    shutil.copytree(music / "treble", place / "other" / "Music")
    assert main(["init", "other/Music", "--force", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["table"].endswith("music-2.parquet")
    assert (told["songs"], told["configuration"]) == (8, str(place / "config.yaml"))
    assert main(["init", "Music", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["table"].endswith("music.parquet")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["gone"], "'gone' is not a folder"),
        (["empty"], "no music in"),
        (["Music", "--table", "x.csv"], "is not a valid name for a library's table"),
        (["Music", "--table", "config.yaml/x.parquet"], "cannot make the folder"),
    ],
)
def test_what_cannot_be_done_writes_nothing(words, told, place, capsys):
    (place / "empty").mkdir()
    (place / "config.yaml").write_text("frames: 3\n")
    assert main(["init", *words, "--force"]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert (place / "config.yaml").read_text() == "frames: 3\n"
    assert not (place / "config.yaml.bak").exists()


def test_odd_names_of_folders(place, music, capsys):
    odd = place / "Música: # \"all\" 'of it'"
    shutil.copytree(music / "treble", odd)
    assert main(["init", str(odd), "-q"]) == 0
    assert main(["config", "get", "library"]) == 0
    assert capsys.readouterr().out == f"{odd}\n"
