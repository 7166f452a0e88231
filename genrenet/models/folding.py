"""Rebuild networks for inference: the same function with fewer and faster operations.

Batch-norms with fixed statistics are linear, so they are folded into the weights of the preceding
convolutions. Filter banks become matrix products (see `genrenet.models.filter_products`). Tensors
are in channels-last layout, which is faster for convolution and pooling on CPUs, and for half
precision on GPUs. The constants of the recurrent gates are folded into their weights.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genrenet.models.filter_products import FoldedFilters
from genrenet.models.networks.base import ConvStage, GenreNetwork
from genrenet.models.networks.gru import Keras1GRU
from genrenet.models.networks.mobilenet import ConvNorm
from genrenet.models.networks.musicnn import Filters

PIECE = 1 << 24
"""Bytes of a convolution's output that a CPU computes at once: more exceeds the caches, and its
memory is returned to the system and mapped again for every frame."""

CLOSE = 0.25
"""Difference of logits below which half precision may confuse which one is larger."""


def fold(network: GenreNetwork, dtype: torch.dtype = torch.float32) -> GenreNetwork:
    """Return a copy of a network for inference only.

    Parameters
    ----------
    network : GenreNetwork
        It is not changed.
    dtype : torch.dtype
        Type the convolution stages compute in; everything else computes in float32.

    Returns
    -------
    GenreNetwork
        In eval mode, on the same device, without gradients. In float32 its outputs equal those of
        ``network`` in eval mode to rounding.
    """
    folded = copy.deepcopy(network).eval().requires_grad_(False)
    # Exactly these classes: a derived class may compute something else.
    for parent in list(folded.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is ConvStage:
                setattr(parent, name, FoldedStage(child, dtype))
            elif type(child) is ConvNorm:
                setattr(parent, name, _folded_norm(child))
            elif type(child) is Keras1GRU:
                setattr(parent, name, FoldedGRU(child))
            elif type(child) is Filters and _as_products(child, dtype):
                setattr(parent, name, FoldedFilters(child, dtype))
    for part in folded.modules():
        if isinstance(part, GenreNetwork):  # one of several, too
            stages = [module for module in part.modules() if isinstance(module, FoldedStage)]
            for last in stages[-1:]:
                last.then = torch.float32
    return folded.eval()


def _as_products(filters: Filters, dtype: torch.dtype) -> bool:
    """Return whether a filter bank becomes matrix products: all on a CPU, and only the tall ones in
    half precision elsewhere.
    """
    if filters.conv.weight.device.type == "cpu":
        return True
    return dtype != torch.float32 and filters.conv.kernel_size[1] > 1


def _folded_norm(stage: ConvNorm) -> nn.Sequential:
    """Return a convolution with its batch-norm folded in, and the activation."""
    convolution, norm, *rest = stage
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    fused = nn.utils.fuse_conv_bn_eval(convolution, norm).requires_grad_(False)
    return nn.Sequential(fused, *rest).to(memory_format=torch.channels_last)


class HalfPrecision(GenreNetwork):
    """A network in half precision that recomputes close decisions in single precision.

    Parameters
    ----------
    network : GenreNetwork
        With convolution stages, or on a device with autocast.
    dtype : torch.bfloat16 or torch.float16
        Data type of the convolutions.

    Notes
    -----
    Half precision changes logits by some hundredths, so it can change which is the largest only
    where two are nearly equal. Frames whose two largest logits differ by less than `CLOSE` are
    recomputed in single precision. Embeddings and stages are always computed in single precision.
    """

    def __init__(self, network: GenreNetwork, dtype: torch.dtype) -> None:
        super().__init__()
        self.settings, self.time_first = network.settings, network.time_first
        self.exact, self.rough, self.dtype = fold(network), fold(network, dtype), dtype
        self.frontend, self.frame_seconds = network.frontend, network.frame_seconds
        self.batch_frames = network.batch_frames
        if hasattr(self.exact, "head"):
            self.head = self.exact.head
        kinds = (FoldedStage, FoldedFilters)
        self.folded = any(isinstance(module, kinds) for module in self.rough.modules())

    @property
    def owner(self) -> nn.Module:
        """The settings of the network in single precision."""
        return self.exact.owner

    @property
    def embedding_size(self) -> int:
        """Length of the embedding."""
        return self.exact.embedding_size

    @property
    def has_embedding(self) -> bool:
        """Whether there are embeddings."""
        return self.exact.has_embedding

    def embed(self, logmel: Tensor) -> Tensor:
        """Return embedding in single precision."""
        return self.exact.embed(logmel)

    def layers(self, logmel: Tensor) -> dict[str, Tensor]:
        """Return every layer's output in single precision."""
        return self.exact.layers(logmel)

    def stages(self) -> dict[str, nn.Module]:
        """Return the stages of the network in single precision."""
        return self.exact.stages()

    def steps(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """Return what the stages compute, in single precision."""
        return self.exact.steps()

    def pool_features(self, features: Tensor) -> Tensor:
        """Return the embedding in single precision."""
        return self.exact.pool_features(features)

    def forward(self, logmel: Tensor) -> Tensor:
        """Return the logits of log-mels of shape (batch, n_mels, time)."""
        with torch.autocast(logmel.device.type, self.dtype, enabled=not self.folded):
            logits: Tensor = self.rough(logmel).float()
        if logits.shape[1] > 1:
            largest = logits.topk(2).values
            close = ~(largest[:, 0] - largest[:, 1] >= CLOSE)  # overflows count as close
            if bool(close.any()):
                logits[close] = self.exact(logmel[close])
        return logits


def channels_last(x: Tensor) -> Tensor:
    """Return a tensor of shape (batch, channels, height, width) in channels-last layout.

    With one channel both layouts are the same in memory, and torch assumes the other one, which
    makes the first and largest activations slow; the strides given here are unambiguous.
    """
    _, c, h, w = x.shape
    strides = (c * h * w, 1, w * c, c)
    if c == 1 and x.is_contiguous():
        return x.as_strided(x.shape, strides)
    if x.stride() == strides:
        return x
    return torch.empty_strided(x.shape, strides, dtype=x.dtype, device=x.device).copy_(x)


class FoldedStage(nn.Module):
    """A `ConvStage` for inference: convolution with folded batch-norm, max-pool, ELU.

    Parameters
    ----------
    stage : ConvStage
    dtype : torch.dtype
        Type it computes in.

    Attributes
    ----------
    then : torch.dtype
        Type of its output.
    """

    def __init__(self, stage: ConvStage, dtype: torch.dtype) -> None:
        super().__init__()
        convolution, norm, pool = stage[0], stage[1], stage[2]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert isinstance(pool, nn.MaxPool2d)
        fused = nn.utils.fuse_conv_bn_eval(convolution, norm)
        assert fused.bias is not None
        self.register_buffer("weight", channels_last(fused.weight.detach().to(dtype)))
        self.register_buffer("bias", fused.bias.detach().to(dtype))
        self.weight: Tensor
        self.bias: Tensor
        high, wide = pool.kernel_size  # type: ignore[misc]
        self.pool, self.then = (high, wide), dtype

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the output of the stage."""
        x = x.to(self.weight.dtype)
        parts = self._parts(x)
        if parts == 1:
            return F.elu_(self._pooled(channels_last(x), 1)).to(self.then)
        columns = self.pool[1] * math.ceil(x.shape[3] / (parts * self.pool[1]))
        padded = F.pad(x, (1, 1))
        some = [
            self._pooled(channels_last(padded[..., i : i + columns + 2].contiguous()), 0)
            for i in range(0, x.shape[3] // self.pool[1] * self.pool[1], columns)
        ]
        return F.elu_(torch.cat(some, dim=3)).to(self.then)

    def _pooled(self, x: Tensor, padding: int) -> Tensor:
        x = F.conv2d(x, self.weight, self.bias, padding=(1, padding))
        return F.max_pool2d(x, self.pool)

    def _parts(self, x: Tensor) -> int:
        """Return the pieces of the time axis whose intermediate output fits in a CPU cache."""
        if x.device.type != "cpu" or x.shape[1] > 1:
            return 1
        size = x.shape[0] * len(self.bias) * x.shape[2] * x.shape[3] * x.element_size()
        return max(1, size // PIECE)


class FoldedGRU(nn.Module):
    """A `Keras1GRU` for inference, with the hard sigmoid's slope and offset in the weights.

    Parameters
    ----------
    gru : Keras1GRU
    """

    def __init__(self, gru: Keras1GRU) -> None:
        super().__init__()
        self.hidden_size, self.n_layers = n, layers = gru.hidden_size, len(gru.biases)
        for i in range(layers):
            inputs, bias = gru.input_weights[i].detach().clone(), gru.biases[i].detach().clone()
            states = gru.state_weights[i].detach()
            inputs[:, : 2 * n] *= 0.2
            bias[: 2 * n] = 0.2 * bias[: 2 * n] + 0.5
            self.register_buffer(f"inputs{i}", inputs)
            self.register_buffer(f"bias{i}", bias)
            self.register_buffer(f"gates{i}", (0.2 * states[:, : 2 * n]).contiguous())
            self.register_buffer(f"candidate{i}", states[:, 2 * n :].contiguous())

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, time, input_size) to the last layer's states, (batch, time, hidden_size)."""
        n = self.hidden_size
        for i in range(self.n_layers):
            inputs, bias = self.get_buffer(f"inputs{i}"), self.get_buffer(f"bias{i}")
            gate_weights, weights = self.get_buffer(f"gates{i}"), self.get_buffer(f"candidate{i}")
            projected = x @ inputs + bias
            state = projected.new_zeros(projected.shape[0], n)
            states = []
            for step in projected.unbind(dim=1):
                gates = torch.addmm(step[:, : 2 * n], state, gate_weights).clamp_(0.0, 1.0)
                update, reset = gates[:, :n], gates[:, n:]
                candidate = torch.addmm(step[:, 2 * n :], reset * state, weights).tanh_()
                state = torch.lerp(candidate, state, update)
                states.append(state)
            x = torch.stack(states, dim=1)
        return x
