"""The README's commands that start servers or share work between processes."""

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd
import pytest

from tests.helpers import readme
from tests.helpers.readme_files import write_readme_files


@pytest.fixture
def place(music, tmp_path):
    write_readme_files(music, tmp_path)
    return tmp_path


def _free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@contextlib.contextmanager
def _running(words, place, port):
    """A program that answers at a port; it is stopped afterwards."""
    with subprocess.Popen(
        words, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as one:
        try:
            for _ in range(600):
                with contextlib.suppress(URLError, ConnectionError):
                    urlopen(f"http://127.0.0.1:{port}/", timeout=30).close()
                    break
                assert one.poll() is None, one.stdout.read()
                time.sleep(0.1)
            yield
        finally:
            one.terminate()
            one.communicate(timeout=30)


def test_serve_answers_what_the_readme_asks(place, checkpoint, monkeypatch):
    asked = [command for command in readme.commands() if command.startswith("curl")]
    assert len(asked) == 2
    port = _free_port()
    assert {"genrenet serve", "genrenet serve --music ~/Music"} <= {*readme.commands()}
    # What 'genrenet init' has written says where the music is.
    (place / "config.yaml").write_text(f"library: Music\ncheckpoint: {checkpoint}\n")
    monkeypatch.setenv("GENRENET_CONFIG", str(place / "config.yaml"))
    words = [sys.executable, "-m", "genrenet", "serve", "--port", str(port)]
    with _running(words, place, port):
        for command in asked:
            given = command.replace(":8765/", f":{port}/")
            given = given.replace("Miles Davis/So What.mp3", "bass/bass-0.wav")
            done = subprocess.run(shlex.split(given), cwd=place, capture_output=True, check=True)
            assert b'"genre"' in done.stdout


@pytest.mark.long
def test_processes_of_torchrun_share_a_scan(place, checkpoint):
    (command,) = [each for each in readme.commands() if "-m genrenet scan" in each]
    words = shlex.split(command.replace("/shared/music", "Music").replace("/shared/", ""))
    # Two processes of one machine in the place of two machines.
    for option in ("--nnodes", "--nproc-per-node", "--rdzv-backend", "--rdzv-endpoint"):
        place_of = words.index(option)
        del words[place_of : place_of + 2]
    words = [*words[1:], "--checkpoint", str(checkpoint)]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launcher, *words], cwd=place, env=environment, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()
    assert len(pd.read_parquet(place / "genres.parquet")) == 24
