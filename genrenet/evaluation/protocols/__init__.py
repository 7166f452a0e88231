"""Protocols: how songs are split into training and test sets, and what the figures mean.

Kinds are added by plugins, including the built-in ones. Each can be restricted to part of the
training songs by a suffix after an ``@``: see `genrenet.evaluation.protocols.subsets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrenet.utils.lazy import exports

if TYPE_CHECKING:
    from genrenet.evaluation.protocols.base import (
        Protocol as Protocol,
        protocols as protocols,
        why_they_differ as why_they_differ,
    )
    from genrenet.evaluation.protocols.kinds import Fold as Fold, ProtocolKind as ProtocolKind

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "base": ["Protocol", "protocols", "why_they_differ"],
        "kinds": ["Fold", "ProtocolKind"],
    },
)
