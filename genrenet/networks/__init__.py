"""Networks that map log-mels to logits: plain modules, no Lightning, no I/O."""

from genrenet.networks.base import GenreNetwork, NetworkError
from genrenet.networks.cnn import CNN
from genrenet.networks.crnn import CRNN
from genrenet.networks.gru import Keras1GRU
from genrenet.networks.musicnn import MusiCNN

NETWORKS: dict[str, type[GenreNetwork]] = {"CNN": CNN, "CRNN": CRNN, "MusiCNN": MusiCNN}
"""Networks a checkpoint may name. Only these are ever built from a file."""

__all__ = ["CNN", "CRNN", "NETWORKS", "GenreNetwork", "Keras1GRU", "MusiCNN", "NetworkError"]
