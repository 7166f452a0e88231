"""The description in a checkpoint: all that inference needs besides the weights."""

from __future__ import annotations

import contextlib
import inspect
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from genrenet.data.frames import FrameSettings
from genrenet.models.checkpoints.header import FORMAT
from genrenet.models.frontend import FrontEnd, LogMel
from genrenet.models.networks import GenreNetwork
from genrenet.models.registry import class_of, is_others, rebuild, reference
from genrenet.utils.errors import GenrenetError
from genrenet.version import __version__

MUST_AGREE = ("labels", "network", "frontend", "frames", "output")
"""Parts of the description that are required to use the weights."""


RENAMED = {"n_columns": "n_stft_frames"}
"""Former names of network settings, and their present names."""


class CheckpointMismatchError(GenrenetError):
    """A checkpoint made with other settings than the model that loads it."""


def describe(
    *,
    labels: Sequence[str],
    network: GenreNetwork,
    frontend: FrontEnd,
    frames: FrameSettings,
    activation: str,
    aggregation: str,
    provenance: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the description of a classifier.

    Parameters
    ----------
    labels, network, frontend, frames, activation, decision
        As `genrenet.models.model.GenreModel` has them.
    provenance : mapping
        Where the weights come from: ``dataset``, ``split``, ``metrics``, ``backbone``, ``source``.

    Returns
    -------
    dict
    """
    return {
        "format": FORMAT,
        "labels": list(labels),
        "network": network_part(network),
        "frontend": frontend_part(frontend),
        "frames": frames.as_dict(),
        "output": activation,
        "decision": aggregation,
        **provenance,
        "versions": {
            "genrenet": __version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
    }


def network_part(network: GenreNetwork) -> dict[str, Any]:
    """Return the description of a network.

    Raises
    ------
    RebuildError
        A network of a third-party class that cannot be stored; see
        `genrenet.models.registry.reference`.
    """
    return reference(network.owner, "register_networks", skip=1)


def frontend_part(frontend: FrontEnd) -> dict[str, Any]:
    """Return the description of a front end: only the settings if it is a `LogMel`.

    Raises
    ------
    RebuildError
        As for `network_part`.
    """
    part = reference(frontend.owner, "register_frontends")
    # The first checkpoints had only this front end, and did not name it.
    return frontend.settings if type(frontend) is LogMel else part


def build_network(
    part: Mapping[str, Any], n_labels: int, name: str, trust: Sequence[str] = ()
) -> nn.Module:
    """Build the network that a description names.

    Parameters
    ----------
    part : mapping
        See `network_part`.
    n_labels : int > 0
    name : str
        The checkpoint's name, for errors.
    trust : sequence of str
        See `genrenet.models.registry.trusted`.

    Raises
    ------
    RebuildError
        See `genrenet.models.registry.class_of` and `genrenet.models.registry.rebuild`.
    """
    kind = class_of(part, "register_networks", GenreNetwork, name, trust)
    if is_others(part):
        network: nn.Module = rebuild(kind, _named(kind, part["settings"]), name, n_labels)
        return network
    trusting = {"trust": trust} if "trust" in inspect.signature(kind).parameters else {}
    network = kind(n_labels, **_named(kind, part["settings"]), **trusting)
    return network


def build_frontend(
    part: Mapping[str, Any], name: str, trust: Sequence[str] = (), *, quick: bool = False
) -> nn.Module:
    """Build the front end that a description names; see `build_network`.

    Parameters
    ----------
    quick : bool
        Compute the mel power of a `LogMel` with fixed bases by FFT, which gives the same values and
        needs no other package, whatever backend it was trained with.
    """
    if "settings" not in part:
        learnt = part.get("trainable_stft") or part.get("trainable_mel")
        return LogMel.from_settings({**part, "backend": "fft"} if quick and not learnt else part)
    kind = class_of(part, "register_frontends", FrontEnd, name, trust)
    frontend: nn.Module = rebuild(kind, part["settings"], name)
    return frontend


def compare(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Check that a checkpoint's description agrees with a model's.

    Settings of the front end or the network that one of them lacks, because it is older than these
    settings, have their defaults.

    Raises
    ------
    CheckpointMismatchError
        The message names the first setting that differs.
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
    """Return a part of a description completed with defaults; unchanged if it is damaged."""
    with contextlib.suppress(GenrenetError, AttributeError, KeyError, TypeError):
        if is_others(part):
            return {**part, "plugin": bool(part.get("plugin"))}  # whatever its version
        if key == "frontend":
            return LogMel.from_settings(part).settings
        if key == "frames":
            return FrameSettings.from_dict(part).as_dict()
        if key == "network":
            kind = class_of(part, "register_networks", GenreNetwork, "")
            parameters = inspect.signature(kind).parameters.values()
            defaults = {p.name: _plain(p.default) for p in parameters if p.default is not p.empty}
            return {**part, "settings": {**defaults, **_named(kind, part["settings"])}}
    return part


def _named(kind: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a network's stored settings under the present names of its class."""
    known = inspect.signature(kind).parameters
    return {
        key if key in known else RENAMED.get(key, key): value for key, value in settings.items()
    }


def _plain(value: Any) -> Any:
    """Return tuples as lists, as they are stored in descriptions."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
