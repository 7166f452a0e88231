"""Read and write checkpoints, without running code in the file.

A checkpoint is a Lightning checkpoint whose entry ``genrenet`` holds everything that inference
needs: see `genrenet.models.model.GenreModel.description`. `write_checkpoint` writes only that, the
weights, and the version without which Lightning loads no weights. Files are read with
``weights_only=True``, and classes are built only if the package or a plugin registers them, or if
the user trusts them: see `genrenet.models.registry`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from genrenet.data.frames import FrameSettings
from genrenet.models.checkpoints.header import WANTED, CheckpointError as CheckpointError, checked
from genrenet.models.description import (
    CheckpointMismatchError as CheckpointMismatchError,
    build_frontend,
    build_network,
)
from genrenet.models.model import GenreModel
from genrenet.models.registry import RebuildError
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import printable
from genrenet.utils.finite import non_finite


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint's entries.

    Parameters
    ----------
    path : path
        A ``.ckpt`` file.

    Returns
    -------
    dict
        ``genrenet`` (the description), ``state_dict`` and, in full ones, the training state.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, another program's, or of a later format.
    """
    name = printable(path)
    if not Path(path).is_file():
        raise CheckpointError(f"no checkpoint '{name}'", wanted=WANTED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's warnings about files that it then rejects
            entries: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"cannot read '{name}'", found=str(error)) from error
    except Exception as error:  # torch's reader raises many types of errors for invalid bytes
        reason = str(error).strip().splitlines()
        raise CheckpointError(
            f"'{name}' is not a checkpoint that can be read safely",
            found=reason[0] if reason else type(error).__name__,
            wanted=WANTED,
        ) from error
    return checked(entries, name)


def build_model(
    entries: dict[str, Any], name: str, trust: Sequence[str] = (), *, quick: bool = False
) -> GenreModel:
    """Return the classifier that a checkpoint describes, with untrained weights.

    Parameters
    ----------
    entries : dict
        See `read_checkpoint`.
    name : str
        The checkpoint's name, for errors.
    trust : sequence of str
        See `genrenet.models.registry.trusted`.
    quick : bool
        See `genrenet.models.description.build_frontend`.

    Returns
    -------
    GenreModel
        Its ``provenance`` holds all entries of the description besides the settings.

    Raises
    ------
    CheckpointError
        An unknown network, a third-party class that is missing or not trusted, or settings that no
        network can be built from.
    """
    description = entries["genrenet"]
    try:
        part = description["network"]
        model = GenreModel(
            description["labels"],
            network=lambda n_labels: build_network(part, n_labels, name, trust),
            frontend=build_frontend(description["frontend"], name, trust, quick=quick),
            activation=description["output"],
            aggregation=description["decision"],
        )
        model.frames = FrameSettings.from_dict(description["frames"])
    except RebuildError as error:
        raise CheckpointError(str(error)) from error
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"the description in '{name}' is damaged", found=repr(error), wanted=WANTED
        ) from error
    settings = {*model.description(), "probe"} - model.provenance.keys()
    model.provenance = {key: description[key] for key in description if key not in settings}
    model.wanted_response = description.get("probe")
    return model


def load_weights(model: GenreModel, state: dict[str, Any], name: str) -> GenreModel:
    """Load a model's weights, and put it in eval mode.

    Parameters
    ----------
    model : GenreModel
    state : dict of str to Tensor
    name : str
        The checkpoint's name, for errors.

    Returns
    -------
    GenreModel
        The same model.

    Raises
    ------
    CheckpointError
        Weights are NaN or infinite.
    CheckpointMismatchError
        The weights do not fit the model.
    """
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        kind = type(model.network.owner).__name__
        raise CheckpointMismatchError(
            f"the weights in '{name}' do not fit the network it names",
            found=" ".join(str(error).split())[:300],
            wanted=f"weights of {kind} with {len(model.labels)} labels",
        ) from error
    if broken := non_finite(state):
        raise CheckpointError(
            f"'{name}' holds weights that are not finite numbers: it cannot name a genre",
            found=f"{len(broken)} tensors, the first {broken[0]}",
            remedy="use an earlier checkpoint of the run, or train again with a lower rate",
        )
    model.check_response_of(name)
    return model.eval()


def write_checkpoint(model: GenreModel, path: str | os.PathLike[str]) -> Path:
    """Write a checkpoint of a classifier with only its description and weights.

    Parameters
    ----------
    model : GenreModel
        Its ``provenance`` goes into the description.
    path : path
        The file to write; it appears only when it is complete.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    CheckpointError
        It cannot be written.
    """
    state = {key: value.detach().cpu() for key, value in model.state_dict().items()}
    return write_entries({"genrenet": model.saved_description(), "state_dict": state}, path)


def write_entries(entries: dict[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write a checkpoint's entries atomically.

    Lightning's version is added, so that its trainer can test and predict with the file.
    """
    path = Path(path)
    entries = {"pytorch-lightning_version": version("pytorch-lightning"), **entries}
    try:
        # torch leaves its file open after an error.
        with replacing(path) as part, open(part, "wb") as file:
            torch.save(entries, file)
    except (OSError, RuntimeError) as error:  # torch's writer raises the latter
        reason = str(error).strip().splitlines()
        raise CheckpointError(
            f"cannot write '{printable(path)}'",
            found=reason[0] if reason else type(error).__name__,
            wanted="a folder that exists, can be written and has free space",
        ) from error
    return path
