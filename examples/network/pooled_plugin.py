"""Registers the network `Pooled`. This module imports no torch, so that commands start quickly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.models.registry import ModuleClass


@hookimpl
def register_networks(register: Callable[[ModuleClass], None]) -> None:
    """Name the network in checkpoints and on the command line, by its import path."""
    from genrenet.models.registry import ModuleClass

    summary = "one convolution, pooled over time"
    register(ModuleClass("Pooled", summary, "pooled_network.Pooled"))
