"""Build models from published weights: networks, front ends and frames as in their training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from torch import Tensor

from genrenet.data.frames import Fill, FrameSettings
from genrenet.models.checkpoints.audioset import audioset_classes, audioset_genres
from genrenet.models.checkpoints.convert.efficientat import convert_efficientat
from genrenet.models.checkpoints.convert.keras import convert_keras_tagger
from genrenet.models.checkpoints.convert.musicnn import convert_musicnn
from genrenet.models.description import CheckpointMismatchError
from genrenet.models.frontend import LogMel
from genrenet.models.model import GenreModel
from genrenet.models.networks import GenreNetwork, MobileNetV3, MusiCNN
from genrenet.models.outputs import Activation
from genrenet.utils.errors import printable


def keras_tagger(
    path: Path,
    *,
    network: Callable[[int], GenreNetwork],
    labels: Sequence[str],
    activation: Activation = "sigmoid",
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
    activation : {"softmax", "normalised-sigmoid", "sigmoid"}
    flipped, spread
        See `genrenet.models.checkpoints.convert.keras.convert_keras_tagger`.
    fill : {"zeros", "repeat"}
        How the frame of a shorter song is padded.
    """
    state = convert_keras_tagger(path, flipped=flipped, spread=spread)
    frames = FrameSettings(29.12, trim=20.0, sample_rate=12_000, fill=fill)
    return _model(path, state, network, labels, activation, frames)


def musicnn_tagger(path: Path, *, model: str, labels: Sequence[str]) -> GenreModel:
    """Convert a tagger of Pons and Serra, for frames of 2.976 s.

    Parameters
    ----------
    path : Path
        The wheel that holds it.
    model : str
        Folder of the model in the wheel.
    labels : sequence of str
    """
    state = convert_musicnn(path, model=model)
    frames = FrameSettings(2.976, trim=0.0, sample_rate=16_000, fill="zeros")
    return _model(path, state, MusiCNN, labels, "sigmoid", frames)


def efficientat_tagger(path: Path, *, width: float, genres: bool = False) -> GenreModel:
    """Convert a tagger of Schmid et al., for frames of 10 s.

    Parameters
    ----------
    path : Path
        Weights that PyTorch wrote.
    width : float > 0
        Of the network.
    genres : bool
        Keep only the music genres among the classes.
    """
    state, labels, hierarchy = convert_efficientat(path), audioset_classes(), audioset_genres()
    if genres:
        rows, labels = [labels.index(name) for name in hierarchy], tuple(hierarchy)
        state |= {key: state[key][rows] for key in ("head.weight", "head.bias") if key in state}
    # Accuracy on 108 excerpts of 2-3 s: 0.54 with repetition, 0.48 with zero padding.
    frames = FrameSettings(10.0, trim=0.0, sample_rate=32_000, fill="repeat")
    model = _model(path, state, partial(MobileNetV3, width=width), labels, "sigmoid", frames)
    if genres:
        model.provenance["hierarchy"] = {name: above for name, above in hierarchy.items() if above}
    return model


def _model(
    path: Path,
    state: dict[str, Tensor],
    network: Callable[[int], GenreNetwork],
    labels: Sequence[str],
    activation: Activation,
    frames: FrameSettings,
) -> GenreModel:
    model = GenreModel(labels, network=network, activation=activation)
    if type(model.frontend) is LogMel:
        # All were trained on recordings at their original level.
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
