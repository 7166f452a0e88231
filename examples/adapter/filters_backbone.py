"""The backbone that ``filters:FILE`` opens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genrenet.models.adapters import Backbone


class Filters(Backbone):
    """From samples to one layer: the rectified outputs of filters, averaged over time.

    Parameters
    ----------
    weights : Tensor of float32, shape (filters, 1, taps)
    """

    sample_rate, frame_seconds, layer_names = 8000, 1.0, ("filters",)

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)
        self.size = len(weights)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return layers (batch, 1, filters), and no logits: it is an encoder.

        Parameters
        ----------
        x : Tensor of float32, shape (batch, 1, samples)
        """
        found = nn.functional.conv1d(x, self.weights, stride=80).relu()
        return found.mean(dim=-1)[:, None], None


def open_filters(name: str, trust: bool) -> Filters:
    """Open the weights that `torch.save` wrote.

    Parameters
    ----------
    name : str
        What stands behind the scheme: a file.
    trust : bool
        Whether code that comes with the weights may be run; there is none here.
    """
    return Filters(torch.load(name, map_location="cpu", weights_only=True))
