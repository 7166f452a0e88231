"""Networks that map log-mels to logits: plain modules, no Lightning, no I/O."""

from genrenet.models.networks.base import GenreNetwork, NetworkError
from genrenet.models.networks.cnn import CNN
from genrenet.models.networks.crnn import CRNN
from genrenet.models.networks.gru import Keras1GRU
from genrenet.models.networks.mobilenet import MobileNetV3
from genrenet.models.networks.musicnn import MusiCNN

__all__ = [
    "CNN",
    "CRNN",
    "GenreNetwork",
    "Keras1GRU",
    "MobileNetV3",
    "MusiCNN",
    "NetworkError",
]
