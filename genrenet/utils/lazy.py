"""Import on first use: names of packages, and callables of other modules.

Importing torch takes seconds and scikit-learn one; many commands need neither.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import InspectLoader
from importlib.util import find_spec
from typing import Any

from genrenet.utils.extras import needed_by


def exports(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return a package's ``__getattr__``, ``__dir__`` and ``__all__``.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    modules : mapping of str to sequence of str
        The public names in each of its modules; none is the name of a module.

    Examples
    --------
    >>> __getattr__, __dir__, __all__ = exports("genrenet.data", {"frames": ["FrameSettings"]})
    >>> __getattr__("FrameSettings").__name__, __all__
    ('FrameSettings', ['FrameSettings'])
    """
    where = {name: module for module, names in modules.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        with needed_by(f"'{package}.{name}'"):
            found = getattr(import_module(f"{package}.{where[name]}"), name)
        # A function keeps its name, whatever module of the same name is imported later.
        setattr(sys.modules[package], name, found)
        return found

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *where})

    return __getattr__, __dir__, sorted(where)


@dataclass(frozen=True)
class Lazy:
    """A class or function, given by its name, that is imported when it is first called.

    Parameters
    ----------
    module, name : str

    Examples
    --------
    >>> join = Lazy("os.path", "join")
    >>> join("folder", "file") == import_module("os.path").join("folder", "file")
    True
    """

    module: str
    name: str

    @property
    def path(self) -> str:
        """Full name."""
        return f"{self.module}.{self.name}"

    def load(self) -> Any:
        """Import the class or function."""
        return getattr(import_module(self.module), self.name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self.load()(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        """Parameters and their defaults, from the source code if possible."""
        found = None if self.module in sys.modules else _stated(self.module, self.name)
        return inspect.signature(self.load()) if found is None else found


def _stated(module: str, name: str) -> inspect.Signature | None:
    """Return the signature in a module's source; None if only an import could determine it."""
    spec = find_spec(module)
    source = (
        spec.loader.get_source(module) if spec and isinstance(spec.loader, InspectLoader) else ""
    )
    tree = ast.parse(source or "")
    node: Any = _defined(tree, name)
    is_class = isinstance(node, ast.ClassDef)
    while isinstance(node, ast.ClassDef):
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        node = _defined(node, "__init__") or (_defined(tree, bases[0]) if bases else None)
    if not isinstance(node, ast.FunctionDef):
        return None
    for part in ast.walk(node.args):
        if isinstance(part, ast.arg):
            part.annotation = None
    same = ast.fix_missing_locations(ast.Expression(ast.Lambda(node.args, ast.Constant(None))))
    try:
        found = inspect.signature(eval(compile(same, module, "eval"), {}))
    except NameError:  # a computed default
        return None
    return found.replace(parameters=list(found.parameters.values())[is_class:])


def _defined(body: ast.Module | ast.ClassDef, name: str) -> ast.stmt | None:
    return next((node for node in body.body if getattr(node, "name", "") == name), None)
