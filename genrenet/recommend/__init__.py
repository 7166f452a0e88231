"""Recommendations from listening histories and from what songs sound like.

The methods themselves come from plugins; the built-in ones are in ``genrenet_plugins``.
"""

from genrenet.recommend.base import Recommender, recommender, recommenders
from genrenet.recommend.errors import HistoryError, RecommendError
from genrenet.recommend.history import History
from genrenet.recommend.reading import read_history, read_names

__all__ = [
    "History",
    "HistoryError",
    "RecommendError",
    "Recommender",
    "read_history",
    "read_names",
    "recommender",
    "recommenders",
]
