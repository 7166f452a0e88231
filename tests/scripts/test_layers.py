"""The drawing of the layers matches the import contract."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("layers", ROOT / "scripts" / "layers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_current(script, capsys):
    assert script.main(["--check"]) == 0, "run: python scripts/layers.py"
    assert "is current" in capsys.readouterr().out


def test_rows_are_those_of_the_contract(script):
    rows = script.layers((ROOT / "setup.cfg").read_text("utf-8"))
    packages = {path.parent.name for path in (ROOT / "genrenet").glob("*/__init__.py")}
    assert packages <= {name for row in rows for name in row}
    assert rows[0][0] == "cli"
    assert ["inference", "training"] in rows


def test_names_are_drawn_from_the_top(script):
    made = script.drawing([["cli"], ["web", "library"]])
    places = [made.index(f">{name}</text>") for name in ("cli", "web", "library")]
    assert places == sorted(places)


def test_a_layer_without_a_meaning_is_an_error(script):
    with pytest.raises(KeyError):
        script.drawing([["unheard"]])
