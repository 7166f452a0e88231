"""The commands and the Python of docs/multi_label.md."""

import re
import shlex
from pathlib import Path

from genrenet.cli.baseline import make_parser as baseline_parser
from genrenet.cli.classify import make_parser as classify_parser
from genrenet.cli.evaluate import make_parser as evaluate_parser
from genrenet.cli.training import prepare_arguments
from tests.helpers.several_genres import feature_table

PAGE = Path(__file__).parents[2] / "docs" / "multi_label.md"
PARSERS = {"evaluate": evaluate_parser, "baseline": baseline_parser, "classify": classify_parser}


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)


def test_the_commands_are_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/cnn/version_0/checkpoints").mkdir(parents=True)
    (tmp_path / "runs/cnn/version_0/checkpoints/best.ckpt").touch()
    seen = set()
    for line in "".join(blocks("bash")).splitlines():
        _, command, *words = shlex.split(line, comments=True)
        seen.add(command)
        if command in PARSERS:
            PARSERS[command](command).parse_args(words)
        else:
            prepare_arguments(command, words)
    assert seen == {*PARSERS, "fit", "test"}


def test_the_python_runs(tmp_path, monkeypatch, capsys):
    feature_table(tmp_path / "songs.csv", songs=60, artists=20)
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    exec(code, {})
    assert "['blues', 'folk', 'jazz', 'rock']" in capsys.readouterr().out
