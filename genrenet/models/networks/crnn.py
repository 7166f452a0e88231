"""The CRNN: four convolutions reduce the frame to fifteen steps for two GRU layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from genrenet.models.networks.base import GenreNetwork, NetworkError, Pools, TimeNorm, conv_stages
from genrenet.models.networks.gru import Keras1GRU


class CRNN(GenreNetwork):
    """Convolutional recurrent network on log-mels.

    Parameters
    ----------
    n_labels : int > 0
        Number of outputs.
    n_mels, n_stft_frames : int > 0
        Shape of the log-mel of one frame.
    padding : int >= 0
        STFT frames of zeros put before and after the log-mel.
    channels : sequence of int
        Output channels of the convolutions.
    pools : sequence of (int, int)
        Max-pooling of each convolution along (mel, time); one mel band must be left.
    hidden_size, num_layers : int > 0
        The recurrent layers.
    cell : {"keras1", "torch"}
        `Keras1GRU`, which holds the published weights, or `torch.nn.GRU`, which cuDNN runs fast.
    conv_dropout, dropout : float in [0, 1)
        Dropout after each convolution, and before the head.

    Notes
    -----
    Choi, Fazekas, Sandler and Cho (2017), "Convolutional recurrent neural networks for music
    classification"; 396,786 parameters with 50 outputs and the ``keras1`` cell.

    Examples
    --------
    >>> import torch
    >>> CRNN(10)(torch.zeros(2, 96, 1366)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        n_labels: int,
        n_mels: int = 96,
        n_stft_frames: int = 1366,
        padding: int = 37,
        channels: Sequence[int] = (64, 128, 128, 128),
        pools: Pools = ((2, 2), (3, 3), (4, 4), (4, 4)),
        hidden_size: int = 32,
        num_layers: int = 2,
        cell: Literal["keras1", "torch"] = "keras1",
        conv_dropout: float = 0.1,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.settings = {
            "n_mels": n_mels,
            "n_stft_frames": n_stft_frames,
            "padding": padding,
            "channels": list(channels),
            "pools": [list(pool) for pool in pools],
            "hidden_size": hidden_size,
            "num_layers": num_layers,
            "cell": cell,
            "conv_dropout": conv_dropout,
            "dropout": dropout,
        }
        self.padding = padding
        width = n_stft_frames + 2 * padding
        self.input_norm = TimeNorm(width, eps=1e-3)
        stages, (height, _) = conv_stages(
            channels, pools, conv_dropout, n_mels=n_mels, n_stft_frames=width
        )
        if height != 1:
            raise NetworkError(
                "the recurrent layers read one vector per step",
                found=f"{height} mel bands left after pooling",
                wanted="1",
                remedy="let the pools' first numbers multiply to n_mels",
            )
        self.convolutions = nn.Sequential(*stages)
        self.gru: nn.Module
        if cell == "torch":
            self.gru = nn.GRU(channels[-1], hidden_size, num_layers, batch_first=True)
        elif cell == "keras1":
            self.gru = Keras1GRU(channels[-1], hidden_size, num_layers)
        else:
            raise NetworkError("unknown recurrent cell", found=repr(cell), wanted="keras1 or torch")
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, n_labels)

    def stages(self) -> dict[str, nn.Module]:
        """Return stages ``input_norm``, ``conv1`` ..., ``gru`` and ``head``."""
        convolutions = {f"conv{i}": stage for i, stage in enumerate(self.convolutions, 1)}
        return {"input_norm": self.input_norm, **convolutions, "gru": self.gru, "head": self.head}

    def steps(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """Return stages before the head; see `GenreNetwork.steps`."""
        convolutions = {f"conv{i}": stage for i, stage in enumerate(self.convolutions, 1)}
        return {"input_norm": self._norm, **convolutions, "gru": self._recur}

    def _norm(self, logmel: Tensor) -> Tensor:
        normed: Tensor = self.input_norm(F.pad(logmel, (self.padding, self.padding)))
        return normed.unsqueeze(1)

    def _recur(self, x: Tensor) -> Tensor:
        """Return states at all steps, of shape (batch, hidden_size, steps)."""
        states = self.gru(x.squeeze(2).transpose(1, 2))
        if isinstance(states, tuple):  # torch's cell also gives its final state
            states = states[0]
        found: Tensor = states.transpose(1, 2)
        return found

    def pool_features(self, features: Tensor) -> Tensor:
        """Return the last state of the recurrent layers."""
        last: Tensor = self.dropout(features[..., -1])
        return last
