"""``genrenet config``: settings and their origin, and changes that are validated first."""

import json

import pytest

from genrenet.cli import main
from genrenet.cli.config import known_settings
from genrenet.cli.configuration import NAME
from genrenet.cli.shared_settings import SHARED


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The user's file, which is not there yet; the library is beside it."""
    own = tmp_path / "own" / "config.yaml"
    (tmp_path / "Music" / "Album").mkdir(parents=True)
    monkeypatch.setenv("GENRENET_CONFIG", str(own))
    monkeypatch.chdir(tmp_path)
    return own


def config(capsys, *words, code=0):
    """What the command prints: standard output, or the error's line."""
    assert main(["config", *words]) == code
    out, error = capsys.readouterr()
    assert error.count("\n") == (code == 2)
    return error if code == 2 else out


def test_settings_are_made_shown_and_removed(file, capsys, tmp_path):
    assert "nothing is configured" in config(capsys)
    assert config(capsys, "get", "table", code=1) == ""
    config(capsys, "set", "library", "Music")
    config(capsys, "set", "tag.min-confidence", "0.80")
    config(capsys, "set", "playlist.exclude", "live", "artist:the x*")
    config(capsys, "set", "fit.trainer.max_epochs", "3")
    config(capsys, "set", "data.check.no-decode", "yes")
    assert config(capsys, "get", "library") == f"{tmp_path}/Music\n"
    assert config(capsys, "get", "tag.min-confidence") == "0.8\n"
    assert config(capsys, "get", "playlist.exclude") == "live\nartist:the x*\n"
    assert config(capsys, "get", "data.check.no-decode") == "true\n"
    shown = config(capsys)
    for words in ("tag.min-confidence", "user, line 3", "live, artist:the x*", str(file)):
        assert words in shown
    told = json.loads(config(capsys, "--json"))
    assert told["settings"]["tag.min-confidence"] == {"value": 0.8, "file": str(file), "line": 3}
    config(capsys, "unset", "tag.min-confidence")
    assert "tag" not in file.read_text()
    config(capsys, "unset", "tag.min-confidence", code=1)
    assert config(capsys, "path") == f"{file}\n"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["checkpoint", "mine.ckpt"], "{}/mine.ckpt"),
        (["checkpoint", "~/mine.ckpt"], "~/mine.ckpt"),
        (["checkpoint", "emotify-cnn"], "emotify-cnn"),
        (["checkpoint", "onnx:model.onnx"], "onnx:{}/model.onnx"),
        (["checkpoint", "hf:ORG/NAME"], "hf:ORG/NAME"),
        (["tag.rules", "rules.yaml"], "{}/rules.yaml"),
        (["taxonomy", "mine.csv"], "{}/mine.csv"),
    ],
)
def test_paths_are_given_from_the_current_folder(words, found, file, capsys, tmp_path):
    for name in ("mine.ckpt", "model.onnx", "rules.yaml", "mine.csv"):
        (tmp_path / name).write_text("genre,name\nrock,Rock\n")
    config(capsys, "set", *words)
    assert f": {found.format(tmp_path)}\n" in file.read_text()


def test_the_librarys_file_is_nearer_and_bounded(file, capsys, tmp_path, monkeypatch):
    config(capsys, "set", "frames", "3")
    monkeypatch.chdir(tmp_path / "Music")
    config(capsys, "set", "--here", "table", "genres.parquet")
    config(capsys, "set", "--here", "frames", "5")
    monkeypatch.chdir(tmp_path / "Music" / "Album")
    assert (tmp_path / "Music" / NAME).read_text() == "table: genres.parquet\nframes: 5\n"
    assert config(capsys, "get", "frames") == "5\n"
    assert "library, line 2" in config(capsys)
    error = config(capsys, "set", "--here", "serve.host", "0.0.0.0", code=2)
    assert "a library's own file cannot set this" in error
    error = config(capsys, "set", "--here", "table", "/tmp/x.parquet", code=2)
    assert "outside the library" in error
    assert (tmp_path / "Music" / NAME).read_text() == "table: genres.parquet\nframes: 5\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["tabel", "x"], "did you mean 'table' or 'tune.labels'?"),
        (["min-confidence", "1"], "did you mean tag.min-confidence or playlist.min-confidence?"),
        (["tag.min-confidenc", "1"], "did you mean 'tag.min-confidence'"),
        (["tag.min-confidence", "high"], "found 'high', wanted a number"),
        (["scan.workers", "0"], "found 0, wanted 1 or more"),
        (["serve.port", "70000"], "found 70000, wanted 0 to 65535"),
        (["scan.retry", "perhaps"], "found 'perhaps', wanted true or false"),
        (["playlist.order", "smoth"], "did you mean 'smooth'?"),
        (["table", "a", "b"], "found a list, wanted one value"),
        (["init.force", "true"], "there is no setting"),
        (["fit.nonsense", "1"], "there is no setting"),
    ],
)
def test_what_is_wrong_is_not_written(words, told, file, capsys):
    assert told in config(capsys, "set", *words, code=2)
    assert not file.exists()


def test_a_broken_file_is_named_and_can_still_be_edited(file, capsys, tmp_path, monkeypatch):
    file.parent.mkdir()
    file.write_text("library: x\ntable: [\n")
    for words in ([], ["get", "table"], ["set", "table", "x"], ["unset", "table"]):
        assert f"{file}, line 3: found" in config(capsys, *words, code=2)
    assert file.read_text() == "library: x\ntable: [\n"
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\necho "table: y" > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    assert "is valid" in config(capsys, "edit")
    editor.write_text('#!/bin/sh\necho "tabel: y" > "$1"\n')
    assert "did you mean 'table'?" in config(capsys, "edit", code=2)
    monkeypatch.setenv("VISUAL", "no-such-editor")
    assert "the editor 'no-such-editor' cannot be used" in config(capsys, "edit", code=2)


def test_settings_of_other_commands_are_checked_too(file, capsys):
    file.parent.mkdir()
    file.write_text("serve:\n  prot: 80\n")
    assert "line 2: serve.prot: there is no such setting; did you mean 'port'?" in config(
        capsys, code=2
    )


def test_where_no_configuration_is_read_none_is_written(monkeypatch, capsys):
    monkeypatch.setenv("GENRENET_CONFIG", "")
    assert "GENRENET_CONFIG is empty" in config(capsys, "set", "table", "x", code=2)


def test_every_shared_setting_has_an_option_that_reads_it():
    known = known_settings()
    assert {(name,) for name in SHARED} <= known.keys()
    assert all(known[name,] is not None for name in SHARED)
