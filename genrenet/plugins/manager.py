"""Plugins: third-party packages and built-ins add methods, features, collections and networks.

A plugin is a module under the entry-point group ``genrenet``; its `hookimpl` functions register its
objects. The built-in plugins are modules of `genrenet_plugins` with the same functions; they are
listed here, so that a checkout whose metadata are older than its code has them too, and come before
all others.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

import pluggy

from genrenet.version import __version__

SPECIFICATIONS = "genrenet.hookspecs"
"""Module of the hook specifications: it imports types of packages that use this one."""

BUILT_IN = (
    *("baselines", "catalogs", "features", "metrics"),
    *("models", "playlists", "protocols", "recommenders", "tags"),
)
"""The built-in plugins: modules of `genrenet_plugins`."""

ALWAYS = {"catalogs", "metrics", "models", "playlists", "protocols", "tags"}
"""Built-in plugins without which no collection, checkpoint, playlist or report can be made."""

hookspec, hookimpl = pluggy.HookspecMarker("genrenet"), pluggy.HookimplMarker("genrenet")


class Contribution(NamedTuple):
    """An object added by a plugin, with the plugin's name and its package."""

    item: Any
    plugin: str
    package: str


def _entries() -> list[tuple[EntryPoint, str]]:
    """Return entry points of all plugins with their packages, the built-in ones first."""
    built_in = [EntryPoint(name, f"genrenet_plugins.{name}", "genrenet") for name in BUILT_IN]
    others = [
        e for e in entry_points(group="genrenet") if not e.value.startswith("genrenet_plugins")
    ]
    named = [(e, f"{e.dist.name} {e.dist.version}" if e.dist else "?") for e in others]
    return [*((entry, f"genrenet {__version__}") for entry in built_in), *named]


@cache
def _loaded() -> tuple[pluggy.PluginManager, dict[str, str], list[str]]:
    manager, packages, problems = pluggy.PluginManager("genrenet"), dict[str, str](), list[str]()
    manager.add_hookspecs(import_module(SPECIFICATIONS).Hooks)
    wanted = {*os.environ.get("GENRENET_LOAD_PLUGINS", "*").replace(" ", "").split(",")} - {""}
    seen = {"*"}
    for entry, package in _entries():
        seen |= {entry.name, package.split()[0]}
        needed = entry.name in ALWAYS and entry.name not in packages
        if not needed and not {"*", entry.name, package.split()[0]} & wanted:
            continue
        try:
            if entry.name in packages:
                raise ValueError(f"{packages[entry.name]} has a plugin of that name")
            plugin, packages[entry.name] = entry.load(), package
            manager.register(plugin, entry.name)
            manager.check_pending()
        except (Exception, SystemExit) as error:  # a third-party package may raise anything
            if packages.get(entry.name) == package and manager.has_plugin(entry.name):
                manager.unregister(name=entry.name)
            problems.append(f"plugin '{entry.name}' of {package} is left out: {error!r}")
    problems += [f"GENRENET_LOAD_PLUGINS: nothing is called '{name}'" for name in wanted - seen]
    return manager, packages, problems


@cache
def contributions(hook: str) -> dict[str, Contribution]:
    """Return all objects that plugins add through a hook, by name; the first of a name is kept."""
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
    """Return packages whose plugins are loaded: an installed plugin is trusted."""
    plugins = (plugin for _, plugin in _loaded()[0].list_name_plugin())
    return {
        getattr(plugin, "__name__", type(plugin).__module__).split(".")[0] for plugin in plugins
    }


def problems() -> list[str]:
    """Return all faults of plugins so far, one line each."""
    return list(_loaded()[2])
