"""Backbones in files of other projects, opened by adapters: ``hf:``, ``onnx:``"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrenet.utils.lazy import exports

if TYPE_CHECKING:
    from genrenet.models.adapters.backbone import Backbone as Backbone
    from genrenet.models.adapters.network import (
        Adapted as Adapted,
        adapted_model as adapted_model,
    )
    from genrenet.models.adapters.registry import (
        Adapter as Adapter,
        AdapterError as AdapterError,
        Card as Card,
        adapters as adapters,
        card_of as card_of,
        content_id as content_id,
        is_reference as is_reference,
        seen as seen,
    )

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "backbone": ["Backbone"],
        "network": ["Adapted", "adapted_model"],
        "registry": [
            "Adapter",
            "AdapterError",
            "Card",
            "adapters",
            "card_of",
            "content_id",
            "is_reference",
            "seen",
        ],
    },
)
