"""Output activations and losses of classifiers."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

Activation = Literal["softmax", "normalised-sigmoid", "sigmoid"]
"""Activation that turns logits into scores; see `log_scores`."""


def log_scores(logits: Tensor, activation: Activation) -> Tensor:
    """Return the logarithms of the scores.

    Parameters
    ----------
    logits : Tensor, shape (batch, labels)
    activation : {"softmax", "normalised-sigmoid", "sigmoid"}
        ``normalised-sigmoid`` divides each sigmoid by the sum of all, as Keras' categorical
        cross-entropy does with a sigmoid output layer. ``sigmoid`` is for tags, of which several
        may be true at once: its scores do not sum to one.

    Returns
    -------
    Tensor, shape (batch, labels)
    """
    if activation == "sigmoid":
        return F.logsigmoid(logits)
    return F.log_softmax(logits if activation == "softmax" else F.logsigmoid(logits), dim=-1)


def frame_losses(logits: Tensor, target: Tensor, activation: Activation) -> Tensor:
    """Return the cross-entropy of every frame.

    Parameters
    ----------
    logits : Tensor, shape (batch, labels)
    target : Tensor, shape (batch, labels)
        Target probabilities in [0, 1]; rows that sum to one, except with ``sigmoid``.
    activation : {"softmax", "normalised-sigmoid", "sigmoid"}
        See `log_scores`. With ``sigmoid`` every label is a binary decision of its own, and the
        losses of all labels are summed.

    Returns
    -------
    Tensor, shape (batch,)
    """
    losses = -(target * log_scores(logits, activation)).sum(dim=-1)
    if activation == "sigmoid":
        losses = losses - ((1 - target) * F.logsigmoid(-logits)).sum(dim=-1)
    return losses
