"""Errors of recommendations."""

from __future__ import annotations

from genrenet.utils.errors import GenrenetError


class RecommendError(GenrenetError):
    """Recommendations that cannot be made, or a recommender that does not exist."""


class HistoryError(RecommendError):
    """A listening history that cannot be used."""
