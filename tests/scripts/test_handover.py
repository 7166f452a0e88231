"""What a new maintainer reads and runs first: sessions, workflows, hooks, citation."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import genrenet

ROOT = Path(__file__).parents[2]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
PYTHONS = re.findall(r"Python :: (3\.\d+)", SETUP["metadata"]["classifiers"])
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(name):
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def jobs():
    return {name: job for file in WORKFLOWS for name, job in read(file)["jobs"].items()}


@pytest.mark.parametrize("file", [ROOT / "noxfile.py", *WORKFLOWS], ids=lambda file: file.name)
def test_what_is_called_is_there(file):
    called = re.findall(r"scripts/(\w+\.sh)|\"(\w+\.sh)\"", file.read_text("utf-8"))
    assert called
    for names in called:
        script = ROOT / "scripts" / "".join(names)
        assert script.is_file()
        subprocess.run(["bash", "-n", script], check=True)


def test_workflows_run_scripts_alone():
    assert {"tests", "versions", "docs", "wheel"} <= {*jobs()}
    for job in jobs().values():
        for step in job["steps"]:
            assert "uses" in step or re.match(r"bash scripts/\w+\.sh\b[^&|;]*$", step["run"])
            assert "uses" not in step or re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
    for file in WORKFLOWS:
        assert read(file)["permissions"] == {"contents": "read"}


def test_pythons_are_those_of_the_package():
    lowest, highest = PYTHONS[0], PYTHONS[-1]
    assert SETUP["options"]["python_requires"] == f">={lowest}"
    assert jobs()["tests"]["strategy"]["matrix"]["python"] == PYTHONS
    tried = jobs()["versions"]["strategy"]["matrix"]["include"]
    assert {one["versions"] for one in tried} == {"newest", "floors"}
    assert {one["python"] for one in tried} <= {*PYTHONS}
    for name in ("README.md", "CONTRIBUTING.md"):
        for found in re.findall(r"Python (3\.\d+) to (3\.\d+)", (ROOT / name).read_text("utf-8")):
            assert found == (lowest, highest)


def test_sessions(tmp_path):
    command = [sys.executable, "-m", "nox", "--list", "--noxfile", str(ROOT / "noxfile.py")]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    sessions = re.findall(r"^[*-] (\S+) ->", found.stdout, re.MULTILINE)
    tests = [f"tests({python})" for python in PYTHONS]
    assert sessions == [*tests, "newest", "floors", "lint", "docs", "wheel"]


def test_a_session_runs_its_script_with_its_interpreter(tmp_path):
    """The folder of its environment holds something else: the script refuses it, and names it."""
    for name in ("noxfile.py", "setup.cfg", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"))
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("*.py"))
    (tmp_path / ".nox" / "lint").mkdir(parents=True)
    (tmp_path / ".nox" / "lint" / "note.txt").touch()
    command = [sys.executable, "-m", "nox", "-s", "lint"]
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("GENRENET")}
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert found.returncode == 1
    assert f"'{tmp_path}/.nox/lint' holds other things" in found.stdout + found.stderr


def test_hooks_call_the_tools_of_the_environment():
    (repository,) = read(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    tools = [hook["entry"].split()[0] for hook in repository["hooks"]]
    assert tools == ["ruff", "ruff", "mypy", "lint-imports"]
    needed = SETUP["options.extras_require"]["dev"]
    for tool in ("ruff", "mypy", "import-linter"):
        assert f"\n{tool}>=" in needed
    for hook in repository["hooks"]:
        assert {"id", "name", "entry", "language"} <= {*hook}
        assert hook["language"] == "system"


def test_citation():
    found = read("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= {*found}
    assert (found["cff-version"], found["type"]) == ("1.2.0", "software")
    assert found["authors"] == [{"name": "genrenet developers"}]
    assert str(found["version"]) == genrenet.__version__
    assert found["license"] == SETUP["metadata"]["license"]
    assert all(isinstance(word, str) for word in found["keywords"])


def test_the_security_page_states_the_defaults():
    from genrenet.cli.serve import make_parser
    from genrenet.web.security import SHORTEST_TOKEN

    text = (ROOT / "SECURITY.md").read_text("utf-8")
    options = make_parser("serve").parse_args(["--music", "."])
    for name in ("max_upload", "max_minutes", "at_once", "queue"):
        assert f"`--{name.replace('_', '-')}` ({getattr(options, name):g}" in text
    assert f"listens at {options.host} by default" in text
    assert {options.save_playlists, options.opensubsonic} == {False}
    assert f"at least {SHORTEST_TOKEN} characters" in text


def test_changelog():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", name) for name in versions[1:])
    # Just after a release nothing is unreleased.
    for number, part in enumerate(re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]):
        kinds = re.findall(r"^### (.*)$", part, re.MULTILINE)
        assert len(kinds) == len({*kinds}) >= min(number, 1)
        assert {*kinds} <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    entries = re.findall(r"^- .*(?:\n  .*)*", text, re.MULTILINE)
    assert len(entries) == len({*entries}) > 100
