"""Open and export checkpoints; complete partial ones with weights of their backbone.

A checkpoint whose description has an entry ``backbone`` (``name`` and ``sha256`` of a published
model, or a list of those, each with the ``prefix`` of its weights) may hold only the weights that
were trained on top of that model. The missing weights are taken from the user's own import of the
backbone, so that weights of others need not be redistributed. The head is always the checkpoint's
own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genrenet.models.adapters import adapted_model, is_reference
from genrenet.models.checkpoints.files import (
    CheckpointError,
    build_model,
    load_weights,
    read_checkpoint,
    write_entries,
)
from genrenet.models.checkpoints.finding import find_checkpoint
from genrenet.models.checkpoints.header import HEAD, backbones
from genrenet.models.checkpoints.imported import import_checkpoint
from genrenet.models.checkpoints.registry import published_models
from genrenet.models.description import CheckpointMismatchError
from genrenet.models.model import GenreModel
from genrenet.utils.errors import GenrenetError, printable

TRUNK = "network."
"""Prefix of the names of a network's weights."""


def open_checkpoint(
    path: str | os.PathLike[str], trust: Sequence[str] = (), *, quick: bool = False
) -> GenreModel:
    """Return the classifier of a checkpoint, in eval mode on the CPU.

    Parameters
    ----------
    path : path
        A ``.ckpt`` file.
    trust : sequence of str
        Packages whose classes may be imported and built because the file names them; see
        `genrenet.models.registry.trusted`.
    quick : bool
        See `genrenet.models.description.build_frontend`: for inference, not for training.

    Returns
    -------
    GenreModel
        With ``labels``, ``frames``, ``scores`` and ``scores_of_logmel``.

    Raises
    ------
    CheckpointError
        See `read_checkpoint`; also an unknown network, settings no network can be built from, or a
        backbone that cannot be fetched.
    CheckpointMismatchError
        The weights do not fit the settings that the checkpoint names, or the backbone is another.
    """
    entries, name = read_checkpoint(path), printable(path)
    model = build_model(entries, name, trust, quick=quick)
    return load_weights(model, _complete(entries, model, name), name)


def load_model(
    name_or_path: str | os.PathLike[str], trust: Sequence[str] = (), *, quick: bool = False
) -> GenreModel:
    """Return the classifier of a checkpoint, in eval mode on the CPU.

    Parameters
    ----------
    name_or_path : str or path
        A ``.ckpt`` file, or the name of a shipped checkpoint or of a published model (see
        ``genrenet checkpoints list``). A published model is downloaded on first use from its
        authors' address, and stored in the user's cache. Or a model that an adapter opens, such as
        ``onnx:FILE`` and ``hf:ORG/NAME``; see `genrenet.models.adapters`.
    trust : sequence of str
        Packages whose networks and front ends may be imported and built because the file names
        them. Classes of genrenet, its plugins, the environment variable ``GENRENET_TRUST`` and
        modules that the program itself has imported are always built. For a reference such as
        ``hf:ORG/NAME``, the code that comes with its weights is trusted.
    quick : bool
        See `open_checkpoint`.

    Returns
    -------
    GenreModel
        With ``labels``, ``frames``, ``scores`` and ``scores_of_logmel``.

    Raises
    ------
    CheckpointError
        No such file or name, or a file that cannot be used; see `open_checkpoint`.
    CheckpointMismatchError
        The weights do not fit the settings that the checkpoint names.
    FetchError, CacheError
        A published model cannot be downloaded or stored; see `import_checkpoint`.

    Examples
    --------
    >>> model = load_model("emotify-cnn")
    >>> model.scores(torch.zeros(1, model.frames.n_samples)).shape
    torch.Size([1, 4])
    >>> model = load_model("runs/cnn/version_0/checkpoints/best.ckpt")  # doctest: +SKIP
    """
    if is_reference(name_or_path):
        return adapted_model(os.fspath(name_or_path), trust)
    return open_checkpoint(find_checkpoint(name_or_path), trust, quick=quick)


