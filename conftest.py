"""What every test has, the examples in docstrings included: an environment of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

if "PYTEST_XDIST_WORKER" in os.environ:
    # Processes side by side: each keeps to one core, and so do the programs it starts.
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let long tests be asked for."""
    parser.addoption("--long", action="store_true", help="run the tests that take long, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked as long, unless it is asked for, by ``--long`` or by its name."""
    if config.getoption("--long") or any("::" in argument for argument in config.args):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """Restore the environment after a test: Lightning's launcher leaves its ranks in it."""
    before = dict(os.environ)
    yield
    for name in {*before, *os.environ} - {"PYTEST_CURRENT_TEST"}:
        if name not in before:
            del os.environ[name]
        elif os.environ.get(name) != before[name]:
            os.environ[name] = before[name]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own cache out of the tests; the tests of a run share one."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("GENRENET_CACHE", str(folder))


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own configuration, and those of libraries, out of the tests."""
    monkeypatch.setenv("GENRENET_CONFIG", "")
