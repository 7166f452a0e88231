"""The CNN: five convolutions over the whole frame, then a dense layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from genrenet.models.networks.base import GenreNetwork, Pools, TimeNorm, conv_stages


class CNN(GenreNetwork):
    """Convolutional network on log-mels.

    Parameters
    ----------
    n_labels : int > 0
        Number of outputs.
    n_mels, n_stft_frames : int > 0
        Shape of the log-mel of one frame.
    channels : sequence of int
        Output channels of the convolutions.
    pools : sequence of (int, int)
        Max-pooling of each convolution along (mel, time).
    conv_dropout, dropout : float in [0, 1)
        Dropout after each convolution, and before the head.

    Notes
    -----
    Choi, Fazekas and Sandler (2016), "Automatic tagging using deep convolutional neural networks";
    865,950 parameters with 50 outputs.

    Examples
    --------
    >>> import torch
    >>> CNN(10)(torch.zeros(2, 96, 1366)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        n_labels: int,
        n_mels: int = 96,
        n_stft_frames: int = 1366,
        channels: Sequence[int] = (32, 128, 128, 192, 256),
        pools: Pools = ((2, 4), (2, 4), (2, 4), (3, 5), (4, 4)),
        conv_dropout: float = 0.0,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.settings = {
            "n_mels": n_mels,
            "n_stft_frames": n_stft_frames,
            "channels": list(channels),
            "pools": [list(pool) for pool in pools],
            "conv_dropout": conv_dropout,
            "dropout": dropout,
        }
        self.input_norm = TimeNorm(n_stft_frames, eps=1e-3)
        stages, (height, width) = conv_stages(
            channels, pools, conv_dropout, n_mels=n_mels, n_stft_frames=n_stft_frames
        )
        self.convolutions = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels[-1] * height * width, n_labels)

    def stages(self) -> dict[str, nn.Module]:
        """Return stages ``input_norm``, ``conv1`` ... and ``head``."""
        convolutions = {f"conv{i}": stage for i, stage in enumerate(self.convolutions, 1)}
        return {"input_norm": self.input_norm, **convolutions, "head": self.head}

    def steps(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """Return stages before the head; see `GenreNetwork.steps`."""
        convolutions = {f"conv{i}": stage for i, stage in enumerate(self.convolutions, 1)}
        return {"input_norm": lambda x: self.input_norm(x).unsqueeze(1), **convolutions}

    def pool_features(self, features: Tensor) -> Tensor:
        """Flatten the output of the last convolution."""
        embedding: Tensor = self.dropout(features.flatten(1))
        return embedding
