"""Networks that map log-mels to logits: plain modules, no Lightning, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrenet.utils.lazy import exports

if TYPE_CHECKING:
    from genrenet.models.networks.base import (
        GenreNetwork as GenreNetwork,
        NetworkError as NetworkError,
    )
    from genrenet.models.networks.cnn import CNN as CNN
    from genrenet.models.networks.crnn import CRNN as CRNN
    from genrenet.models.networks.gru import Keras1GRU as Keras1GRU
    from genrenet.models.networks.mobilenet import MobileNetV3 as MobileNetV3
    from genrenet.models.networks.musicnn import MusiCNN as MusiCNN

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "base": ["GenreNetwork", "NetworkError"],
        "cnn": ["CNN"],
        "crnn": ["CRNN"],
        "gru": ["Keras1GRU"],
        "mobilenet": ["MobileNetV3"],
        "musicnn": ["MusiCNN"],
    },
)
