"""From published weights to models: networks, front ends and frames as they were trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from torch import Tensor

from genrenet.data.frames import Fill, FrameSettings
from genrenet.models.checkpoints.convert.keras import convert_keras_tagger
from genrenet.models.checkpoints.convert.musicnn import convert_musicnn
from genrenet.models.description import CheckpointMismatchError
from genrenet.models.frontend import LogMel
from genrenet.models.model import GenreModel
from genrenet.models.networks import GenreNetwork, MusiCNN
from genrenet.models.outputs import Output
from genrenet.utils.errors import printable


def keras_tagger(
    path: Path,
    *,
    network: Callable[[int], GenreNetwork],
    labels: Sequence[str],
    output: Output = "sigmoid",
    flipped: bool = False,
    spread: Literal["variance", "standard deviation"] = "variance",
    fill: Fill = "zeros",
) -> GenreModel:
    """Convert a tagger of Choi et al., for frames of 29.12 s.

    Parameters
    ----------
    path : Path
        Weights that Keras wrote.
    network : callable
        Makes the network from the number of labels.
    labels : sequence of str
    output : {"softmax", "normalised-sigmoid", "sigmoid"}
    flipped, spread
        See `genrenet.models.checkpoints.convert.keras.convert_keras_tagger`.
    fill : {"zeros", "repeat"}
        What fills the frame of a shorter song.
    """
    state = convert_keras_tagger(path, flipped=flipped, spread=spread)
    frames = FrameSettings(29.12, trim=20.0, sample_rate=12_000, fill=fill)
    return _model(path, state, network, labels, output, frames)


def musicnn_tagger(path: Path, *, model: str, labels: Sequence[str]) -> GenreModel:
    """Convert a tagger of Pons and Serra, for frames of 2.976 s.

    Parameters
    ----------
    path : Path
        The wheel that holds it.
    model : str
        Its folder in there.
    labels : sequence of str
    """
    state = convert_musicnn(path, model=model)
    frames = FrameSettings(2.976, trim=0.0, sample_rate=16_000, fill="zeros")
    return _model(path, state, MusiCNN, labels, "sigmoid", frames)


def _model(
    path: Path,
    state: dict[str, Tensor],
    network: Callable[[int], GenreNetwork],
    labels: Sequence[str],
    output: Output,
    frames: FrameSettings,
) -> GenreModel:
    model = GenreModel(labels, network=network, output=output)
    # All were trained on recordings at the level that they have.
    model.frontend = LogMel(**{**model.network.frontend, "level": "keep"})
    try:
        model.network.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointMismatchError(
            f"the weights in '{printable(path)}' are another network's",
            found=" ".join(str(error).split())[:300],
            wanted=f"weights of {type(model.network).__name__} with {len(labels)} labels",
        ) from error
    model.frames = frames
    return model.eval()
