"""The commands and the file of docs/configuration.md."""

import shutil
from pathlib import Path

import pytest
import yaml

from genrenet.cli import main
from genrenet.cli.configuration import NAME
from genrenet.cli.shared_settings import SHARED
from tests.helpers import readme

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture
def place(music, tmp_path, monkeypatch):
    """A home folder with two libraries."""
    for name in ("Music", "Vinyl"):
        shutil.copytree(music / "bass", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("GENRENET_CONFIG", str(tmp_path / "config.yaml"))
    return tmp_path


def test_the_commands_in_their_order(place, capsys):
    named = {"~/Vinyl": str(place / "Vinyl")}
    for command in readme.commands(PAGE):
        given = readme.arguments(command, "", place / "Music", named)
        assert main(given) == 0, f"{command}\n{capsys.readouterr().err}"
    told = yaml.safe_load((place / "config.yaml").read_text())
    assert told["playlist"]["exclude"] == ["Christmas", "*live*"]
    assert "tag" not in told
    assert (place / "Vinyl" / NAME).exists()


def test_the_file_is_right(place, capsys):
    (text,) = readme.blocks("yaml", PAGE)
    (place / "config.yaml").write_text(text)
    assert main(["config"]) == 0, capsys.readouterr().err
    assert "~/Music" in capsys.readouterr().out


def test_all_shared_settings_are_named():
    assert all(f"`{name}`" in PAGE.read_text("utf-8") for name in SHARED)
