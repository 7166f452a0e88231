"""The built-in features."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.features import FeatureExtractor


@hookimpl
def register_features(register: Callable[[FeatureExtractor], None]) -> None:
    """Add the built-in features."""
    from genrenet.features.classical import CLASSICAL

    for extractor in CLASSICAL:
        register(extractor)
