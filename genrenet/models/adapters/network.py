"""A backbone of any adapter as a network: its layers, a trained weighting of them, and a head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genrenet.data.frames import FrameSettings
from genrenet.models.adapters.backbone import Backbone
from genrenet.models.adapters.registry import (
    content_id,
    located,
    note,
    split,
    stored_name,
    trusts,
)
from genrenet.models.model import GenreModel
from genrenet.models.networks import GenreNetwork
from genrenet.models.registry import remember

ENCODER = "encoder."


class LayerMix(nn.Module):
    """A weighted sum of layers, whose weights are trained and sum to one.

    Parameters
    ----------
    n_layers : int > 0

    Notes
    -----
    Peters et al. (2018), "Deep contextualized word representations"; for encoders of speech and
    music: Yang et al. (2021), "SUPERB". The initial weights are equal.
    """

    def __init__(self, n_layers: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_layers))

    def forward(self, layers: Tensor) -> Tensor:
        """Map (batch, layers, size) to (batch, size)."""
        return (self.weight.softmax(dim=0)[:, None] * layers).sum(dim=1)


class Adapted(GenreNetwork):
    """A backbone that an adapter opens, with its own head or a new one.

    Parameters
    ----------
    n_labels : int >= 0
        Number of outputs.
    backbone : str
        A reference, such as ``hf:ORG/NAME``.
    sha256 : str
        SHA-256 that its content must have; see `genrenet.models.adapters.registry.content_id`. By
        default its present content.
    dropout : float in [0, 1)
        Before the new head.
    headed : bool
        Put a `LayerMix` and a new head on top. Otherwise its own outputs are the network's outputs.
    trust : sequence of str
        See `genrenet.models.adapters.registry.trusts`.
    opened : Backbone, optional
        The backbone, if it is already open.

    Raises
    ------
    AdapterError
        The backbone cannot be opened, or has another content.

    Notes
    -----
    The encoder's weights are not stored in checkpoints, which name their content instead, unless
    training has changed them.
    """

    def __init__(
        self,
        n_labels: int,
        backbone: str,
        sha256: str = "",
        dropout: float = 0.0,
        headed: bool = True,
        trust: Sequence[str] = (),
        opened: Backbone | None = None,
    ) -> None:
        super().__init__()
        if opened is None:
            opened, sha256 = open_backbone(located(backbone, sha256) if sha256 else backbone, trust)
        stored = stored_name(backbone)
        self.settings = {
            "backbone": stored,
            "sha256": sha256,
            "dropout": dropout,
            "headed": headed,
        }
        remember(self, (n_labels,), self.settings, anew=True)  # without what is open
        self.encoder = opened.train()
        self.frame_seconds, self.batch_frames = opened.frame_seconds, opened.batch_frames
        self.mix = LayerMix(len(opened.layer_names))
        self.dropout = nn.Dropout(dropout)
        self.headed, self.encoder_learnt = headed, False
        self.provenance = {"backbone": {"name": stored, "sha256": sha256}}
        if headed:
            self.head = nn.Linear(opened.size, n_labels)
        else:
            self.mix.requires_grad_(False)  # the mean
        self.register_state_dict_post_hook(_leave_out_encoder)
        self.register_load_state_dict_pre_hook(_fill_in_encoder)

    @property
    def embedding_size(self) -> int:
        """Length of the embedding."""
        return self.encoder.size

    @property
    def is_headed(self) -> bool:
        """Whether the logits are computed by a new head."""
        return self.headed

    def make_frontend(self) -> nn.Module:
        """Return the front end of the backbone."""
        return self.encoder.make_frontend()

    def stages(self) -> dict[str, nn.Module]:
        """Return stages ``encoder`` and, with a new head, ``mix`` and ``head``."""
        above = {"mix": self.mix, "head": self.head} if self.headed else {}
        return {"encoder": self.encoder, **above}

    def steps(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """Return stages before the head; see `GenreNetwork.steps`."""
        return {"encoder": lambda x: self._run(x)[0], "mix": self.mix}

    def _run(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        if self.training and torch.is_grad_enabled():
            self.encoder_learnt |= any(p.requires_grad for p in self.encoder.parameters())
        found: tuple[Tensor, Tensor | None] = self.encoder(x)
        return found

    def pool_features(self, features: Tensor) -> Tensor:
        """Return the weighted sum of the layers, with dropout."""
        embedding: Tensor = self.dropout(features)
        return embedding

    def forward(self, logmel: Tensor) -> Tensor:
        """Return the logits, of shape (batch, n_labels), for the front end's output."""
        if self.headed:
            return super().forward(logmel)
        logits = self._run(logmel)[1]
        if logits is None:
            raise self.lacking("logits", "labels of its own, or a new head")
        return logits

    def layers(self, logmel: Tensor) -> dict[str, Tensor]:
        """Return the backbone's layers by name, the embedding, and the logits if there are any."""
        layers, logits = self._run(logmel)
        found = dict(zip(self.encoder.layer_names, layers.unbind(dim=1), strict=True))
        found["embedding"] = self.pool_features(self.mix(layers))
        if self.headed:
            logits = self.head(found["embedding"])
        return found if logits is None else {**found, "logits": logits}


def _leave_out_encoder(module: Any, state: dict[str, Any], prefix: str, _: Any) -> None:
    """Drop the encoder's weights, which are the backbone's own."""
    if not module.encoder_learnt:
        for key in [key for key in state if key.startswith(prefix + ENCODER)]:
            del state[key]


def _fill_in_encoder(module: Any, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Fill in the backbone's weights that a checkpoint left out."""
    module.encoder_learnt = any(key.startswith(prefix + ENCODER) for key in state)
    if not module.encoder_learnt:
        own = module.encoder.state_dict()
        state |= {f"{prefix}{ENCODER}{key}": value for key, value in own.items()}


def open_backbone(reference: str, trust: Iterable[str] = ()) -> tuple[Backbone, str]:
    """Open a reference, and record where its content is.

    Returns
    -------
    Backbone
        In eval mode, on the CPU.
    str
        See `genrenet.models.adapters.registry.content_id`.

    Raises
    ------
    AdapterError
        The reference cannot be opened.
    """
    adapter, rest = split(reference)
    sha256 = content_id(reference)
    backbone = adapter.open(rest, trusts(reference, trust)).eval()
    note(reference, sha256)
    return backbone, sha256


class AdaptedModel(GenreModel):
    """A backbone with its own outputs; an encoder has none."""

    least_labels = 0


def adapted_model(reference: str, trust: Sequence[str] = ()) -> GenreModel:
    """Return the model of a reference, in eval mode on the CPU.

    Its ``labels`` are the backbone's own: an encoder has none, and cannot classify.

    Raises
    ------
    AdapterError
        The reference cannot be opened.
    """
    backbone, sha256 = open_backbone(reference, trust)

    def network(n_labels: int) -> Adapted:
        return Adapted(n_labels, reference, sha256, headed=False, opened=backbone)

    model = AdaptedModel(list(backbone.labels), network=network, activation=backbone.activation)
    model.frames = FrameSettings(backbone.frame_seconds, 0.0, backbone.sample_rate)
    return model.eval()


def frame_options(reference: str, trust: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return ``sample_rate`` and ``frame_seconds`` of the frames that a reference expects."""
    backbone, _ = open_backbone(reference, trust)
    return {"sample_rate": backbone.sample_rate, "frame_seconds": backbone.frame_seconds}
