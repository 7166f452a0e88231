"""The parser of commands and the types of its options."""

import argparse
import os
import subprocess
import sys

import pytest

from genrenet.cli.parsing import (
    CommandParser,
    SettingError,
    add_albums_option,
    add_collection_options,
    add_engine_options,
    count,
    frames,
    setting,
)


@pytest.fixture
def parser():
    found = CommandParser("genrenet x", epilog="examples:\n  genrenet x  a b")
    add_collection_options(found)
    add_albums_option(found)
    add_engine_options(found)
    return found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "found 0, wanted 1 or more"),
        (["--workers", "two"], "invalid count value: 'two'"),
        (["--frames", "-3"], "found -3, wanted 1 or more"),
        (["--trim", "-1"], "found -1, wanted 0 or more"),
        (["--trim", "nan"], "found nan, wanted 0 or more"),
        (["--trim", "inf"], "found inf, wanted 0 or more"),
        (["--labels", "x"], "invalid choice: 'x'"),
        (["--no\x1b[2J"], r"--no\x1b[2J"),
    ],
)
def test_a_complaint_is_one_line_and_exit_code_2(parser, capsys, words, message):
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(words)
    assert caught.value.code == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("genrenet x: error: ")
    assert message in error
    assert error.endswith("; see 'genrenet x --help'\n")
    assert error.count("\n") == 1


def test_options_and_their_defaults(parser):
    found = parser.parse_args([])
    assert (found.labels, found.albums, found.frames, found.trim) == ("auto", False, None, None)
    found = parser.parse_args(["--frames", "all", "--trim", "0", "--workers", "3", "--albums"])
    assert (found.frames, found.trim, found.workers, found.albums) == ("all", 0.0, 3, True)


def test_examples_stay_as_they_are_written(parser):
    assert "examples:\n  genrenet x  a b\n" in parser.format_help()


def test_numbers():
    assert (count("1"), frames("12"), frames("all")) == (1, 12, "all")
    with pytest.raises(argparse.ArgumentTypeError):
        count("-1")


def test_offline_holds_for_this_process_and_those_it_starts(parser, monkeypatch):
    monkeypatch.setenv("GENRENET_OFFLINE", "")
    parser.parse_args([])
    assert os.environ["GENRENET_OFFLINE"] == ""
    parser.parse_args(["--offline"])
    code = "import os; print(os.environ['GENRENET_OFFLINE'])"
    assert subprocess.check_output([sys.executable, "-S", "-c", code], text=True).strip() == "1"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("k=3", ("k", 3)),
        ("rate=1.5", ("rate", 1.5)),
        ("sizes=[1, 2]", ("sizes", [1, 2])),
        ("on=true", ("on", True)),
        ("formula=a=b", ("formula", "a=b")),
        ("empty=", ("empty", None)),
    ],
)
def test_settings(text, wanted):
    assert setting(text) == wanted


@pytest.mark.parametrize("text", ["k", "=3", "", "k=[1", "k=!!python/object:os.system x"])
def test_settings_of_another_form(text):
    with pytest.raises(SettingError) as caught:
        setting(text)
    assert caught.value.what == f"--set {text}"
    assert caught.value.wanted
