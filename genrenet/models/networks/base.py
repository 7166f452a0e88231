"""The interface of the package's networks: named stages, an embedding, a head.

Methods that timm also has are named as there: `forward_features`, `forward_head`,
`reset_classifier`.

A network is a plain `nn.Module` that maps log-mels of shape (batch, n_mels, time) to logits of
shape (batch, labels). It has no Lightning in it and does no I/O.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genrenet.models.registry import Recorded
from genrenet.utils.errors import GenrenetError

Pools = Sequence[Sequence[int]]


class NetworkError(GenrenetError):
    """Settings or an input that a network cannot use."""


class GenreNetwork(Recorded, nn.Module):
    """Base of the networks: a trunk of named stages, an embedding, a head.

    A custom network is a plain module (see `genrenet.models.plain`), or derives from this class or
    from one of the networks, and takes the number of labels and then plain arguments. A checkpoint
    stores its import path and these arguments, and opening it restores exactly that network or
    raises an error.

    Attributes
    ----------
    settings : dict
        Arguments that rebuild the network, of plain types.
    head : nn.Linear
        The output layer, from the embedding to the logits.
    time_first : bool
        Whether the network was published with log-mels of shape (batch, 1, time, n_mels).
    frontend : dict
        Settings of the front end the network was designed for, where they differ from the defaults
        of `genrenet.models.frontend.LogMel`.
    frame_seconds : float
        Length of the frames the network was designed for.
    batch_frames : int > 0, optional
        Number of frames per batch, for a network with a fixed batch size.
    """

    settings: dict[str, Any]
    head: nn.Linear
    time_first = False
    frontend: Mapping[str, Any] = {}
    frame_seconds = 29.12
    batch_frames: int | None = None

    @property
    def owner(self) -> nn.Module:
        """The module that computes: itself, unless it wraps another."""
        return self

    @property
    def output_layer(self) -> nn.Linear:
        """The head of the `owner`.

        Raises
        ------
        NetworkError
            There is none.
        """
        head = getattr(self.owner, "head", None)
        if not isinstance(head, nn.Linear):
            raise self.lacking("head", "head, a torch.nn.Linear")
        return head

    @property
    def embedding_size(self) -> int:
        """Length of the embedding: the number of inputs of the head."""
        return self.output_layer.in_features

    @property
    def has_embedding(self) -> bool:
        """Whether there are embeddings."""
        kind = type(self)
        return kind.steps is not GenreNetwork.steps or kind.embed is not GenreNetwork.embed

    @property
    def is_headed(self) -> bool:
        """Whether the logits are the head's output for the embedding."""
        return type(self).forward is GenreNetwork.forward

    @property
    def n_labels(self) -> int:
        """Number of outputs."""
        return self.output_layer.out_features

    def lacking(self, name: str, wanted: str) -> NetworkError:
        """Return the error for an optional feature that the network lacks."""
        kind = type(self.owner)
        return NetworkError(
            f"the network {kind.__module__}.{kind.__qualname__} offers no {name}",
            wanted=wanted,
            remedy="see genrenet.models.plain for what a network may offer, and what for",
        )

    def stages(self) -> dict[str, nn.Module]:
        """Return named stages from the input to the output, for freezing and for features."""
        raise self.lacking("stages", "stages() by name")

    def steps(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """Return a function for every stage before the head, with the same names and order."""
        raise self.lacking("steps", "steps() by the names of its stages, or embed(logmel)")

    def pool_features(self, features: Tensor) -> Tensor:
        """Return the embedding, (batch, embedding_size), from the output of the last stage."""
        raise self.lacking("pool_features", "pool_features(features)")

    def forward_features(
        self, x: Tensor, *, after: str | None = None, until: str | None = None
    ) -> Tensor:
        """Run the trunk, or some of its stages.

        Parameters
        ----------
        x : Tensor
            A log-mel of shape (batch, n_mels, time), or the output of the stage ``after``.
        after : str, optional
            The last stage that has already been run; None starts at the input.
        until : str, optional
            The last stage to run; None runs all.

        Returns
        -------
        Tensor
            Output of the last stage that was run.
        """
        steps = self.steps()
        names = list(steps)
        first = 0 if after is None else names.index(after) + 1
        last = len(names) if until is None else names.index(until) + 1
        for name in names[first:last]:
            x = steps[name](x)
        return x

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Pool the trunk's output, and compute the logits.

        Parameters
        ----------
        features : Tensor
            Output of the last stage; see `forward_features`.
        pre_logits : bool
            Return the embedding instead.

        Returns
        -------
        Tensor, shape (batch, n_labels) or (batch, embedding_size)
        """
        embedding = self.pool_features(features)
        return embedding if pre_logits else self.head(embedding)

    def embed(self, logmel: Tensor) -> Tensor:
        """Return the embedding before the head.

        Parameters
        ----------
        logmel : Tensor, shape (batch, n_mels, time)

        Returns
        -------
        Tensor, shape (batch, embedding_size)
        """
        return self.forward_head(self.forward_features(logmel), pre_logits=True)

    def forward(self, logmel: Tensor) -> Tensor:
        """Return logits of shape (batch, n_labels) of log-mels of shape (batch, n_mels, time)."""
        logits: Tensor = self.head(self.embed(logmel))
        return logits

    def reset_classifier(self, n_labels: int, seed: int = 0) -> None:
        """Replace the head, in place, by an untrained one.

        Parameters
        ----------
        n_labels : int > 0
            Number of outputs of the new head.
        seed : int
            Seed of its weights, independent of other random numbers.

        Raises
        ------
        NetworkError
            No labels.

        Notes
        -----
        The weights are uniform within 1 / sqrt(inputs), as `torch.nn.Linear` has them.
        """
        if n_labels < 1:
            raise NetworkError("a head", found=f"{n_labels} labels", wanted="at least 1")
        old, size = self.output_layer.weight, self.embedding_size
        head: nn.Linear = nn.utils.skip_init(
            nn.Linear, size, n_labels, device=old.device, dtype=old.dtype
        )
        generator, bound = torch.Generator().manual_seed(seed), 1 / math.sqrt(size)
        with torch.no_grad():
            for parameter in (head.weight, head.bias):
                drawn = torch.empty(parameter.shape).uniform_(-bound, bound, generator=generator)
                parameter.copy_(drawn)
        self.owner.head = head

    def layers(self, logmel: Tensor) -> dict[str, Tensor]:
        """Return every layer's output as one vector per frame, for use as features.

        Parameters
        ----------
        logmel : Tensor, shape (batch, n_mels, time)

        Returns
        -------
        dict of str to Tensor, shape (batch, features)
            The stages behind the input's batch-norm, averaged over mel bands and time;
            ``embedding``, the input of the head; ``logits``, its output.
        """
        found = {}
        x = logmel
        for name, step in self.steps().items():
            x = step(x)
            if name != "input_norm":
                found[name] = self.summarise(x)
        found["embedding"] = self.forward_head(x, pre_logits=True)
        found["logits"] = self.head(found["embedding"])
        return found

    def summarise(self, hidden: Tensor) -> Tensor:
        """Return the mean of a stage's output over mel bands and time: (batch, channels)."""
        return hidden.flatten(2).mean(dim=2)


class TimeNorm(nn.BatchNorm1d):
    """Batch-norm over the time axis: separate statistics for every STFT frame of the log-mel.

    As in the first layer of the published taggers (Keras' axis of a theano-ordered image), which
    fixes the number of STFT frames of the input.
    """

    def forward(self, logmel: Tensor) -> Tensor:
        """Normalise (batch, n_mels, time) to the same shape."""
        if logmel.ndim != 3 or logmel.shape[-1] != self.num_features:
            raise NetworkError(
                "the network was made for another frame length",
                found=f"a log-mel of shape {tuple(logmel.shape)}",
                wanted=f"(batch, n_mels, {self.num_features})",
                remedy="use the frame length and front end the network was made with",
            )
        return super().forward(logmel.transpose(1, 2)).transpose(1, 2)


class ConvStage(nn.Sequential):
    """Convolution 3x3 with "same" padding, batch-norm, max-pool, ELU, dropout.

    The published order puts the pooling last. ELU is monotone, so pooling first gives the same
    output from fewer activations.
    """

    def __init__(self, n_in: int, n_out: int, pool: Sequence[int], dropout: float) -> None:
        super().__init__(
            nn.Conv2d(n_in, n_out, kernel_size=3, padding=1),
            nn.BatchNorm2d(n_out, eps=1e-3, momentum=0.1),
            nn.MaxPool2d((pool[0], pool[1])),
            nn.ELU(inplace=True),
            nn.Dropout(dropout) if dropout else nn.Identity(),
        )


def conv_stages(
    channels: Sequence[int], pools: Pools, dropout: float, *, n_mels: int, n_stft_frames: int
) -> tuple[list[ConvStage], tuple[int, int]]:
    """Build convolution stages, and return the shape of their output.

    Parameters
    ----------
    channels : sequence of int
        Output channels of each stage.
    pools : sequence of (int, int)
        Pooling of each stage along (mel, time).
    dropout : float in [0, 1)
    n_mels, n_stft_frames : int
        Shape of the input.

    Returns
    -------
    stages : list of ConvStage
    shape : (int, int)
        Mel bands and STFT frames after the last stage.

    Raises
    ------
    NetworkError
        Lists of different lengths, or pooling that leaves no output.
    """
    if len(channels) != len(pools) or not channels:
        raise NetworkError(
            "channels and pools do not match",
            found=f"{len(channels)} channels and {len(pools)} pools",
            wanted="one pool per convolution",
        )
    stages, n_in = [], 1
    height, width = n_mels, n_stft_frames
    for n_out, pool in zip(channels, pools, strict=True):
        stages.append(ConvStage(n_in, n_out, pool, dropout))
        n_in, height, width = n_out, height // pool[0], width // pool[1]
    if not height or not width:
        raise NetworkError(
            "the pooling leaves nothing",
            found=f"pools {[tuple(p) for p in pools]} on {n_mels} mel bands and "
            f"{n_stft_frames} STFT frames",
            wanted="at least one cell at the end",
            remedy="pool less, or use longer frames",
        )
    return stages, (height, width)
