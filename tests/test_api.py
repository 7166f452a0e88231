"""The public interface of `genrenet`: complete, typed and lazily imported."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import genrenet

PROMISED = {
    "GenreClassifier",
    "GenreDataModule",
    "GenreModel",
    "GenrenetError",
    "SongResult",
    "__version__",
    "classify",
    "evaluate",
    "hookimpl",
    "load_model",
    "read_catalog",
}


def test_all_names_are_there_and_documented():
    assert set(genrenet.__all__) == PROMISED
    assert set(dir(genrenet)) >= PROMISED
    for name in PROMISED - {"__version__", "hookimpl"}:
        found = getattr(genrenet, name)
        assert inspect.isclass(found) or inspect.isfunction(found)
        assert found.__name__ == name
        assert inspect.getdoc(found)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = genrenet.nothing


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(genrenet.__file__).read_text("utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    exported = {name.asname: node.module for node in imports for name in node.names}
    assert exported.keys() >= PROMISED
    for name in PROMISED - {"__version__", "hookimpl"}:
        module = getattr(genrenet, name).__module__
        assert module == exported[name] or module.startswith(f"{exported[name]}.")


def test_the_package_itself_is_light_and_names_come_in_any_order():
    code = (
        "import sys, genrenet\n"
        "assert not {'torch', 'numpy', 'pluggy'} & set(sys.modules)\n"
        "import genrenet.inference.classify, genrenet.training.module\n"
        "from genrenet import classify, evaluate\n"
        "assert callable(genrenet.classify) and callable(evaluate), classify\n"
        "from genrenet import *\n"
        "assert GenreModel.__name__ == 'GenreModel'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_evaluate_on_a_table_of_features(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [
        {"track_id": f"{genre}-{song}", "genre": genre, "artist": f"{genre} {song % 6}"}
        | {f"feature{i}": value for i, value in enumerate(rng.normal(3.0 * number, 1.0, 4))}
        for number, genre in enumerate(("jazz", "rock", "folk"))
        for song in range(12)
    ]
    pd.DataFrame(rows).to_csv("features.csv", index=False)
    told = []
    found = genrenet.evaluate(
        "features.csv", ["tree", "knn"], protocol=["artist-3fold"], out="run", tell=told.append
    )
    assert found.complete
    assert found.page.is_file()
    assert found.page.is_relative_to("run")
    accuracies = {model["name"]: model["accuracy"] for model in found.results["models"]}
    assert set(accuracies) == {"tree", "knn"}
    assert min(accuracies.values()) > 0.7
    assert any("columns of features" in line for line in told)
    with pytest.raises(genrenet.GenrenetError, match="no baseline 'nothing'"):
        genrenet.evaluate("features.csv", ["nothing"], out="other")
