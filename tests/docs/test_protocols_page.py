"""The commands of docs/protocols.md are valid, and it lists the existing protocols."""

import re
import shlex
from pathlib import Path

import pytest

from genrenet.cli.evaluate import make_parser
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.protocols.base import kinds
from genrenet.evaluation.protocols.curves import with_curves

TEXT = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text("utf-8")
LINES = [
    line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()
]
EVALUATE = [shlex.split(line)[2:] for line in LINES if line.startswith("genrenet evaluate")]


@pytest.mark.parametrize("arguments", EVALUATE)
def test_commands(arguments):
    options = make_parser("evaluate").parse_args(arguments)
    names = (options.protocol or "artist-5fold").split(",")
    sizes, shots = (
        (value or "").split(",") if value else [] for value in (options.sizes, options.shots)
    )
    assert protocols(with_curves(names, options.learning_curve, sizes, shots), options.seeds or 1)


def test_tables():
    table, sizes = re.findall(r"\|---\|---\|\n((?:\|.*\n)+)", TEXT)
    named = [re.match(r"\| `([^`]+)`", row)[1] for row in table.splitlines()]
    assert named == list(kinds())
    for size in re.findall(r"`(@[^`]+)`", sizes):
        assert protocols(f"70-30{size}", 1)
