"""Replace names that plugins register for networks and front ends in options and configurations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genrenet.models.registry import registered
from genrenet.utils.errors import GenrenetError
from genrenet.utils.suggest import did_you_mean


class RegisteredNameError(GenrenetError):
    """An unknown name of a network or front end."""


def _paths() -> dict[str, dict[str, str]]:
    """Import paths by name, of the networks and of the front ends."""
    return {
        "network": {name: each.path for name, each in registered("register_networks").items()},
        "frontend": {name: each.path for name, each in registered("register_frontends").items()},
    }


def arguments_by_path(arguments: Sequence[str]) -> list[str]:
    """Return a command line with registered names replaced by import paths.

    Raises
    ------
    RegisteredNameError
        A name that is not registered, and not an import path.
    """
    found = list(arguments)
    for part, paths in _paths().items():
        for option in (f"--model.{part}", f"--model.{part}.class_path"):
            for place, text in enumerate(found):
                given = place > 0 and found[place - 1] == option
                name = text if given else text.removeprefix(f"{option}=")
                if not given and name == text:
                    continue
                if name in paths:
                    found[place] = text.removesuffix(name) + paths[name]
                elif name.isidentifier() and name.lower() not in ("null", "none"):
                    raise RegisteredNameError(
                        f"no {part} '{name}'",
                        wanted=f"{', '.join(paths)}, or the import path of a class",
                        remedy=did_you_mean(name, paths),
                    )
    return found


def model_by_path(model: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration's ``model`` with registered names replaced by import paths."""
    found = dict(model)
    for part, paths in _paths().items():
        given = found.get(part)
        if isinstance(given, str):
            found[part] = paths.get(given, given)
        elif isinstance(given, dict) and given.get("class_path") in paths:
            found[part] = {**given, "class_path": paths[given["class_path"]]}
    return found
