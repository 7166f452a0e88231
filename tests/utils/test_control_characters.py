r"""Names with escape sequences in them: no command sends one to a terminal.

``\x1b[2J`` clears the screen, ``\x1b]0;x\x07`` sets the window's title, U+009B is one more way to
begin a sequence, U+202E reverses what follows, and a line feed forges a line of its own.
"""

import io
import json
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from genrenet.cli import main
from genrenet.library.table import file_of, read_rows
from genrenet.playlists.reading import read_playlist
from genrenet.utils.errors import GenrenetError, printable, visible

NAME = "a\x1b[2J\x1b]0;x\x07\x9b1m\u202eb\nc\r\x7f"
SHOWN = r"a\x1b[2J\x1b]0;x\x07\xc2\x9b1m\xe2\x80\xaeb\x0ac\x0d\x7f"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|c\\\\x0d\n")


@pytest.fixture
def library(music, tmp_path):
    """Two songs of a genre and a broken one, all with such names, and some with plain names."""
    folder = Path(shutil.copytree(music, tmp_path / f"library{NAME}"))
    for number in range(2):
        shutil.copy(folder / "bass" / f"bass-{number}.wav", folder / "bass" / f"{NAME}{number}.wav")
    (folder / "bass" / f"{NAME}.mp3").write_text("not music at all, but plenty of letters")
    return folder


def run(capsys, *words, code=1):
    """What a command says on both streams: nothing of it controls a terminal."""
    assert main([*map(str, words)]) == code
    told = capsys.readouterr()
    assert not CONTROL.search(told.out), told.out
    assert not CONTROL.search(told.err), told.err
    return told


def test_what_is_shown_leads_back_to_the_file(tmp_path):
    path = str(tmp_path / NAME)
    Path(path).touch()
    assert printable(path) == str(tmp_path / SHOWN)
    assert printable(printable(path)) == printable(path)
    assert file_of(printable(path)) == path
    plain = "Ünï-日本 \u200e\xa0👩‍👩‍👧.mp3"
    assert printable(plain) == plain
    assert str(GenrenetError(f"no '{NAME}'", found="two\nlines")).endswith("found two\nlines")
    assert not CONTROL.search(str(GenrenetError(NAME)))
    assert visible("a\nb") == "a\nb"


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_classify(form, library, checkpoint, capsys):
    told = run(capsys, "classify", library, "--checkpoint", checkpoint, "--format", form)
    assert told.out.count(SHOWN.replace("\\", "\\\\") if form == "json" else SHOWN) >= 27
    assert SHOWN in told.err


def test_classify_to_parquet(library, checkpoint, tmp_path, capsys):
    out = tmp_path / "out.parquet"
    words = ["classify", library, "--checkpoint", checkpoint, "--format", "parquet", "--out", out]
    assert SHOWN in run(capsys, *words).err
    paths = pd.read_parquet(out)["path"]
    assert not paths.str.contains(CONTROL).any()
    assert all(os.path.exists(file_of(path)) for path in paths)


@pytest.mark.parametrize("suffix", [".parquet", ".sqlite"])
def test_scan_tag_and_playlist(suffix, library, checkpoint, tmp_path, capsys):
    out = tmp_path / f"{NAME}{suffix}"
    words = ["scan", library, "--out", out, "--checkpoint", checkpoint]
    told = run(capsys, *words)
    assert SHOWN in told.out
    assert SHOWN in told.err
    assert all(os.path.exists(file_of(row["path"])) for row in read_rows(out))
    assert "27 unchanged" in run(capsys, *words).out
    assert SHOWN in run(capsys, "tag", out, "--min-confidence", 0, code=0).out
    run(capsys, "tag", out, "--min-confidence", 0, "--write", code=0)
    assert "27 unchanged" in run(capsys, *words).out
    (library / "bass" / f"{NAME}1.wav").unlink()
    assert SHOWN in run(capsys, "tag", f"--undo={out}.undo.jsonl", "--write").err
    made = tmp_path / f"{NAME}.json"
    told = run(capsys, "playlist", out, "--genre", "bass", "--out", made)
    assert SHOWN in told.err
    listed = json.loads(made.read_text("utf-8"))["songs"]
    assert any(SHOWN in song["path"] for song in listed)
    assert all(os.path.exists(song.path) for song in read_playlist(made))


@pytest.mark.parametrize("terminal", [True, False])
def test_a_playlist_that_is_printed(terminal, music, checkpoint, tmp_path, monkeypatch):
    """A player needs names as they are; a terminal must not get them."""
    (tmp_path / "bass").mkdir()
    shutil.copy(music / "bass" / "bass-2.wav", tmp_path / "bass" / "a\u202eb\x9b2J.wav")
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stdout", stream)
    words = ["--genre", "bass", "--out", "-", "--paths", "absolute", "--checkpoint", checkpoint]
    assert main([*map(str, ["playlist", tmp_path / "bass", *words])]) == 0
    text = stream.buffer.getvalue().decode("utf-8")
    assert "#EXTM3U" in text
    # Under a folder whose name means something else to players, the path is a URI: no such bytes.
    path_as_it_is = not re.search("[#?]|%[0-9A-Fa-f]{2}", str(tmp_path))
    name_line = text.splitlines()[-1]
    assert bool(CONTROL.search(name_line)) is (path_as_it_is and not terminal)
    assert (r"a\xe2\x80\xaeb\xc2\x9b2J.wav" in name_line) is (path_as_it_is and terminal)
    assert not (terminal and CONTROL.search(text))


def test_data_check_and_embed(library, checkpoint, tmp_path, capsys):
    run(capsys, "data", "check", library)
    out = tmp_path / "songs.parquet"
    told = run(capsys, "embed", library, "--backbone", checkpoint, "--out", out, "--per", "song")
    assert SHOWN in told.err
    assert pd.read_parquet(out)["path"].str.contains(SHOWN, regex=False).all()


@pytest.mark.parametrize(
    "words",
    [
        ["classify", "."],
        ["classify", "--what"],
        ["scan", ".", "--out"],
        ["scan", "--out", "x.parquet"],
        ["tag", "x.parquet", "."],
        ["tag", "."],
        ["tag", "--undo", "."],
        ["playlist", "."],
        ["data", "check", "."],
        ["embed", "--backbone", "x", "--out"],
        ["baseline", "svm", "--data", "."],
        ["recommend", "."],
        ["evaluate", "."],
    ],
)
def test_requests_that_name_such_files(words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = [*words[:-1], NAME] if words[-1] == "." else [*words, NAME]
    try:
        code = main(named)
    except SystemExit as stopped:
        code = stopped.code
    assert code in (1, 2)
    told = capsys.readouterr()
    assert not CONTROL.search(told.out + told.err), told
