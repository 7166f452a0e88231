"""Plugins: how other packages add baselines, features, collections and networks to this one.

A plugin is a module that its package names under the entry-point group ``genrenet``; its functions
marked with `hookimpl` get a function ``register`` that takes what they add. Built-ins do the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

import pluggy

if TYPE_CHECKING:
    from genrenet.baselines import Baseline
    from genrenet.catalog import Reader
    from genrenet.checkpoints import PublishedModel
    from genrenet.features import FeatureExtractor

GROUP = "genrenet"
hookspec, hookimpl = pluggy.HookspecMarker(GROUP), pluggy.HookimplMarker(GROUP)


class Hooks:
    """What a plugin can add; a hook is called once, when its kind is first needed."""

    @hookspec
    def register_baselines(self, register: Callable[[Baseline], None]) -> None:
        """Add methods: ``register(Baseline("lda", "linear discriminant", LDA, "five"))``."""

    @hookspec
    def register_features(self, register: Callable[[FeatureExtractor], None]) -> None:
        """Add features: ``register(FeatureExtractor("rms", "loudness", rms, ("rms",)))``."""

    @hookspec
    def register_catalogs(self, register: Callable[[Reader], None]) -> None:
        """Add readers of collections: ``register(Reader("jams", "JAMS", is_jams, read_jams))``."""

    @hookspec
    def register_backbones(self, register: Callable[[PublishedModel], None]) -> None:
        """Add published networks: ``register(PublishedModel("vgg", "VGGish", "vgg.pt", ...))``."""


class Contribution(NamedTuple):
    """Something a plugin added: the thing itself, the plugin's name, and its package."""

    item: Any
    plugin: str
    package: str


@cache
def _loaded() -> tuple[pluggy.PluginManager, dict[str, str], list[str]]:
    manager, packages, problems = pluggy.PluginManager(GROUP), dict[str, str](), list[str]()
    manager.add_hookspecs(Hooks)
    wanted = {*os.environ.get("GENRENET_LOAD_PLUGINS", "*").replace(" ", "").split(",")}
    for entry in sorted(entry_points(group=GROUP), key=lambda e: "genrenet_" not in e.value[:9]):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "?"
        if not {"*", entry.name, package.split()[0]} & wanted:
            continue
        try:
            if entry.name in packages:
                raise ValueError(f"{packages[entry.name]} has a plugin of that name")
            plugin, packages[entry.name] = entry.load(), package
            manager.register(plugin, entry.name)
            manager.check_pending()
        except (Exception, SystemExit) as error:  # whatever another's code does
            if manager.has_plugin(entry.name) and packages[entry.name] == package:
                manager.unregister(name=entry.name)
            problems.append(f"plugin '{entry.name}' of {package} is left out: {error!r}")
    return manager, packages, problems


@cache
def contributions(hook: str) -> dict[str, Contribution]:
    """All that plugins add through a hook, by name; the first of two of one name stays."""
    manager, packages, problems = _loaded()
    found: dict[str, Contribution] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():

        def register(item: Any, plugin: str = implementation.plugin_name) -> None:
            mine = Contribution(item, plugin, packages[plugin])
            if found.setdefault(item.name, mine) is not mine:
                other = found[item.name].plugin
                problems.append(f"'{item.name}' of '{plugin}' is left out: '{other}' has one too")

        try:
            implementation.function(*[register for _ in implementation.argnames])
        except Exception as error:
            problems.append(f"plugin '{implementation.plugin_name}' failed: {error!r}")
    return found


def problems() -> list[str]:
    """Everything that was wrong with plugins so far, a line each."""
    return list(_loaded()[2])
