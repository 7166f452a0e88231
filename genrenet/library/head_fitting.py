"""Refit a linear head to a few songs, starting from the old head and regularised towards it.

Embeddings are standardised, and the difference from the old head is fitted, with its squared norm
as a penalty. Songs whose predictions are to be kept have the old scores as targets (Z. Li, D.
Hoiem, "Learning without forgetting", ECCV 2016).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from genrenet.models.outputs import Activation, frame_losses, log_scores
from genrenet.utils.hardware import compute_threads

Floats = NDArray[np.float64]
UNHEARD = 7.0
"""Initial distance of a new genre's logit below the others."""

MOST_STEPS = 200


class Head(NamedTuple):
    """A linear layer.

    Attributes
    ----------
    weight : ndarray of float64, shape (labels, features)
    bias : ndarray of float64, shape (labels,)
    """

    weight: Floats
    bias: Floats

    def logits(self, x: ArrayLike) -> Floats:
        """Return the logits of embeddings of shape (songs, features)."""
        found: Floats = np.asarray(x, np.float64) @ self.weight.T + self.bias
        return found

    def scores(self, x: ArrayLike, activation: Activation) -> Floats:
        """Return the scores of embeddings; see `genrenet.models.outputs.log_scores`."""
        found: Floats = log_scores(torch.from_numpy(self.logits(x)), activation).exp().numpy()
        return found

    def widened(self, more: int, x: ArrayLike) -> Head:
        """Return a head with ``more`` outputs that have near-zero scores on songs like ``x``."""
        low = float(self.logits(x).max(axis=1).mean()) - UNHEARD
        weight = np.vstack([self.weight, np.zeros((more, self.weight.shape[1]))])
        return Head(weight, np.concatenate([self.bias, np.full(more, low)]))


def taught_targets(old: Floats, target: ArrayLike, activation: Activation) -> Floats:
    """Return the target scores of songs whose right genres are known.

    Parameters
    ----------
    old : ndarray of float, shape (songs, labels)
        The old scores. If several genres may apply at once (``sigmoid``), they are kept, except for
        the right genre and a wrong first genre.
    target : array_like of int, shape (songs,)
    activation : {"softmax", "normalised-sigmoid", "sigmoid"}
    """
    rows = np.arange(len(old))
    found = old.copy() if activation == "sigmoid" else np.zeros_like(old)
    found[rows, old.argmax(axis=1)] = 0.0
    found[rows, np.asarray(target, np.int64)] = 1.0
    return found


def fit_head(
    old: Head,
    x: ArrayLike,
    targets: ArrayLike,
    weights: ArrayLike,
    activation: Activation,
    *,
    pull: float,
) -> Head:
    """Return a head that fits target scores and is close to the old one.

    Parameters
    ----------
    old : Head
        With all outputs; see `Head.widened`.
    x : array_like of float, shape (songs, features)
        Embeddings.
    targets : array_like of float, shape (songs, labels)
        Scores from 0 to 1.
    weights : array_like of float, shape (songs,)
        Weight of each song.
    activation : {"softmax", "normalised-sigmoid", "sigmoid"}
    pull : float > 0
        Weight of the squared norm of the difference, for each feature. The problem is convex, so
        the result depends on nothing else.
    """
    rows = np.asarray(x, np.float64)
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale > 1e-8, scale, 1.0)
    z = torch.from_numpy((rows - mean) / scale)
    before, goal = torch.from_numpy(old.logits(rows)), torch.from_numpy(np.asarray(targets, float))
    counts = torch.from_numpy(np.asarray(weights, np.float64))
    weight = torch.zeros(old.weight.shape, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(old.bias.shape, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS(
        [weight, bias],
        max_iter=MOST_STEPS,
        tolerance_grad=1e-3,
        tolerance_change=1e-6,
        line_search_fn="strong_wolfe",
    )

    def loss() -> torch.Tensor:
        solver.zero_grad()
        fit = (counts * frame_losses(before + z @ weight.T + bias, goal, activation)).sum()
        whole: torch.Tensor = fit + pull / 2 * (rows.shape[1] * weight.square().sum())
        whole = whole + pull / 2 * bias.square().sum()
        whole.backward()
        return whole

    threads = torch.get_num_threads()
    compute_threads(1)  # for so little work at a time, several threads cost more than they save
    try:
        solver.step(loss)
    finally:
        compute_threads(threads)
    step = weight.detach().numpy() / scale
    return Head(old.weight + step, old.bias + bias.detach().numpy() - step @ mean)
