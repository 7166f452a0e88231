"""A model's output for noise, to detect that a third-party class has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from genrenet.models.description import CheckpointMismatchError
from genrenet.models.registry import is_others

TOLERANCE = 0.02
"""Accepted difference of logits between devices and versions, as a share of the largest."""


def response(model: Any) -> list[float]:
    """Return the logits of one frame of noise, in eval mode and full precision.

    Parameters
    ----------
    model : GenreModel
        On any device; its modes, gradients and random numbers stay as they are.
    """
    noise = torch.randn(1, model.frames.n_samples, generator=torch.Generator().manual_seed(0))
    modes = {module: module.training for module in model.modules()}
    device = model.device
    model.eval()
    try:
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            return [float(value) for value in model(0.1 * noise.to(device))[0].float()]
    finally:
        for module, mode in modes.items():
            module.training = mode


def check_response(
    found: Sequence[float], wanted: Sequence[float], name: str, description: Mapping[str, Any]
) -> None:
    """Raise an error for a model whose `response` differs from that of its checkpoint.

    Raises
    ------
    CheckpointMismatchError
        They differ by more than `TOLERANCE`.
    """
    ours, theirs = torch.tensor(found), torch.tensor(wanted)
    most = TOLERANCE * max(1.0, float(theirs.abs().max()))
    if ours.shape == theirs.shape and bool(((ours - theirs).abs() <= most).all()):
        return
    parts = filter(is_others, (description["network"], description["frontend"]))
    classes = [part.get("class_path") or part["name"] for part in parts]
    raise CheckpointMismatchError(
        f"'{name}' was trained with another version of {' or '.join(classes)}",
        found=f"logits {[round(value, 3) for value in found]} of a test signal",
        wanted=f"{[round(value, 3) for value in wanted]}",
        remedy="use the code that it was trained with",
    )
