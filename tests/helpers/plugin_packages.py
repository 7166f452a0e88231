"""Packages with plugins, and the program run where it finds them."""

import os
import subprocess
import sys


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
