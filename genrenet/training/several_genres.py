"""Training with several genres per song: the output layer, and the loss."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from genrenet.models.outputs import Activation
from genrenet.models.plain import ModelError


class SeveralGenresError(ModelError):
    """An output layer for one genre per song, used for songs with several."""


def output_for_several(activation: Activation) -> Activation:
    """Return the output layer that replaces the requested one: always ``sigmoid``.

    Raises
    ------
    SeveralGenresError
        ``normalised-sigmoid``, which is never a default and so is not replaced silently.
    """
    if activation == "normalised-sigmoid":
        raise SeveralGenresError(
            "activation",
            found=f"{activation}, and songs with several genres",
            wanted="sigmoid",
            remedy="leave out --model.activation",
        )
    return "sigmoid"


def several_losses(logits: Tensor, target: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Return the sum over labels of each frame's binary cross-entropies, shape (batch,).

    Parameters
    ----------
    logits, target : Tensor, shape (batch, labels)
        Targets in [0, 1].
    weights : Tensor, shape (labels,)
    smoothing : float in [0, 1)
        Share of the target that is spread over yes and no.
    """
    smoothed = (1 - smoothing) * target + smoothing / 2
    each = F.binary_cross_entropy_with_logits(logits, smoothed, weight=weights, reduction="none")
    return each.sum(dim=-1)
