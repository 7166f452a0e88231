"""Sessions of nox: each runs a script of scripts/ in an environment of its own, which is kept.

``nox --list`` shows them; ``nox -s 'tests(3.12)' -- -k store`` passes options on to the script.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]

# The scripts make the environments: what they install, and how, is written there alone.
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint"]


def _script(session: nox.Session, name: str, *arguments: str, python: str = sys.executable) -> None:
    """Run a script with an interpreter, in the session's environment."""
    folder = session.name.replace("(", "-").replace(")", "")
    variables = {"PYTHON": python, "GENRENET_ENV": str(ROOT / ".nox" / folder)}
    script = str(ROOT / "scripts" / name)
    session.run("bash", script, *arguments, *session.posargs, env=variables, external=True)


@nox.session
@nox.parametrize("version", PYTHONS, ids=PYTHONS)
def tests(session: nox.Session, version: str) -> None:
    """Lint, types, the import contract and the tests, with the tested versions."""
    _script(session, "test.sh", python=f"python{version}")


@nox.session
def newest(session: nox.Session) -> None:
    """Run the same with the newest versions that setup.cfg allows."""
    _script(session, "test_versions.sh", "newest")


@nox.session
def floors(session: nox.Session) -> None:
    """Run the same with the oldest versions that setup.cfg allows."""
    _script(session, "test_versions.sh", "floors")


@nox.session
def lint(session: nox.Session) -> None:
    """Lint, types and the import contract alone."""
    _script(session, "lint.sh")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation."""
    _script(session, "docs.sh")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, and try it outside of the checkout."""
    _script(session, "wheel.sh")
