"""Protocols: which songs are learnt from and which are judged, and what such a figure means.

Kinds are added by plugins, the built-in ones among them. Any of them can be learnt from in part, by
what stands behind an ``@``: see `genrenet.evaluation.protocols.subsets`.
"""

from genrenet.evaluation.protocols.base import (
    Protocol,
    kinds,
    protocols,
    why_they_differ,
)
from genrenet.evaluation.protocols.kinds import Fold, ProtocolKind

__all__ = ["Fold", "Protocol", "ProtocolKind", "kinds", "protocols", "why_they_differ"]
