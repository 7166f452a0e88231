"""Checkpoints: files of this package, published weights, and those shipped with it."""

from genrenet.checkpoints.files import (
    CheckpointError,
    export_checkpoint,
    open_checkpoint,
    read_checkpoint,
)
from genrenet.description import CheckpointMismatchError

load_checkpoint = open_checkpoint

__all__ = [
    "CheckpointError",
    "CheckpointMismatchError",
    "export_checkpoint",
    "load_checkpoint",
    "read_checkpoint",
]
