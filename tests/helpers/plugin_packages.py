"""Packages with plugins, and the program run with them installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXAMPLES = Path(__file__).parents[2] / "examples"


def genrenet(*arguments, path, code=0, **environment):
    """Run the program with more packages on its path."""
    found = subprocess.run(
        [sys.executable, "-m", "genrenet", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == code, found.stdout + found.stderr
    return found


def write_plugin(folder, module, code, entry="bad"):
    """A package as pip would leave it: a module, and metadata that name it."""
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(code)
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[genrenet]\n{entry} = {module}\n")
    return folder


def examples():
    """Return the folders of all example packages, by name."""
    return {file.parent.name: file.parent for file in sorted(EXAMPLES.glob("*/pyproject.toml"))}


def project_of(folder):
    """Return what a package says of itself: name, version, entry points, modules."""
    found = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    return found["project"], found["tool"]["setuptools"]["py-modules"]


def install_example(folder, site):
    """Leave a package as pip would, without a build; see `tests/plugins/test_examples.py`."""
    project, modules = project_of(folder)
    name, version = project["name"], project["version"]
    for module in modules:
        shutil.copy(folder / f"{module}.py", site)
    about = site / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (about / "METADATA").write_text(text)
    entries = project["entry-points"]["genrenet"].items()
    lines = ["[genrenet]", *(f"{entry} = {module}" for entry, module in entries)]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
