"""The scripts for setting up and starting: all steps in order, and no silent failures."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.small_training import TINY

ROOT = Path(__file__).parents[2]

PYTHON = """\
#!/bin/sh
# Everything is installed already, where the tests run.
if [ "$1 $2 $3" = "-m pip install" ]; then
    echo "$@" >> "$HERE/installed.log"
    exit 0
fi
exec "$REAL_PYTHON" "$@"
"""

GENRENET = """\
#!/bin/sh
# What one command did, the next run of the script finds as it was; $BROKEN names what breaks.
[ "$BROKEN" != "$1" ] || exit "$CODE"
if [ -e "$HERE/done-$1" ]; then
    sleep 0.1  # two times must differ
    find "$HERE/copy/runs" -exec touch {} +
else
    "$REAL_PYTHON" -m genrenet "$@" || exit
    touch "$HERE/done-$1"
fi
case "$BROKEN $1" in
    "checkpoint fit") find "$HERE/copy/runs" -name best.ckpt -exec rm {} + ;;
    "report test") find "$HERE/copy/runs" -name predictions.csv -exec rm {} + ;;
    "choice test") find "$HERE/copy/runs" -name predictions.csv | while read -r f; do
        echo path > "$f"
    done ;;
    "songs test") for f in "$HERE"/music/*/*.wav; do echo damaged > "$f"; done ;;
esac
"""


@pytest.fixture(scope="module")
def place(music, tmp_path_factory):
    """A copy of the scripts that has run once, with small music and its own environment."""
    here = tmp_path_factory.mktemp("quick start")
    shutil.copytree(music, here / "music")
    shutil.copytree(ROOT / "scripts", here / "copy" / "scripts")
    for name in ("setup.cfg", "constraints.txt"):
        shutil.copy(ROOT / name, here / "copy")
    (here / "tiny.yaml").write_text(TINY)
    programs = here / "env" / "bin"
    programs.mkdir(parents=True)
    for name, text in (("python", PYTHON), ("genrenet", GENRENET)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return here


def copied(place, here):
    """A copy of the place, whose songs are its own."""
    shutil.copytree(place, here)
    for file in here.rglob("predictions.csv"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(str(place), str(here)), encoding="utf-8")
    return here


def start(here, *, env="env", music="music", **variables):
    """Run the script; its options make it a small run."""
    command = ["bash", here / "copy" / "scripts" / "quickstart.sh", here / music]
    options = ["--config", here / "tiny.yaml", "--trainer.max_epochs=1"]
    kept = {key: value for key, value in os.environ.items() if key != "GENRENET_VERSIONS"}
    environment = {
        **kept,
        "HERE": str(here),
        "PYTHON": sys.executable,
        "REAL_PYTHON": sys.executable,
        "GENRENET_ENV": str(here / env),
        "BROKEN": "",
        "CODE": "2",
        **variables,
    }
    return subprocess.run(
        [*map(str, command), *map(str, options)],
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def first(place):
    return start(place)


def test_it_trains_tests_and_names_genres(place, first):
    assert first.returncode == 0, first.stdout + first.stderr
    assert "song accuracy" in first.stdout
    assert first.stdout.count(".wav") >= 3
    report = first.stdout.split("The report: ")[1].splitlines()[0]
    assert (place / "copy" / report).is_file()


def test_it_installs_the_tested_versions_once(place, first):
    installed = place / "installed.log"
    (line,) = installed.read_text().splitlines()
    assert f"--constraint {place / 'copy' / 'constraints.txt'} --editable {place / 'copy'}" in line
    # Other versions are installed by the next run.
    with open(place / "copy" / "constraints.txt", "a") as file:
        file.write("# newer\n")
    assert start(place).returncode == 0
    assert start(place).returncode == 0
    assert installed.read_text().splitlines() == [line, line]


@pytest.mark.parametrize(
    ("broken", "code", "words"),
    [
        ("fit", 2, "'genrenet fit' failed with exit code 2"),
        ("fit", 1, "no checkpoint"),
        ("checkpoint", 1, "no checkpoint"),
        ("test", 70, "'genrenet test' failed with exit code 70"),
        ("report", 1, "could not be named"),
        ("choice", 1, "could not be named"),
        ("classify", 1, "could not be named"),
        ("classify", 70, "could not be named"),
        ("songs", 1, "could not be named"),
    ],
)
def test_no_step_fails_unheard(place, first, tmp_path, broken, code, words):
    here = copied(place, tmp_path / "again")
    if (broken, code) == ("fit", 1):
        shutil.rmtree(here / "copy" / "runs")
    if broken == "songs":
        (here / "done-classify").unlink()
    found = start(here, BROKEN=broken, CODE=str(code))
    assert found.returncode == (code if broken in ("fit", "test") else 1)
    assert words in found.stderr
    assert "What next" not in found.stdout


def test_songs_that_were_left_out_are_not_forgotten(place, first, tmp_path):
    here = copied(place, tmp_path / "again")
    found = start(here, BROKEN="test", CODE="1")
    assert found.returncode == 1
    assert "some songs could not be used" in found.stderr
    assert "What next" in found.stdout


def test_an_installation_that_fails_ends_it(place, first):
    found = start(place, env="new", PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull)
    assert found.returncode != 0
    assert "== training" not in found.stdout
    (place / "filled").mkdir()
    (place / "filled" / "thesis.txt").write_text("years of work")
    found = start(place, env="filled")
    assert found.returncode == 2
    assert "holds other things than a virtual environment" in found.stderr
    assert (place / "filled" / "thesis.txt").read_text() == "years of work"


def test_what_is_not_there_is_named(place):
    found = start(place, music="gone")
    assert found.returncode == 2
    assert "no music folder" in found.stderr
    found = start(place, PYTHON="/gone/python")
    assert found.returncode == 2
    assert "needs Python 3.10 or later" in found.stderr
    found = start(place, GENRENET_VERSIONS="latest")
    assert found.returncode == 2
    assert "wanted tested, newest or floors" in found.stderr
