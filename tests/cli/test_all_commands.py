"""What holds for every command, whichever there are."""

import pytest

from genrenet.cli import COMMANDS, main
from genrenet.cli.parsers import parsers
from genrenet.cli.parsing import CommandParser
from genrenet.cli.training import help_text

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
