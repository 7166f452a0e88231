"""Plugins: how other packages (and the built-ins) add methods, features, collections and networks.

A plugin is a module under the entry-point group ``genrenet``; its `hookimpl` functions register.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NamedTuple

import pluggy

SPECIFICATIONS = "genrenet.hookspecs"
"""Module of the specifications: it names types of the packages above, which use this one."""

hookspec, hookimpl = pluggy.HookspecMarker("genrenet"), pluggy.HookimplMarker("genrenet")


class Contribution(NamedTuple):
    """Something a plugin added: the thing itself, the plugin's name, and its package."""

    item: Any
    plugin: str
    package: str


@cache
def _loaded() -> tuple[pluggy.PluginManager, dict[str, str], list[str]]:
    manager, packages, problems = pluggy.PluginManager("genrenet"), dict[str, str](), list[str]()
    manager.add_hookspecs(import_module(SPECIFICATIONS).Hooks)
    wanted = {*os.environ.get("GENRENET_LOAD_PLUGINS", "*").replace(" ", "").split(",")} - {""}
    seen = {"*"}
    for entry in sorted(entry_points(group="genrenet"), key=lambda e: "_plugins." not in e.value):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "?"
        seen |= {entry.name, package.split()[0]}
        if not {"*", entry.name, package.split()[0]} & wanted:
            continue
        try:
            if entry.name in packages:
                raise ValueError(f"{packages[entry.name]} has a plugin of that name")
            plugin, packages[entry.name] = entry.load(), package
            manager.register(plugin, entry.name)
            manager.check_pending()
        except (Exception, SystemExit) as error:  # whatever another's code does
            if packages.get(entry.name) == package and manager.has_plugin(entry.name):
                manager.unregister(name=entry.name)
            problems.append(f"plugin '{entry.name}' of {package} is left out: {error!r}")
    problems += [f"GENRENET_LOAD_PLUGINS: nothing is called '{name}'" for name in wanted - seen]
    return manager, packages, problems


@cache
def contributions(hook: str) -> dict[str, Contribution]:
    """All that plugins add through a hook, by name; the first of two of one name stays."""
    manager, packages, problems = _loaded()
    found: dict[str, Contribution] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():

        def register(item: Any, plugin: str = implementation.plugin_name) -> None:
            first = found.setdefault(item.name, Contribution(item, plugin, packages[plugin]))
            if first.item is not item:
                problems.append(f"'{item.name}' of '{plugin}' left out: '{first.plugin}' has one")

        try:
            implementation.function(*[register for _ in implementation.argnames])
        except (Exception, SystemExit) as error:
            problems.append(f"plugin '{implementation.plugin_name}' failed: {error!r}")
    return found


def plugin_packages() -> set[str]:
    """Packages whose plugins are loaded: installing one is trusting it."""
    plugins = (plugin for _, plugin in _loaded()[0].list_name_plugin())
    return {
        getattr(plugin, "__name__", type(plugin).__module__).split(".")[0] for plugin in plugins
    }


def problems() -> list[str]:
    """Everything that was wrong with plugins so far, a line each."""
    return list(_loaded()[2])
