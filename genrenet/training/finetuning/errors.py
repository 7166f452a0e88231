"""Errors of fine-tuning."""

from __future__ import annotations

from genrenet.utils.errors import GenrenetError


class FinetuningError(GenrenetError):
    """A backbone, stages or a cache that do not fit the requested training."""
