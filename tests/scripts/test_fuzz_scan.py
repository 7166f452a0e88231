"""A scan of damaged files of every format: a row for each, and no hang."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers.audio_files import KINDS

FAULTS = {
    "cannot decode",
    "cut short or damaged",
    "is silent",
    "is too short",
    "no audio in",
    "nothing in",
    "unusable samples in",
    "was not scored",  # samples so large that the network's sums are no numbers
}

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz_scan.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_scan", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def test_every_damaged_file_has_one_row(
    script: ModuleType, checkpoint: Path, tmp_path: Path
) -> None:
    paths = script.damaged(tmp_path / "songs", 2 * len(KINDS), seed=5)
    options = ["--checkpoint", str(checkpoint), "--device", "cpu"]
    found = script.scan(tmp_path / "songs", tmp_path / "table.sqlite", *options, limit=20.0)
    assert sorted(path for path, _ in found.rows) == sorted(map(str, paths))
    errors = [error for _, error in found.rows if error is not None]
    assert found.code == 1
    assert 0 < len(errors) < len(paths)
    for error in errors:
        assert script.kind(error) in FAULTS, error


def test_the_damage_is_the_same_every_time(script: ModuleType, tmp_path: Path) -> None:
    first = script.damaged(tmp_path / "a" / "songs", 2 * len(KINDS), seed=5)
    again = script.damaged(tmp_path / "b" / "songs", 2 * len(KINDS), seed=5)
    alike = [
        one.read_bytes() == other.read_bytes() for one, other in zip(first, again, strict=True)
    ]
    # Matroska and Ogg are given other serial numbers by each writer.
    assert sum(alike) >= len(alike) / 2


@pytest.mark.parametrize(("last", "growth"), [(500.0, 0.0), (550.0, 10.0)])
def test_memory_is_compared_in_thirds(script: ModuleType, last: float, growth: float) -> None:
    megabytes = [*[100.0] * 10, *[500.0] * 60, *[last] * 30]
    found = script.Scanned([], 0, 50.0, megabytes).thirds()
    assert found == {"first_mb": 500.0, "last_mb": last, "growth_percent": growth}
    assert script.Scanned([], 0, 0.1, [1.0]).thirds()["growth_percent"] is None
