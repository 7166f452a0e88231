"""Registers the scheme ``filters:``. This module imports no torch: commands start quickly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from genrenet import hookimpl
from genrenet.utils.lazy import Lazy

if TYPE_CHECKING:
    from genrenet.models.adapters import Adapter, Card


def files(name: str) -> list[Path]:
    """Return the files that a backbone depends on: their content identifies it in checkpoints."""
    return [Path(name)]


def card(name: str) -> Card:
    """Return what is known of a backbone without opening it."""
    from genrenet.models.adapters import Card

    return Card(title="learnt filters", licence="MIT")


@hookimpl
def register_adapters(register: Callable[[Adapter], None]) -> None:
    """Add the scheme: what opens it, its files, and what is known of it."""
    from genrenet.models.adapters import Adapter

    opening = Lazy("filters_backbone", "open_filters")
    register(Adapter("filters", "weights of a filter bank", opening, files, card))
