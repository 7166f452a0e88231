"""Weights of the published MusiCNN models, from the wheel of the package ``musicnn``."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from genrenet.models.checkpoints.convert.tensorbundle import TensorBundleError, read_tensor_bundle
from genrenet.utils.errors import printable

FILTERS = 5
MID = 3


def convert_musicnn(path: Path, *, model: str) -> dict[str, Tensor]:
    """Return the state of a `genrenet.models.networks.MusiCNN` from the published wheel.

    Parameters
    ----------
    path : Path
        The wheel of ``musicnn`` 0.1.0.
    model : str
        Folder of the model in it: ``MSD_musicnn`` or ``MTT_musicnn``.

    Returns
    -------
    dict of str to Tensor
        For ``load_state_dict`` of the network.

    Raises
    ------
    TensorBundleError
        Not a wheel, a damaged one, or one without that model.
    """
    folder = f"musicnn/{model}"
    try:
        with zipfile.ZipFile(path) as wheel:
            index = wheel.read(f"{folder}/.index")
            data = wheel.read(f"{folder}/.data-00000-of-00001")
    except (OSError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise TensorBundleError(
            f"'{printable(path)}' does not hold '{folder}'",
            found=str(error),
            wanted="the wheel musicnn-0.1.0-py3-none-any.whl",
            remedy="download the file again",
        ) from error
    variables = read_tensor_bundle(index, data)
    try:
        return _state(variables)
    except KeyError as error:
        raise TensorBundleError(
            f"the model in '{printable(path)}' lacks a variable",
            found=f"{len(variables)} others",
            wanted=f"{error}",
        ) from error


def _state(variables: dict[str, NDArray]) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}

    def put(name: str, array: NDArray[Any]) -> None:
        state[name] = torch.from_numpy(array.copy(order="C"))

    def numbered(kind: str, number: int) -> str:
        return f"{kind}_{number}" if number else kind

    def norm(number: int, name: str) -> None:
        source = numbered("batch_normalization", number)
        put(f"{name}.weight", variables[f"{source}/gamma"])
        put(f"{name}.bias", variables[f"{source}/beta"])
        put(f"{name}.running_mean", variables[f"{source}/moving_mean"])
        put(f"{name}.running_var", variables[f"{source}/moving_variance"])
        state[f"{name}.num_batches_tracked"] = torch.tensor(0)

    norm(0, "input_norm")
    for i in range(FILTERS):  # kernels (time, mel, 1, channels)
        source = numbered("conv2d", i)
        put(f"front.filters.{i}.conv.weight", variables[f"{source}/kernel"].transpose(3, 2, 0, 1))
        put(f"front.filters.{i}.conv.bias", variables[f"{source}/bias"])
        norm(1 + i, f"front.filters.{i}.norm")
    for i in range(MID):  # kernels (time, channels in, 1, channels out)
        source = numbered("conv2d", FILTERS + i)
        put(f"mid.{i}.conv.weight", variables[f"{source}/kernel"][:, :, 0].transpose(2, 1, 0))
        put(f"mid.{i}.conv.bias", variables[f"{source}/bias"])
        norm(1 + FILTERS + i, f"mid.{i}.norm")
    norm(1 + FILTERS + MID, "dense.norm")
    norm(2 + FILTERS + MID, "dense.dense_norm")
    for source, name in (("dense", "dense.dense"), ("dense_1", "head")):
        put(f"{name}.weight", variables[f"{source}/kernel"].T)
        put(f"{name}.bias", variables[f"{source}/bias"])
    return state
