"""Weights of the published networks of EfficientAT, from their ``state_dict`` files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genrenet.utils.errors import GenrenetError, printable

RENAMED = (
    (".conc_se_layers.0.", "."),
    ("features.0.", "stem."),
    ("features.16.", "top."),
    ("classifier.2.", "dense.0."),
    ("classifier.5.", "head."),
)


class EfficientATError(GenrenetError):
    """A file that is not the weights of a network of EfficientAT."""


def convert_efficientat(path: Path) -> dict[str, Tensor]:
    """Return the state of a `genrenet.models.networks.MobileNetV3` from a published file.

    Parameters
    ----------
    path : Path
        A ``.pt`` file, which is read without running code in it.

    Returns
    -------
    dict of str to Tensor
        For ``load_state_dict`` of the network.

    Raises
    ------
    EfficientATError
        Not such a file, or a damaged one.
    """
    wanted = "a state_dict such as mn04_as_mAP_432.pt"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's warnings about files that it then rejects
            state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch's reader raises many types of errors for invalid bytes
        reason = str(error).strip().splitlines()
        raise EfficientATError(
            f"'{printable(path)}' cannot be read safely",
            found=reason[0] if reason else type(error).__name__,
            wanted=wanted,
            remedy="download the file again",
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise EfficientATError(
            f"'{printable(path)}' holds something else than weights",
            found=f"entries {sorted(map(str, state))[:5]}" if isinstance(state, dict) else "none",
            wanted=wanted,
        )
    return {_renamed(str(key)): value for key, value in state.items()}


def _renamed(key: str) -> str:
    for theirs, ours in RENAMED:
        key = key.replace(theirs, ours)
    kind, _, rest = key.partition(".")
    if kind != "features":
        return key
    number, _, name = rest.partition(".")  # the stem is the first of them
    return f"blocks.{int(number) - 1}.{name}" if number.isdigit() else key
