"""Properties that all commands must have."""

import io
import json
import re
import shlex
import sys

import numpy as np
import pandas as pd
import pytest

from genrenet.cli import COMMANDS, main
from genrenet.cli.parsers import parsers
from genrenet.cli.parsing import CommandParser
from genrenet.cli.training import help_text, prepare_arguments
from tests.helpers.readme_files import write_readme_files

PARSERS = {words: one for name in COMMANDS for words, one in parsers(name).items()}
TRAINERS = [name for name in COMMANDS if not parsers(name)]


@pytest.mark.parametrize("words", PARSERS)
def test_help_fits_80_columns(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = PARSERS[words].format_help()
    assert max(map(len, text.splitlines())) <= 80
    assert "--json" in text
    assert "-q, --quiet" in text
    monkeypatch.setenv("COLUMNS", "200")
    assert len(PARSERS[words].format_help().splitlines()) <= len(text.splitlines())


@pytest.mark.parametrize("command", TRAINERS)
def test_help_of_the_trainer_fits_too(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = help_text(command)
    assert max(map(len, text.splitlines())) <= 80
    assert "--json" in text


def test_the_list_of_commands_fits(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_examples_are_folded_to_what_a_shell_takes(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    parser = CommandParser(
        "genrenet x",
        epilog="examples:\n  genrenet x --one 1 --two 'a b' --three 3 --four 4 --five 5\n"
        "  genrenet x --all-of-it    what this does is said in many words\n\n"
        "Words of prose that go on for longer than fifty columns,\nand end here.\n",
    )
    text = parser.format_help()
    assert "  genrenet x --one 1 --two 'a b' --three 3 \\\n    --four 4 --five 5\n" in text
    assert "  genrenet x --all-of-it\n      what this does is said in many words\n" in text
    assert "longer than fifty\ncolumns, and end here.\n" in text


def parses(command):
    """Whether a command that was suggested is one that could be run."""
    program, name, *words = shlex.split(command)
    assert program == "genrenet"
    found = parsers(name)
    if not found:
        assert prepare_arguments(name, words)
        return
    longest = max(
        (one for one in found if [name, *words][: one.count(" ") + 1] == one.split()), key=len
    )
    found[longest].parse_args(words[longest.count(" ") :])


def answer(capsys, command, *words):
    """The JSON document of a command."""
    code = main([*command.split(), *map(str, words), "--json"])
    out, error = capsys.readouterr()
    assert "Traceback" not in error, error
    assert code in (0, 1, 2), error
    try:
        told = json.loads(out, parse_constant=pytest.fail)
    except ValueError:
        pytest.fail(f"{command}: {out!r}\n{error}")
    if isinstance(told, dict):
        assert ("error" in told) == (code == 2), (command, told)
        if "next" in told:
            parses(told["next"])
    return told


@pytest.fixture
def place(music, tmp_path, monkeypatch):
    """A folder with what commands need."""
    write_readme_files(music, tmp_path)
    rng = np.random.default_rng(0)
    rows = [(f"s{n}", "ab"[n % 2], f"artist {n // 2}", n % 2 + rng.normal()) for n in range(40)]
    table = pd.DataFrame(rows, columns=["track_id", "genre", "artist", "one"])
    table.to_csv(tmp_path / "features.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENRENET_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("GENRENET_OFFLINE", "1")
    monkeypatch.setenv("VISUAL", "true")
    return tmp_path


CASES = {
    "config": "",
    "config show": "",
    "config path": "",
    "init": "Music --table mine.parquet",
    "config set": "frames 1",
    "config get": "frames",
    "config unset": "frames",
    "config edit": "",
    "scan": "--checkpoint emotify-cnn",
    "tag": "--min-confidence 0",
    "correct": "Music/bass/bass-0.wav blues",
    "playlist": "--min-confidence 0 --songs 3",
    "embed": "--backbone emotify-cnn",
    "recommend": "--like song.mp3",
    "recommend evaluate": "plays.csv --models popularity,item-knn",
    "adapt": "--out mine.ckpt --others 5",
    "classify": "song.mp3 mix.ogg --checkpoint emotify-cnn",
    "serve": "--music gone",
    "checkpoints list": "",
    "checkpoints info": "emotify-cnn",
    "checkpoints export": "emotify-cnn small.ckpt",
    "checkpoints import": "gone",
    "checkpoints remove": "emotify-cnn",
    "data check": "Music --no-decode",
    "data split": "Music --no-audio",
    "data prepare": "Music store",
    "data synthesise": "corpus --artists 1 --songs 1 --seconds 1",
    "evaluate": "features.csv --models tree --protocol 70-30 --out run",
    "tune": "features.csv --model tree --protocol 70-30 --trials 2 --inner 2 --out tuned",
    "reproduce": "report features.csv --quick --parts tables --out again",
    "compare": "run run",
    "data labels": "run",
    "baseline": "tree Music --features spectral-stats --out tree.skops",
    "cache": "",
    "plugins": "",
}
"""Commands that are run in this order, with tiny things to do."""

ELSEWHERE = {"distil": "tests/cli/test_distil.py"}
"""The trainer's commands are in tests/cli/test_cli.py."""


def test_no_command_is_left_out():
    assert {*CASES} == {*PARSERS, "config"} - {*ELSEWHERE}


def test_json_of_every_command(place, capsys):
    told = {name: answer(capsys, name, *words.split()) for name, words in CASES.items()}
    wrong = [name for name, one in told.items() if isinstance(one, dict) and "error" in one]
    assert wrong == ["serve", "checkpoints import", "checkpoints remove"], told
    lists = ("recommend", "classify", "checkpoints list", "cache", "plugins")
    for name in lists:
        assert isinstance(told.pop(name), list)
    assert told.pop("checkpoints info")["name"] == "emotify-cnn"
    assert told["compare"]
    del told["compare"]
    assert all(one["command"] == name.split()[0] for name, one in told.items())
    no_next = [name for name, one in told.items() if "next" not in one and "error" not in one]
    assert all(name.startswith("config") for name in no_next), no_next


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("words", ["plugins", "checkpoints list", "cache", "config"])
def test_lists_fit_a_terminal(words, place, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    (place / "config.yaml").write_text(f"table: {place / ('long-' * 20)}.parquet\nframes: 3\n")
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    assert main(words.split()) == 0
    lines = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue()).splitlines()
    # A path that is told in words stays whole, to be copied.
    wide = [line for line in lines if len(line) > 80 and str(place) not in line]
    assert len(lines) > 1
    assert not wide
