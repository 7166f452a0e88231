"""The commands of docs/reproduce.md."""

import shlex
from pathlib import Path

import pytest

from genrenet.cli.reproduce import make_parser
from genrenet.evaluation.reproduction.run import PARTS
from tests.helpers import readme

PAGE = Path(__file__).parents[2] / "docs" / "reproduce.md"


@pytest.mark.parametrize("command", readme.commands(PAGE))
def test_commands_can_be_given(command):
    program, name, *words = shlex.split(command)
    assert (program, name) == ("genrenet", "reproduce")
    assert make_parser(name).parse_args(words).data


def test_all_parts_are_described():
    text = PAGE.read_text("utf-8")
    assert all(f"| `{part}` |" in text for part in PARTS)


def test_the_python_example_names_what_there_is():
    (example,) = readme.blocks("python", PAGE)
    exec(example.splitlines()[0], {})
