"""Output of commands: messages, JSON, or none."""

import io
import json
import sys
import time

import pytest

from genrenet.cli import main, telling
from genrenet.cli.parsing import CommandParser
from genrenet.cli.telling import fact, next_step, say, session, show, warn
from genrenet.utils.progress import quiet, working


class Terminal(io.StringIO):
    def isatty(self):
        return True


def _parsed(*words, formats=()):
    parser = CommandParser("genrenet x")
    if formats:
        parser.add_argument("--format", choices=formats, default="table")
        parser.add_argument("--out")
    return parser.parse_args(words)


def _a_command():
    say("3 songs")
    warn("one is broken")
    fact(songs=3, share=float("nan"))
    next_step("tag", "my genres.parquet", why="shows it")
    print("another package's words")


def test_messages_for_people(capsys):
    with session("x"):
        _parsed()
        _a_command()
    out, error = capsys.readouterr()
    tip = "next: genrenet tag 'my genres.parquet'    # shows it"
    assert out.splitlines() == ["3 songs", tip, "another package's words"]
    assert error == "genrenet x: one is broken\n"


def test_one_document_for_programs(capsys):
    with session("x"):
        _parsed("--json")
        _a_command()
    out, error = capsys.readouterr()
    told = {"command": "x", "songs": 3, "share": None, "next": "genrenet tag 'my genres.parquet'"}
    assert json.loads(out, parse_constant=pytest.fail) == told
    for words in ("3 songs", "one is broken", "next: ", "another package's words"):
        assert words in error
    with session("x"):
        _parsed()
        say("as before")
    assert capsys.readouterr().out == "as before\n"


def test_nothing_but_results_and_errors(capsys):
    with session("x"):
        _parsed("-q")
        assert quiet()
        say("3 songs")
        next_step("tag")
        warn("one is broken")
        print("a result")
    assert not quiet()
    assert capsys.readouterr() == ("a result\n", "genrenet x: one is broken\n")
    with session("x"):
        _parsed("-q", "--json")
        _a_command()
    out, error = capsys.readouterr()
    assert json.loads(out)["songs"] == 3
    assert "3 songs" not in error


@pytest.mark.parametrize("words", [["--json"], ["--format", "json"]])
def test_a_result_takes_the_place_of_the_facts(words, capsys):
    with session("x"):
        options = _parsed(*words, formats=("table", "json"))
        assert options.format == "json"
        fact(songs=1)
        show([{"song": "Veränderung", "odd": "\udce9"}])
    out = capsys.readouterr().out
    assert json.loads(out) == [{"song": "Veränderung", "odd": "\udce9"}]
    assert "Veränderung" in out


def test_a_file_keeps_its_format(capsys):
    with session("x"):
        options = _parsed("--json", "--out", "x.csv", formats=("table", "json"))
        assert options.format == "table"
        fact(out="x.csv")
    assert json.loads(capsys.readouterr().out)["out"] == "x.csv"
    with session("x"):
        _parsed("--format", "json", "--out", "x.json", formats=("table", "json"))
        assert not telling.as_json()


def test_what_cannot_be_done_is_told_to_programs_too(capsys, tmp_path):
    table = str(tmp_path / "g.parquet")
    assert main(["scan", str(tmp_path / "gone"), "--out", table, "--json"]) == 2
    out, error = capsys.readouterr()
    told = json.loads(out)
    assert told["command"] == "scan"
    assert "there is no" in told["error"]
    assert told["error"] in error


def test_a_terminal_folds_messages_at_blanks(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    long = "/a/path/" + "x" * 80
    say("some words " * 12 + long, "short \x1b[2J")
    lines = out.getvalue().splitlines()
    assert lines[-1] == r"short \x1b[2J"
    assert [line for line in lines if len(line) > 60] == [f"  {long}"]
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    say("some words " * 12)
    assert sys.stdout.getvalue().count("\n") == 1


def test_what_takes_longer_than_a_moment_is_said_on_a_terminal(monkeypatch):
    monkeypatch.setattr("genrenet.utils.progress.MOMENT", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with working("loading a model"):
        for _ in range(500):
            if "loading a model" in shown.getvalue():
                break
            time.sleep(0.01)
    assert "loading a model ..." in shown.getvalue()


def test_off_a_terminal_a_line_comes_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr("genrenet.utils.progress.LINE_SECONDS", 0.02)
    with working("loading a model"):
        time.sleep(0.2)
    error = capsys.readouterr().err
    assert error.startswith("loading a model: 0 s\n")
    assert "\x1b" not in error
    monkeypatch.setenv("GENRENET_QUIET", "1")
    with working("loading a model"):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_a_scan_says_what_it_found_and_what_comes_next(music, checkpoint, tmp_path, capsys):
    table = tmp_path / "g.parquet"
    words = ["scan", str(music), "--out", str(table), "--checkpoint", str(checkpoint)]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "genres: bass 8, middle 8, treble 8; " in out
    assert out.splitlines()[-1].startswith(f"next: genrenet tag {table}")
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told["genres"] == {"bass": 8, "middle": 8, "treble": 8}
    assert (told["songs"], told["same"], told["table"]) == (24, 24, str(table))
    assert told["next"] == f"genrenet tag {table}"
    assert main([*words, "-q"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_long_next_step_has_its_reason_below_it(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    next_step("tag", "~/a b/genres.parquet", why="shows what would be written")
    next_step("scan", why="again")
    assert out.getvalue().splitlines() == [
        "next: genrenet tag ~/'a b/genres.parquet'",
        "      # shows what would be written",
        "next: genrenet scan    # again",
    ]
