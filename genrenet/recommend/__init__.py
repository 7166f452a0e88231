"""Recommendations from listening histories and from the sound of songs.

The methods themselves come from plugins; the built-in ones are in ``genrenet_plugins``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrenet.utils.lazy import exports

if TYPE_CHECKING:
    from genrenet.recommend.base import (
        Recommender as Recommender,
        recommender as recommender,
        recommenders as recommenders,
    )
    from genrenet.recommend.errors import (
        HistoryError as HistoryError,
        RecommendError as RecommendError,
    )
    from genrenet.recommend.history import History as History
    from genrenet.recommend.reading import read_history as read_history, read_names as read_names

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "base": ["Recommender", "recommender", "recommenders"],
        "errors": ["HistoryError", "RecommendError"],
        "history": ["History"],
        "reading": ["read_history", "read_names"],
    },
)
