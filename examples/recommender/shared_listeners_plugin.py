"""Registers a recommender by its import path: other commands need not load scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl
from genrenet.utils.lazy import Lazy

if TYPE_CHECKING:
    from genrenet.recommend import Recommender


@hookimpl
def register_recommenders(register: Callable[[Recommender], None]) -> None:
    """Add the method."""
    from genrenet.recommend import Recommender

    estimator = Lazy("shared_listeners", "SharedListeners")
    register(Recommender("shared-listeners", "what the same listeners have played", estimator))
