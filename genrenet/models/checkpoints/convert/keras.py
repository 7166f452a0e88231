"""Weights of the published Keras-1 taggers, from their HDF5 files.

Conventions of these files, each checked against published scores
-----------------------------------------------------------------
* ``running_std`` of the batch-norms holds *variances* in the CRNN's files (epsilon 1e-3) and
  *standard deviations* in the CNN's, which was written by an older Keras.
* Files written under TensorFlow hold kernels for cross-correlation, as torch does; those written
  under Theano hold kernels for convolution: they are flipped in both spatial axes.
* Names may end in ``:0`` or ``_1:0``; the group of a weight names its layer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.extras import needed_by

EPS = 1e-3
State = dict[str, Tensor]
Arrays = dict[str, dict[str, NDArray[np.float32]]]


class KerasWeightsError(GenrenetError):
    """A file that does not hold the weights it should."""


def read_keras_weights(path: Path) -> Arrays:
    """Return the weights of a Keras-1 HDF5 file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to (dict of str to ndarray)
        By layer, then by the weight's name without the layer's (``W``, ``b``, ``gamma``, ``U_z``).

    Raises
    ------
    KerasWeightsError
        Not an HDF5 file, a damaged one, or one without Keras' attributes.
    """
    with needed_by(f"'{printable(path)}'"):
        import h5py  # loads a large library that nothing else needs

    wanted = "an HDF5 file of weights written by Keras 1"
    layers: Arrays = {}
    try:
        with h5py.File(path, "r") as file:
            if "layer_names" not in file.attrs:
                raise KerasWeightsError(
                    f"'{printable(path)}' is another program's HDF5 file",
                    found=f"entries {sorted(file)[:8]}",
                    wanted=wanted,
                )
            for layer in map(_text, file.attrs["layer_names"]):
                names = list(map(_text, file[layer].attrs["weight_names"]))
                layers[layer] = {
                    _plain(name, layer): np.asarray(file[layer][name], np.float32) for name in names
                }
    except (OSError, KeyError, RuntimeError, ValueError, AttributeError) as error:
        raise KerasWeightsError(
            f"'{printable(path)}' cannot be read as HDF5",
            found=f"{path.stat().st_size if path.exists() else 0} bytes; {error}",
            wanted=wanted,
            remedy="download the file again: it is cut off, damaged or of another format",
        ) from error
    return {layer: weights for layer, weights in layers.items() if weights}


def _text(name: str | bytes) -> str:
    """Return a name as str; HDF5 has two types of text."""
    return name.decode() if isinstance(name, bytes) else str(name)


def _plain(name: str, layer: str) -> str:
    """Return a weight's name without its layer: ``gru1_U_z_1:0`` of ``gru1`` becomes ``U_z``."""
    return name.removesuffix(":0").removesuffix("_1").removeprefix(f"{layer}_")


def _tensor(array: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.array(array, order="C"))


def _batch_norm(weights: dict[str, NDArray[np.float32]], spread: str) -> State:
    scale, variance = weights["gamma"], weights["running_std"]
    if spread == "standard deviation":
        # Used as divisors as they are, without an epsilon: the weight compensates for ours.
        deviation, variance = variance, np.square(variance)
        scale = scale * (np.sqrt(variance + np.float32(EPS)) / deviation)
    return {
        "weight": _tensor(scale),
        "bias": _tensor(weights["beta"]),
        "running_mean": _tensor(weights["running_mean"]),
        "running_var": _tensor(variance),
        "num_batches_tracked": torch.tensor(0),
    }


def _gru(weights: dict[str, NDArray[np.float32]], layer: int) -> State:
    def joined(kind: str) -> Tensor:
        return _tensor(np.concatenate([weights[f"{kind}_{gate}"] for gate in "zrh"], axis=-1))

    return {
        f"gru.input_weights.{layer}": joined("W"),
        f"gru.state_weights.{layer}": joined("U"),
        f"gru.biases.{layer}": joined("b"),
    }


def convert_keras_tagger(
    path: Path,
    *,
    flipped: bool,
    spread: Literal["variance", "standard deviation"],
) -> State:
    """Return the state of a `CNN` or `CRNN` from a published file.

    Parameters
    ----------
    path : Path
        The HDF5 file.
    flipped : bool
        Whether the kernels are Theano's.
    spread : {"variance", "standard deviation"}
        What the values named ``running_std`` in the file are.

    Returns
    -------
    dict of str to Tensor
        For ``load_state_dict`` of the network.

    Raises
    ------
    KerasWeightsError
        See `read_keras_weights`; also a file without one of the layers.
    """
    layers = read_keras_weights(path)
    state: State = {}
    try:
        for key, value in _batch_norm(layers["bn_0_freq"], spread).items():
            state[f"input_norm.{key}"] = value
        for number in range(1, 1 + sum(name.startswith("conv") for name in layers)):
            kernel = layers[f"conv{number}"]["W"]
            stage = f"convolutions.{number - 1}"
            state[f"{stage}.0.weight"] = _tensor(kernel[..., ::-1, ::-1] if flipped else kernel)
            state[f"{stage}.0.bias"] = _tensor(layers[f"conv{number}"]["b"])
            for key, value in _batch_norm(layers[f"bn{number}"], spread).items():
                state[f"{stage}.1.{key}"] = value
        for number in range(sum(name.startswith("gru") for name in layers)):
            state.update(_gru(layers[f"gru{number + 1}"], number))
        head = layers["preds"] if "preds" in layers else layers["output"]
        state["head.weight"], state["head.bias"] = _tensor(head["W"].T), _tensor(head["b"])
    except KeyError as error:
        raise KerasWeightsError(
            f"'{printable(path)}' lacks a layer of the tagger",
            found=f"layers {sorted(layers)}",
            wanted=f"one with {error}",
        ) from error
    return state