def missing_weights(entries: dict[str, Any], model: GenreModel) -> list[str]:
    """Return the names of a model's weights that its checkpoint takes from its backbone."""
    if "backbone" not in entries["genrenet"]:
        return []
    state = entries["state_dict"]
    return [key for key in model.state_dict() if key not in state and not key.startswith(HEAD)]


def _complete(entries: dict[str, Any], model: GenreModel, name: str) -> dict[str, Tensor]:
    """Return a checkpoint's weights, with missing ones taken from the backbone that it names."""
    state: dict[str, Tensor] = entries["state_dict"]
    missing = missing_weights(entries, model)
    if not missing:
        return state
    backbone = _backbone(entries, name, "cannot be completed")
    return {**{key: backbone[key] for key in missing if key in backbone}, **state}


def _backbone(entries: dict[str, Any], name: str, failure: str) -> dict[str, Tensor]:
    """Return the weights of the backbone that a checkpoint names, without its head."""
    found: dict[str, Tensor] = {}
    for reference in backbones(entries, name):
        prefix, state = reference.get("prefix", TRUNK), _published(reference, name, failure)
        found |= {prefix + key.removeprefix(TRUNK): value for key, value in state.items()}
    return found


def _published(reference: dict[str, Any], name: str, failure: str) -> dict[str, Tensor]:
    """Return the weights of one backbone, without its head."""
    if str(reference["name"]) not in published_models():
        raise CheckpointError(
            f"'{name}' {failure}: its backbone is a file, not a published model",
            found=printable(str(reference["name"])),
            wanted=f"one of {', '.join(published_models())}",
            remedy="use the whole checkpoint, as training wrote it",
        )
    try:
        backbone = read_checkpoint(import_checkpoint(str(reference["name"])))
    except GenrenetError as error:
        raise CheckpointError(
            f"'{name}' {failure}: it was trained on top of the published model "
            f"'{reference['name']}', which cannot be opened: {error}"
        ) from error
    found = backbone["genrenet"]["source"]["sha256"]
    if found != reference["sha256"]:
        raise CheckpointMismatchError(
            f"'{name}' was trained on another file of '{reference['name']}'",
            found=f"an import of the file with SHA-256 {found}",
            wanted=f"SHA-256 {reference['sha256']}",
            remedy=f"run 'genrenet checkpoints import {reference['name']} --from FILE' with the "
            "file of that checksum",
        )
    state = backbone["state_dict"].items()
    return {key: value for key, value in state if not key.startswith(HEAD)}


def export_checkpoint(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    without_backbone: bool = False,
) -> Path:
    """Write a small checkpoint for inference: the description and the weights, nothing else.

    Parameters
    ----------
    source : str or path
        A checkpoint; see `find_checkpoint`.
    target : path
        The file to write.
    without_backbone : bool
        Leave out every weight that equals the backbone's bit by bit. Otherwise the new checkpoint
        is complete, even where ``source`` is not.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    CheckpointError
        See `open_checkpoint`; also no backbone to leave out, or a file that cannot be written.
    """
    path = find_checkpoint(source)
    entries, name = read_checkpoint(path), printable(path)
    if without_backbone:
        if "backbone" not in entries["genrenet"]:
            raise CheckpointError(
                f"'{name}' cannot be exported without its backbone",
                found="a description without an entry 'backbone'",
                wanted="a model that was trained on top of a published one",
            )
        backbone = _backbone(entries, name, "cannot be exported without its backbone")
        state = {
            key: value
            for key, value in entries["state_dict"].items()
            if key not in backbone or not _identical(value, backbone[key])
        }
    else:
        state = _complete(entries, build_model(entries, name), name)
    return write_entries({"genrenet": entries["genrenet"], "state_dict": state}, target)


def _identical(one: Tensor, other: Tensor) -> bool:
    """Return whether two tensors agree in type and in every bit, the sign of a zero included."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    plain = [tensor.contiguous().flatten().view(torch.uint8) for tensor in (one, other)]
    return torch.equal(*plain)
