"""Skipped tests are counted by reason, and fail a run in CI where their data must exist."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = (
    "tests/models/test_frontend.py::test_equals_published_input",
    "tests/web/test_accessibility.py",
)
REASONS = ("no music in", "no browser: none of")


@pytest.mark.long
@pytest.mark.parametrize(
    ("variables", "options", "code"), [({}, "-n0", 0), ({"CI": "true"}, "-n1", 1)], ids=["", "CI"]
)
def test_what_must_run_in_ci_fails_it_where_it_is_skipped(variables, options, code, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "CHROMIUM")}
    # Neither music nor a browser: not even where they are.
    environment |= {"GENRENET_TEST_DATA": str(tmp_path / "nothing"), "PATH": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", options, *TESTS],
        cwd=Path(__file__).parents[2],
        env=environment | variables,
        capture_output=True,
        text=True,
    )
    assert found.returncode == code, found.stdout + found.stderr
    for reason in REASONS:
        (line,) = (line for line in found.stdout.splitlines() if line[5:].startswith(reason))
        assert int(line[:4]) >= 1
        assert line.endswith("(a failure, as CI is set)") == bool(variables)
