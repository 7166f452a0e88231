"""No circular imports between modules, also not within functions."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imports(folder, package=""):
    """Which modules each module of a folder imports; type-only imports count."""
    files = {
        ".".join([*filter(None, [package]), *path.relative_to(folder).with_suffix("").parts]): path
        for path in folder.rglob("*.py")
    }
    files = {name.removesuffix(".__init__"): path for name, path in files.items()}
    graph = {}
    for name, path in files.items():
        found = graph.setdefault(name, set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= inner & {*files} or {node.module}
        found &= {*files} - {name}
    return graph


@pytest.mark.parametrize(("folder", "package"), [("genrenet", "genrenet"), ("scripts", "")])
def test_imports_go_one_way(folder, package):
    graph = imports(ROOT / folder, package)
    assert sum(map(len, graph.values())) > 20
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
