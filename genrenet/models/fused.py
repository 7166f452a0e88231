"""Several networks on one waveform, each with its own front end, under one head.

A linear layer on the concatenated embeddings is the sum of the logits of one linear layer on each
embedding: its scores are the normalised geometric mean of theirs. Each network runs once per frame,
whatever it was trained on: the waveform is resampled to its rate and cut to its frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genrenet.models.description import build_frontend, build_network
from genrenet.models.frontend import (
    FrontEnd,
    FrontendError,
    Level,
    bound_level,
    normalise_level,
    without_autocast,
)
from genrenet.models.networks import GenreNetwork, NetworkError

HALF_TAPS = 48
"""Taps of the decimation filter on each side, per unit of the decimation factor."""

BLOCK = 64
"""Output samples that are computed together."""

PASSED = 0.94
"""Pass band of the filter, as a share of the Nyquist frequency of the lower rate."""


LEVELS: Mapping[Level, Callable[[Tensor], Tensor]] = {
    "bound": bound_level,
    "keep": lambda waveform: waveform,
    "normalise": normalise_level,
}
"""Functions that set the level of waveforms."""


class Waveform(FrontEnd):
    """A front end that returns the waveform, by default at a level that all networks can process.

    Parameters
    ----------
    sample_rate : int > 0
        In Hz.
    level : {"bound", "keep", "normalise"}
        See `genrenet.models.frontend.LogMel`.

    Examples
    --------
    >>> Waveform()(torch.zeros(2, 320_000)).shape
    torch.Size([2, 1, 320000])
    """

    n_mels = 1

    def __init__(self, sample_rate: int = 32_000, level: Level = "bound") -> None:
        super().__init__()
        self.sample_rate, self.level = sample_rate, level
        # Checkpoints that are older than ``level`` do not have it.
        self.settings: dict[str, Any] = {"sample_rate": sample_rate}
        self.settings |= {} if level == "bound" else {"level": level}

    def n_stft_frames(self, n_samples: int) -> int:
        """Return the number of samples: there are no STFT frames."""
        return n_samples

    def forward(self, waveform: Tensor) -> Tensor:
        """Return waveforms of shape (batch, 1, samples), float32."""
        if waveform.ndim != 2 or not waveform.shape[-1]:
            raise FrontendError(
                "the front end cannot take this waveform",
                found=f"a tensor of shape {tuple(waveform.shape)}",
                wanted="(batch, samples)",
            )
        with without_autocast(waveform.device), torch.no_grad():
            return LEVELS[self.level](waveform.float())[:, None]


class Branch(nn.Module):
    """One network with its front end, from waveforms at another rate to embeddings.

    Parameters
    ----------
    part : mapping
        ``network``, ``frontend`` and ``seconds``, the length of its frames; the first two as a
        checkpoint's description has them.
    sample_rate : int > 0
        Of the waveforms in Hz, a whole multiple of the front end's.

    Raises
    ------
    NetworkError
        The rates do not fit.
    """

    def __init__(self, part: Mapping[str, Any], sample_rate: int) -> None:
        super().__init__()
        self.frontend = build_frontend(part["frontend"], "a branch", quick=True)
        self.network: GenreNetwork = build_network(part["network"], 1, "a branch")  # type: ignore[assignment]
        self.embedding_size = self.network.embedding_size
        self.network.head = nn.Identity()  # type: ignore[assignment]
        rate: int = self.frontend.sample_rate  # type: ignore[assignment]
        self.step, rest = divmod(sample_rate, rate)
        if rest or not self.step:
            raise NetworkError(
                "a branch cannot have its sample rate",
                found=f"{sample_rate} Hz before it",
                wanted=f"a whole multiple of {rate} Hz",
            )
        self.n_samples = round(part["seconds"] * rate)
        self.register_buffer("taps", _in_blocks(_low_pass(self.step), self.step), persistent=False)
        self.taps: Tensor

    def resample(self, waveform: Tensor) -> Tensor:
        """Return (batch, 1, samples) at the front end's rate: (batch, samples)."""
        if self.step == 1:
            return waveform[:, 0]
        around, stride = HALF_TAPS * self.step, BLOCK * self.step
        padded = F.pad(waveform, (around, around + -waveform.shape[-1] % stride))
        blocks = F.conv1d(padded, self.taps, stride=stride)
        return blocks.transpose(1, 2).flatten(1)[:, : waveform.shape[-1] // self.step]

    def forward(self, waveform: Tensor) -> Tensor:
        """Map waveforms of shape (batch, 1, samples) to embeddings of shape (batch, features).

        As many frames as fit are spread evenly from the first to the last sample, and their
        embeddings averaged.
        """
        with without_autocast(waveform.device), torch.no_grad():
            x = self.resample(waveform)
            size, n = x.shape[-1], self.n_samples
            if size < n:
                x, size = x.repeat(1, -(-n // size))[:, :n], n
            count = round(size / n)
            starts = [round(i * (size - n) / max(1, count - 1)) for i in range(count)]
            logmel = self.frontend(torch.cat([x[:, i : i + n] for i in starts]))
        found: Tensor = self.network.embed(logmel).unflatten(0, (count, -1)).mean(dim=0)
        return found


def _low_pass(step: int) -> Tensor:
    """Return the low-pass filter for decimation by ``step``: a sinc in a Hamming window."""
    if step == 1:
        return torch.ones(1)
    around = torch.arange(-HALF_TAPS * step, HALF_TAPS * step + 1, dtype=torch.float64)
    window = torch.hamming_window(len(around), periodic=False, dtype=torch.float64)
    taps = torch.sinc(around * PASSED / step) * window
    return (taps / taps.sum()).float()


def _in_blocks(taps: Tensor, step: int) -> Tensor:
    """Return the filters of neighbouring samples, (`BLOCK`, 1, taps), for one matrix product."""
    last = (BLOCK - 1) * step
    rows = [F.pad(taps, (step * i, last - step * i)) for i in range(BLOCK)]
    return torch.stack(rows)[:, None]


class Fused(GenreNetwork):
    """Networks in parallel on one waveform, and a head on all their embeddings.

    Parameters
    ----------
    n_labels : int > 0
    branches : sequence of mapping
        See `Branch`.
    seconds : float > 0
        Length of a frame.
    sample_rate : int > 0
        Of the waveforms, in Hz.
    dropout : float in [0, 1)
        Before the head.
    """

    def __init__(
        self,
        n_labels: int,
        branches: Sequence[Mapping[str, Any]],
        seconds: float = 10.0,
        sample_rate: int = 32_000,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.settings = {
            "branches": [dict(part) for part in branches],
            "seconds": seconds,
            "sample_rate": sample_rate,
            "dropout": dropout,
        }
        self.frame_seconds = seconds
        made = [Branch(part, sample_rate) for part in branches]
        self.branches = nn.ModuleList(made)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(sum(branch.embedding_size for branch in made), n_labels)

    def make_frontend(self) -> Waveform:
        """Return the front end of the networks."""
        return Waveform(int(self.settings["sample_rate"]))

    def stages(self) -> dict[str, nn.Module]:
        """Return the networks as one stage, and the head."""
        return {"branches": self.branches, "head": self.head}

    def steps(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """Return the concatenated embeddings of waveforms of shape (batch, 1, samples)."""
        return {"branches": lambda x: torch.cat([branch(x) for branch in self.branches], dim=1)}

    def pool_features(self, features: Tensor) -> Tensor:
        """Return the embeddings, with dropout."""
        embedding: Tensor = self.dropout(features)
        return embedding

    def layers(self, logmel: Tensor) -> dict[str, Tensor]:
        """Return the embedding and the logits."""
        embedding = self.embed(logmel)
        return {"embedding": embedding, "logits": self.head(embedding)}
