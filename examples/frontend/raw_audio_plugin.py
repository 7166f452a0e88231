"""Registers the front end `RawAudio`. This module imports no torch: commands start quickly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.models.registry import ModuleClass


@hookimpl
def register_frontends(register: Callable[[ModuleClass], None]) -> None:
    """Name the front end in checkpoints and on the command line, by its import path."""
    from genrenet.models.registry import ModuleClass

    register(ModuleClass("RawAudio", "samples as they are", "raw_audio.RawAudio"))
