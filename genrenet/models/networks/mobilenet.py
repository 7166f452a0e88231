"""MobileNetV3 for log-mels: inverted residual blocks with a configurable width."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from genrenet.models.frontend import FrontEnd
from genrenet.models.kaldi import KaldiMel
from genrenet.models.networks.base import GenreNetwork, NetworkError

EPS, MOMENTUM = 1e-3, 0.01
SQUEEZE = 4
"""Ratio of expanded channels to bottleneck channels in squeeze-and-excitation."""


class _Row(NamedTuple):
    """A block of MobileNetV3-Large, with the channels of width 1."""

    n_in: int
    kernel: int
    expanded: int
    n_out: int
    excited: bool
    act: type[nn.Module]
    stride: int


_R, _H = nn.ReLU, nn.Hardswish
LARGE = (
    _Row(16, 3, 16, 16, False, _R, 1),
    _Row(16, 3, 64, 24, False, _R, 2),
    _Row(24, 3, 72, 24, False, _R, 1),
    _Row(24, 5, 72, 40, True, _R, 2),
    _Row(40, 5, 120, 40, True, _R, 1),
    _Row(40, 5, 120, 40, True, _R, 1),
    _Row(40, 3, 240, 80, False, _H, 2),
    _Row(80, 3, 200, 80, False, _H, 1),
    _Row(80, 3, 184, 80, False, _H, 1),
    _Row(80, 3, 184, 80, False, _H, 1),
    _Row(80, 3, 480, 112, True, _H, 1),
    _Row(112, 3, 672, 112, True, _H, 1),
    _Row(112, 5, 672, 160, True, _H, 2),
    _Row(160, 5, 960, 160, True, _H, 1),
    _Row(160, 5, 960, 160, True, _H, 1),
)
LAST = 6
"""Ratio of channels of the last convolution to those of the last block."""

UNITS = 1280
"""Units of the dense layer at width 1."""


def rounded(channels: float) -> int:
    """Return the multiple of 8 nearest to a number of channels, at most a tenth below it."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch-norm, and an activation unless it is linear."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        act: type[nn.Module] | None = None,
    ) -> None:
        super().__init__(
            nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(n_out, eps=EPS, momentum=MOMENTUM),
            *([act(inplace=True)] if act is not None else []),
        )


class _Excite(nn.Module):
    """Squeeze-and-excitation: channels weighted by a function of their means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = rounded(channels // SQUEEZE)
        self.fc1, self.fc2 = nn.Linear(channels, squeezed), nn.Linear(squeezed, channels)

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.fc2(self.fc1(x.mean(dim=(2, 3))).relu()).sigmoid()
        return x * weights[:, :, None, None]


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, squeeze-and-excitation, projection, residual connection."""

    def __init__(self, row: _Row, width: float) -> None:
        super().__init__()
        n_in, expanded, n_out = (rounded(n * width) for n in (row.n_in, row.expanded, row.n_out))
        self.residual = row.stride == 1 and n_in == n_out
        parts: list[nn.Module] = []
        if expanded != n_in:
            parts.append(ConvNorm(n_in, expanded, act=row.act))
        parts.append(ConvNorm(expanded, expanded, row.kernel, row.stride, expanded, row.act))
        if row.excited:
            parts.append(_Excite(expanded))
        parts.append(ConvNorm(expanded, n_out))
        self.block = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, mel, time) to (batch, out channels, mel, time), divided by the
        stride.
        """
        found: Tensor = self.block(x)
        return found + x if self.residual else found


class MobileNetV3(GenreNetwork):
    """MobileNetV3-Large on log-mels of any length, as in EfficientAT.

    Parameters
    ----------
    n_labels : int > 0
        Number of outputs.
    n_mels : int > 0
        Mel bands of the log-mel it was designed for. Any number works.
    width : float > 0
        Factor of all numbers of channels, which are then rounded to multiples of 8. Published
        networks have widths from 0.1 to 4.
    dropout : float in [0, 1)
        Before the head.

    Notes
    -----
    Howard et al. (2019), "Searching for MobileNetV3"; Schmid, Koutini and Widmer (2023),
    "Efficient large-scale audio tagging via transformer-to-CNN knowledge distillation". 983,599
    parameters with 527 outputs and a width of 0.4.

    Examples
    --------
    >>> import torch
    >>> MobileNetV3(10, width=0.4)(torch.zeros(2, 128, 1000)).shape
    torch.Size([2, 10])
    """

    frame_seconds = 10.0

    def __init__(
        self, n_labels: int, n_mels: int = 128, width: float = 1.0, dropout: float = 0.2
    ) -> None:
        super().__init__()
        if not 0 < width < float("inf"):
            raise NetworkError("width of the network", found=f"{width:g}", wanted="above 0")
        self.settings = {"n_mels": n_mels, "width": width, "dropout": dropout}
        n_first, n_out = rounded(LARGE[0].n_in * width), rounded(LARGE[-1].n_out * width)
        self.stem = ConvNorm(1, n_first, 3, stride=2, act=nn.Hardswish)
        self.blocks = nn.Sequential(*(InvertedResidual(row, width) for row in LARGE))
        self.top = ConvNorm(n_out, LAST * n_out, act=nn.Hardswish)
        units = rounded(UNITS * width)
        self.dense = nn.Sequential(nn.Linear(LAST * n_out, units), nn.Hardswish())
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(units, n_labels)

    def make_frontend(self) -> FrontEnd:
        """Return the front end that the published networks were trained with."""
        return KaldiMel(n_mels=self.settings["n_mels"])

    def stages(self) -> dict[str, nn.Module]:
        """Return stages ``stem``, ``block1`` ... ``block15``, ``top``, ``dense`` and ``head``."""
        blocks = {f"block{i}": block for i, block in enumerate(self.blocks, 1)}
        return {
            "stem": self.stem,
            **blocks,
            "top": self.top,
            "dense": self.dense,
            "head": self.head,
        }

    def steps(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """Return stages before the head; see `GenreNetwork.steps`."""
        stages: dict[str, Callable[[Tensor], Tensor]] = dict(self.stages())
        del stages["head"]
        return {
            **stages,
            "stem": lambda logmel: self.stem(logmel.unsqueeze(1)),
            "dense": lambda hidden: self.dense(hidden.mean(dim=(2, 3))),
        }

    def pool_features(self, features: Tensor) -> Tensor:
        """Return the dense layer's output, with dropout."""
        embedding: Tensor = self.dropout(features)
        return embedding

    def layers(self, logmel: Tensor) -> dict[str, Tensor]:
        """Return every layer's output as one vector per frame.

        Parameters
        ----------
        logmel : Tensor, shape (batch, n_mels, time)

        Returns
        -------
        dict of str to Tensor, shape (batch, features)
            ``stem``, ``block1`` ... ``block15`` and ``top``, averaged over mel bands and time;
            ``embedding``, the dense layer's output; ``logits``.
        """
        found = super().layers(logmel)
        del found["dense"]  # the embedding is the same
        return found

    def summarise(self, hidden: Tensor) -> Tensor:
        """Return the mean of a stage's output over mel bands and time; the dense layer's output has
        neither.
        """
        return super().summarise(hidden) if hidden.ndim > 2 else hidden
