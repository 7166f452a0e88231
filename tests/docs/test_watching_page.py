"""The commands of docs/watching.md, and its files for systemd and Docker."""

import configparser
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from genrenet.cli import main, watching as cli_watching
from genrenet.cli.scan import make_parser as scan_parser
from genrenet.cli.serve import make_parser as serve_parser
from genrenet.library.locking import is_watched
from genrenet.library.table import read_table
from tests.helpers import readme

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "watching.md"
DOCKER = ROOT / "integrations" / "docker"
UNIT = ROOT / "integrations" / "systemd" / "genrenet-watch.service"
OUTSIDE = ("mkdir", "cp", "systemctl", "journalctl", "cd", "export", "docker")


def parsed(words):
    """Options of a ``genrenet`` command, as it would understand them."""
    parsers = {"scan": scan_parser, "serve": serve_parser}
    return parsers[words[0]](words[0]).parse_args(words[1:])


def ended_when_watching(table):
    """A thread that ends the command of this process once it watches."""

    def end():
        while not (is_watched(table) and table.exists()):
            time.sleep(0.05)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=end, daemon=True)
    thread.start()
    return thread


@pytest.mark.skipif(sys.platform == "win32", reason="ends by a signal")
def test_the_commands(music, checkpoint, tmp_path, monkeypatch):
    shutil.copytree(music / "bass", tmp_path / "Music")
    monkeypatch.chdir(tmp_path)
    ran = 0
    for command in readme.commands(PAGE):
        if command.startswith("genrenet"):
            # What is nice cannot be undone.
            command = command.replace("--nice 19", "--nice 0").replace("/mnt/nas/", "~/")
            given = readme.arguments(command, f" --checkpoint {checkpoint}", tmp_path / "Music", {})
            thread = ended_when_watching(tmp_path / "genres.parquet")
            assert main(given) == 0
            thread.join()
            ran += 1
        else:
            assert command.split()[0] in OUTSIDE
    assert ran == 3
    assert len(read_table("genres.parquet")) == 8


def test_every_option_is_explained():
    text = PAGE.read_text("utf-8")
    parser = scan_parser("scan")
    named = set(re.findall(r"--[a-z]+", "\n".join(readme.commands(PAGE)[:3])))
    assert named <= set(parser._option_string_actions)
    assert all(f"`{option}" in text for option in ("--poll", "--pause", "--nice", "--workers"))
    assert set(cli_watching.PAUSES) == {"battery", "load"}


def test_the_unit_starts_a_command_that_exists(tmp_path):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(UNIT)
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert program == "%h/.local/bin/genrenet"
    # The configuration names library and table.
    options = parsed([words[0], "library", "--out", "t.parquet", *words[1:]])
    assert options.watch
    assert options.nice == 19
    if shutil.which("systemd-analyze"):
        copy = tmp_path / UNIT.name
        text = UNIT.read_text().replace(program, shutil.which("true"))
        copy.write_text(text)
        command = ["systemd-analyze", "verify", "--user", str(copy)]
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        about_it = [line for line in done.stderr.splitlines() if UNIT.name in line]
        assert not about_it, done.stderr


def dockerfile():
    """Instructions of the Dockerfile, and their arguments, in order."""
    text = re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.M)
    lines = text.replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def test_the_dockerfile_names_what_there_is():
    found = dockerfile()
    kinds = [kind for kind, _ in found]
    assert kinds[0] == "FROM"
    assert kinds.index("USER") < kinds.index("ENTRYPOINT")
    by_kind = dict(found)
    assert by_kind["USER"] == "genrenet"
    assert yaml.safe_load(by_kind["ENTRYPOINT"]) == ["genrenet"]
    assert parsed(yaml.safe_load(by_kind["CMD"])).host == "0.0.0.0"
    assert "GENRENET_CACHE=/data/cache" in by_kind["ENV"]
    check = yaml.safe_load(by_kind["HEALTHCHECK"].partition("CMD")[2])
    compile(check[2], "health", "exec")
    assert f":{serve_parser('serve').get_default('port')}/api/health" in check[2]
    kept = (DOCKER / "Dockerfile.dockerignore").read_text().split()
    assert all((ROOT / name[1:]).exists() for name in kept if name.startswith("!"))
    wanted = ("genrenet", "plugins", "checkpoints", "setup.cfg", "pyproject.toml", "README.md")
    assert {f"!{name}" for name in (*wanted, "LICENSE", "constraints.txt")} <= {*kept}


def test_compose_starts_commands_that_exist():
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    services = compose["services"]
    assert {*services} == {"watch", "serve"}
    context = DOCKER / services["watch"]["build"]["context"]
    assert context.resolve() == ROOT
    assert (context / services["watch"]["build"]["dockerfile"]).is_file()
    watch = parsed(services["watch"]["command"])
    assert watch.watch
    serve = parsed(services["serve"]["command"])
    assert str(serve.library) == watch.out == "/data/genres.parquet"
    for service in services.values():
        assert [volume.rpartition(":/")[2] for volume in service["volumes"]] == ["music:ro", "data"]
        assert service["image"] == "genrenet"
    assert {*compose["volumes"]} == {"data"}


@pytest.mark.parametrize("path", re.findall(r"\]\(\.\./([^)]+)\)", PAGE.read_text("utf-8")))
def test_what_is_linked_is_there(path):
    assert (ROOT / path).exists()
