"""An installation without extras: available commands, and messages about missing extras."""

import ast
import configparser
import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import soundfile

import genrenet
from genrenet.utils.extras import EXTRAS, MissingPackageError, extra_of, import_extra
from tests.helpers.tones import RATE, tone

ROOT = Path(__file__).parents[2]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")

GENRES = ["classical", "electronic", "pop", "rock"]
# Packages of `EXTRAS` are not found, and each command says what it came to.
PROGRAM = """
import json, sys
from importlib.abc import MetaPathFinder
from genrenet.utils.extras import EXTRAS

class Absent(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if any(name in modules for modules in EXTRAS.values()):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Absent())
from genrenet.cli import main
for command in json.loads(sys.argv[1]):
    try:
        code = main(command)
    except SystemExit as end:
        code = end.code
    print("came to", code, flush=True)
    print("came to", code, file=sys.stderr, flush=True)
"""


def required(section, option):
    """Distributions that an option of setup.cfg lists, with those of an extra it takes in."""
    lines = [line.strip() for line in SETUP[section][option].splitlines()]
    names = {re.match(r"[\w-]+", line)[0].lower() for line in lines if line and line[0] != "#"}
    taken = required(section, "train") if "genrenet[train]" in lines else set()
    return names - {"genrenet"} | taken


@cache
def distributions():
    """The distributions that install each package."""
    return {
        name: {one.lower().replace("_", "-") for one in found}
        for name, found in packages_distributions().items()
    }


def without_extras(*commands):
    """Run commands where no extra is installed; return the code and the errors of each."""
    words = [list(map(str, command)) for command in commands]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(words)],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        timeout=300,
    )
    parts = re.split(r"came to (\d+)\n", done.stderr)
    assert len(parts) == 2 * len(commands) + 1, done.stderr
    return [
        (int(code), " ".join(text.split()))
        for text, code in zip(parts[::2], parts[1::2], strict=False)
    ]


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_requirement_of_an_extra_is_known(extra):
    wanted = required("options.extras_require", extra)
    installs = distributions()
    known = set().union(*(installs.get(name, set()) for name in EXTRAS[extra]))
    # An extension of a package of the same extra is imported by that package alone.
    assert wanted - known <= {"google-cloud-storage"}, wanted
    # Werkzeug comes with Flask, and so on: every package is there because of one that is named.
    came_with = {"lightning-fabric", "markupsafe", "werkzeug", "huggingface-hub"}
    assert known & required("options", "install_requires") == set()
    assert {name for name in known - wanted if name not in came_with} == set()


def test_every_imported_package_is_required():
    installs, base = distributions(), required("options", "install_requires")
    missing = set()
    for folder in ("genrenet", "plugins", "checkpoints"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module]
                for root in {name.partition(".")[0] for name in names}:
                    own = root.startswith("genrenet") or root in sys.stdlib_module_names
                    if not own and not extra_of(root) and not installs.get(root, set()) & base:
                        missing.add((root, file.name))
    assert missing == set()


def test_extras_cover_what_all_and_dev_take():
    taken = SETUP["options.extras_require"]["all"]
    assert set(re.search(r"\[(.*)\]", taken)[1].split(",")) == set(EXTRAS) - {"faiss"}
    assert "genrenet[all,faiss]" in SETUP["options.extras_require"]["dev"]


@pytest.fixture
def songs(tmp_path):
    """Two genres of three short songs."""
    for song in range(6):
        place = tmp_path / "library" / ("low" if song % 2 else "high")
        place.mkdir(parents=True, exist_ok=True)
        wave = tone(200.0 + 300.0 * song, 3.0, seed=song)
        soundfile.write(place / f"song-{song}.flac", wave, RATE)
    return tmp_path / "library"


def test_naming_genres_takes_no_extra(songs, tmp_path):
    table, few = tmp_path / "genres.parquet", ["--checkpoint", "emotify-cnn"]
    commands = [
        ["--version"],
        ["--help"],
        ["plugins"],
        ["checkpoints", "list"],
        ["checkpoints", "info", "emotify-cnn"],
        ["classify", songs, *few],
        ["scan", songs, "--out", table, *few],
        ["scan", songs, "--out", table, *few],
        ["tag", table],
        ["playlist", table, "--genre", *GENRES, "--out", tmp_path / "all.m3u8"],
        ["embed", songs, "--out", tmp_path / "songs.npz", "--backbone", "emotify-cnn"],
        ["data", "check", songs],
        ["data", "split", songs, "--out", tmp_path / "split.csv"],
        ["cache"],
        ["config"],
    ]
    for command, (code, errors) in zip(commands, without_extras(*commands), strict=True):
        assert code == 0, (command, errors)


def test_other_commands_name_the_extra(songs, tmp_path):
    table, shipped = tmp_path / "genres.parquet", ROOT / "checkpoints" / "emotify-cnn.ckpt"
    history = tmp_path / "history.csv"
    history.write_text("user,artist,plays\n" + "".join(f"u{n % 9},a{n % 7},1\n" for n in range(60)))
    wanted = {
        "train": [
            ["fit", "--config", "cnn", "--data.source", songs],
            ["test", "--ckpt_path", shipped],
            ["evaluate", songs, "--models", "knn"],
            ["reproduce", "report", songs],
            ["distil", "--teacher", "emotify-cnn", "--data.source", songs],
        ],
        "web": [["serve", "--music", songs], ["scan", songs, "--out", table, "--watch"]],
        "recommend": [["recommend", "evaluate", history]],
        "export": [["checkpoints", "export", "emotify-cnn", tmp_path / "model.onnx"]],
        "research": [
            ["tune", songs, "--model", "knn"],
            ["classify", songs, "--checkpoint", "hf:facebook/wav2vec2-base"],
            ["data", "check", "mirdata:gtzan_genre"],
        ],
    }
    asked = [(extra, command) for extra, commands in wanted.items() for command in commands]
    found = without_extras(*(command for _, command in asked))
    for (extra, command), (code, errors) in zip(asked, found, strict=True):
        assert code == 2, (command, errors)
        assert f"pip install 'genrenet[{extra}]'" in errors, (command, errors)
        assert "Traceback" not in errors


def test_a_name_of_the_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "genrenet.training.module", None)
    monkeypatch.delitem(vars(genrenet), "GenreClassifier", raising=False)
    with pytest.raises(ModuleNotFoundError):  # no extra installs a module of our own
        _ = genrenet.GenreClassifier
    monkeypatch.delitem(sys.modules, "genrenet.training.module")
    for name in [name for name in sys.modules if name.partition(".")[0] == "pytorch_lightning"]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith("genrenet.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pytorch_lightning", None)
    with pytest.raises(MissingPackageError, match=r"'genrenet.GenreClassifier' needs .*\[train\]"):
        _ = genrenet.GenreClassifier


def test_a_broken_package_is_not_a_missing_one(tmp_path, monkeypatch):
    (tmp_path / "faiss.py").write_text("from numpy import no_such_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "faiss", raising=False)
    with pytest.raises(ImportError, match="no_such_name") as caught:
        import_extra("faiss", "an index")
    assert not isinstance(caught.value, MissingPackageError)
