"""The notebooks of examples/notebooks run from their first cell to their last."""

import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers.plugin_packages import EXAMPLES

NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.ipynb"))
SHOWN = {
    "explore_a_library": ("text/html", "image/png"),
    "from_samples_to_scores": ("text/html", "image/svg+xml", "image/png"),
    "compare_three_methods": ("text/html", "image/svg+xml"),
    "train_on_your_folder": ("text/html", "image/svg+xml"),
}
"""Kinds of output that each shows: tables and players, figures."""


LONG = ("compare_three_methods", "train_on_your_folder")
RUN = [pytest.param(path, marks=[pytest.mark.long] * (path.stem in LONG)) for path in NOTEBOOKS]


def read(path):
    return nbformat.read(path, as_version=4)


def test_all_are_named_here_and_in_their_readme():
    text = (EXAMPLES / "notebooks" / "README.md").read_text("utf-8")
    assert {path.stem for path in NOTEBOOKS} == {*SHOWN}
    for path in NOTEBOOKS:
        assert f"]({path.name})" in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_kept_without_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith("# ")
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_they_run(path, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = read(path)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(tmp_path))
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", [])]
    kinds = {kind for one in outputs for kind in one.get("data", {})}
    assert {*SHOWN[path.stem]} <= kinds
