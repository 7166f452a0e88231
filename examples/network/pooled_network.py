"""The network `Pooled`."""

from __future__ import annotations

from torch import Tensor, nn


class Pooled(nn.Module):
    """One convolution over time, the maximum of each of its channels, and a linear layer.

    Parameters
    ----------
    n_labels : int >= 1
        Number of genres. It comes first and is given by genrenet; the others are settings.
    n_mels : int >= 1
        Rows of the spectrogram that the front end gives.
    width : int >= 1
        Channels of the convolution.
    """

    def __init__(self, n_labels: int, n_mels: int = 96, width: int = 32) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(n_mels, width, kernel_size=5)
        self.head = nn.Linear(width, n_labels)

    def forward(self, logmel: Tensor) -> Tensor:
        """Return logits.

        Parameters
        ----------
        logmel : Tensor of float32, shape (batch, n_mels, time)
            At least 5 STFT frames.

        Returns
        -------
        Tensor of float32, shape (batch, n_labels)
        """
        pooled: Tensor = self.convolution(logmel).relu().amax(dim=-1)
        logits: Tensor = self.head(pooled)
        return logits
