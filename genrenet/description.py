"""What a checkpoint says of itself: all that inference needs besides the weights."""

from __future__ import annotations

import contextlib
import inspect
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from genrenet.errors import GenrenetError
from genrenet.frames import FrameSettings
from genrenet.frontend import LogMel
from genrenet.networks import NETWORKS, GenreNetwork
from genrenet.version import __version__

FORMAT = 1
"""Version of the description."""

MUST_AGREE = ("labels", "network", "frontend", "frames", "output")
"""Parts of the description that weights cannot be used without."""


class CheckpointMismatchError(GenrenetError):
    """A checkpoint made with other settings than the model that loads it."""


def describe(
    *,
    labels: Sequence[str],
    network: GenreNetwork,
    frontend: LogMel,
    frames: FrameSettings,
    output: str,
    decision: str,
    provenance: Mapping[str, Any],
) -> dict[str, Any]:
    """Description of a classifier.

    Parameters
    ----------
    labels, network, frontend, frames, output, decision
        As `genrenet.classifier.GenreClassifier` has them.
    provenance : mapping
        Where the weights come from: ``dataset``, ``split``, ``metrics``, ``backbone``, ``source``.

    Returns
    -------
    dict
    """
    return {
        "format": FORMAT,
        "labels": list(labels),
        "network": {"name": type(network).__name__, "settings": network.settings},
        "frontend": frontend.settings,
        "frames": frames.as_dict(),
        "output": output,
        "decision": decision,
        **provenance,
        "versions": {
            "genrenet": __version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
    }


def compare(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Check that a checkpoint's description agrees with a model's.

    Settings of the front end or the network that one of them does not name, because it is older
    than they are, have their defaults.

    Raises
    ------
    CheckpointMismatchError
        Naming the first setting that differs.
    """
    for key in MUST_AGREE:
        ours, theirs = wanted[key], found.get(key)
        if theirs != ours and _complete(key, theirs) != _complete(key, ours):
            raise CheckpointMismatchError(
                f"the checkpoint and the model differ in {key}",
                found=f"{theirs} in the checkpoint",
                wanted=f"{ours}",
                remedy="use the configuration the checkpoint was trained with",
            )


def _complete(key: str, part: Any) -> Any:
    """A part of a description with the defaults of what it does not name; as it is if damaged."""
    with contextlib.suppress(GenrenetError, KeyError, TypeError):
        if key == "frontend":
            return LogMel.from_settings(part).settings
        if key == "frames":
            return FrameSettings.from_dict(part).as_dict()
        if key == "network":
            parameters = inspect.signature(NETWORKS[part["name"]]).parameters.values()
            defaults = {p.name: _plain(p.default) for p in parameters if p.default is not p.empty}
            return {**part, "settings": {**defaults, **part["settings"]}}
    return part


def _plain(value: Any) -> Any:
    """Tuples as lists, as descriptions have them."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
