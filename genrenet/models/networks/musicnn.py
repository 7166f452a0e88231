"""MusiCNN: filters shaped for timbre and rhythm, dense layers on their maxima and means."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genrenet.models.networks.base import GenreNetwork

EPS = 1e-3


class Filters(nn.Module):
    """A convolution over time and mel, ReLU, batch-norm, and the maximum over the mel bands."""

    def __init__(self, n_out: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, n_out, kernel)
        self.norm = nn.BatchNorm2d(n_out, eps=EPS)
        # TensorFlow's "same" padding puts the odd sample of an even kernel at the end.
        self.padding = (0, 0, (kernel[0] - 1) // 2, kernel[0] // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, time, n_mels) to (batch, channels, time)."""
        found: Tensor = self.norm(F.relu(self.conv(F.pad(x, self.padding)), inplace=True))
        return found.amax(dim=3)


class _Front(nn.Module):
    """Timbral filters (tall, short) and temporal filters (flat, long) in parallel."""

    def __init__(self, n_mels: int, timbral: int, temporal: int) -> None:
        super().__init__()
        tall = [Filters(timbral, (7, int(share * n_mels))) for share in (0.4, 0.7)]
        long = [Filters(temporal, (columns, 1)) for columns in (128, 64, 32)]
        self.filters = nn.ModuleList([*tall, *long])

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, time, n_mels) to (batch, channels, time)."""
        return torch.cat([filters(x) for filters in self.filters], dim=1)


class _Mid(nn.Module):
    """A convolution over time, whose output is concatenated to its input."""

    def __init__(self, n_in: int, n_out: int, residual: bool) -> None:
        super().__init__()
        self.n_in, self.residual = n_in, residual
        self.conv = nn.Conv1d(n_in, n_out, 7, padding=3)
        self.norm = nn.BatchNorm1d(n_out, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, time) to (batch, channels + n_out, time)."""
        last = x[:, -self.n_in :]
        found = self.norm(F.relu(self.conv(last)))
        return torch.cat([x, found + last if self.residual else found], dim=1)


class _Dense(nn.Module):
    """Maxima and means over time, batch-norm, and a dense layer."""

    def __init__(self, n_in: int, n_out: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2 * n_in, eps=EPS)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(2 * n_in, n_out)
        self.dense_norm = nn.BatchNorm1d(n_out, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, time) to (batch, n_out)."""
        pooled = torch.stack([x.amax(dim=2), x.mean(dim=2)], dim=2).flatten(1)
        found: Tensor = self.dense_norm(F.relu(self.dense(self.dropout(self.norm(pooled)))))
        return found


class MusiCNN(GenreNetwork):
    """Musically motivated convolutional network on 3-s patches.

    Parameters
    ----------
    n_labels : int > 0
        Number of outputs.
    n_mels, n_stft_frames : int > 0
        Shape of the log-mel of a patch. Any ``n_stft_frames`` works; that of the published
        training is the default.
    timbral, temporal : int > 0
        Channels of each of the two timbral and the three temporal filter banks.
    mid : int > 0
        Channels of each of the three convolutions over time.
    units : int > 0
        Length of the embedding.
    dropout : float in [0, 1)
        Before the dense layer, and before the head.

    Notes
    -----
    Pons and Serra (2019), "musicnn: pre-trained convolutional neural networks for music audio
    tagging". The published program cut one long spectrogram into patches of 187 STFT frames; a
    frame of 2.976 s (47,616 samples) has the same number.

    Examples
    --------
    >>> MusiCNN(10)(torch.zeros(2, 96, 187)).shape
    torch.Size([2, 10])
    """

    time_first = True
    frontend = {"sample_rate": 16_000, "compression": "log10-10000"}  # noqa: RUF012
    frame_seconds = 2.976

    def __init__(
        self,
        n_labels: int,
        n_mels: int = 96,
        n_stft_frames: int = 187,
        timbral: int = 204,
        temporal: int = 51,
        mid: int = 64,
        units: int = 200,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.settings = {
            "n_mels": n_mels,
            "n_stft_frames": n_stft_frames,
            "timbral": timbral,
            "temporal": temporal,
            "mid": mid,
            "units": units,
            "dropout": dropout,
        }
        self.input_norm = nn.BatchNorm2d(1, eps=EPS)
        self.front = _Front(n_mels, timbral, temporal)
        self.n_front = n_front = 2 * timbral + 3 * temporal
        self.mid = nn.ModuleList(
            [_Mid(n_front, mid, False), _Mid(mid, mid, True), _Mid(mid, mid, True)]
        )
        self.n_pooled = n_front + 3 * mid
        self.dense = _Dense(self.n_pooled, units, dropout)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(units, n_labels)

    def stages(self) -> dict[str, nn.Module]:
        """Return stages ``input_norm``, ``front``, ``mid1`` ... ``mid3``, ``dense`` and
        ``head``.
        """
        mid = {f"mid{i}": stage for i, stage in enumerate(self.mid, 1)}
        return {
            "input_norm": self.input_norm,
            "front": self.front,
            **mid,
            "dense": self.dense,
            "head": self.head,
        }

    def steps(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """Return stages before the head; see `GenreNetwork.steps`."""
        stages: dict[str, Callable[[Tensor], Tensor]] = dict(self.stages())
        del stages["head"]
        return {**stages, "input_norm": self._norm}

    def _norm(self, logmel: Tensor) -> Tensor:
        normed: Tensor = self.input_norm(logmel.transpose(1, 2).unsqueeze(1))
        return normed

    def pool_features(self, features: Tensor) -> Tensor:
        """Return the dense layer's output, with dropout."""
        embedding: Tensor = self.dropout(features)
        return embedding

    def layers(self, logmel: Tensor) -> dict[str, Tensor]:
        """Return every layer's output as one vector per patch.

        Parameters
        ----------
        logmel : Tensor, shape (batch, n_mels, time)

        Returns
        -------
        dict of str to Tensor, shape (batch, features)
            ``front``, ``mid1``, ``mid2`` and ``mid3``, the output that each stage adds, averaged
            over time (561 features, the first 408 timbral and the others temporal, then 64 each);
            ``max_pool`` and ``mean_pool`` over time of all these together (753 each);
            ``embedding``, the dense layer's output (200; the paper's ``penultimate``); ``logits``.
        """
        hidden = self.forward_features(logmel, until="mid3")
        dense = self.forward_features(hidden, after="mid3")
        embedding = self.forward_head(dense, pre_logits=True)
        mean = hidden.mean(dim=2)
        names = [name for name in self.stages() if name == "front" or name.startswith("mid")]
        added = [self.n_front] + [self.settings["mid"]] * len(self.mid)
        return {
            **dict(zip(names, mean.split(added, dim=1), strict=True)),
            "max_pool": hidden.amax(dim=2),
            "mean_pool": mean,
            "embedding": embedding,
            "logits": self.head(embedding),
        }
