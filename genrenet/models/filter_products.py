"""Filter banks of one input channel for inference: matrix products of fewer multiplications.

A `Filters` correlates a log-mel with a kernel that is long along one axis, and keeps each filter's
maximum over the mel bands. Four neighbouring outputs of a filter of four taps take 16
multiplications; Toom and Cook's method takes the 7 that the product of two polynomials of degree 3
takes (Winograd, 1980, "Arithmetic complexity of computations"). Longer filters are sums of such
blocks, so what is left between its two linear transforms are 7 matrix products.

Half precision does not use the transforms, which would lose accuracy, as it multiplies faster than
it reads memory: its windows hold the inputs of four neighbouring outputs, with zeros in the
weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genrenet.models.networks.musicnn import Filters

POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5)
"""Evaluation points besides infinity: with these, float32 loses at most one decimal digit."""

STEP = 4
"""Neighbouring outputs of a filter that are computed together."""

PIECE = 1 << 20
"""Bytes of products at once in single precision: more would leave a core's cache."""


def toom_cook(n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the transforms of a correlation with ``n`` taps to ``n`` outputs.

    Parameters
    ----------
    n : int in {1, ..., 4}
        Number of taps, and of outputs.

    Returns
    -------
    inputs : Tensor, shape (2n - 1, 2n - 1)
    taps : Tensor, shape (2n - 1, n)
    outputs : Tensor, shape (n, 2n - 1)
        In float64, so that ``outputs @ ((inputs @ x) * (taps @ w))`` is the correlation of ``x``,
        shape (2n - 1,), with ``w``, shape (n,).
    """
    points = torch.tensor(POINTS[: 2 * n - 2], dtype=torch.float64)

    def values(size: int) -> Tensor:
        """Return the matrix from coefficients to values at the points; at infinity the last one."""
        infinity = torch.eye(size, dtype=torch.float64)[-1:]
        return torch.cat([points[:, None] ** torch.arange(size), infinity])

    inputs = torch.linalg.inv(values(2 * n - 1)).T
    largest = inputs.abs().amax(dim=1, keepdim=True)
    return inputs / largest, values(n) * largest, values(n).T


class FoldedFilters(nn.Module):
    """`Filters` for inference, as matrix products of all the windows of a filter.

    Neither ReLU nor a batch-norm with positive slope changes which mel band has the maximum, so
    the maximum is taken first; where the slope is negative, the minimum.

    Parameters
    ----------
    filters : Filters
    dtype : torch.dtype
        Type it computes in.
    """

    def __init__(self, filters: Filters, dtype: torch.dtype) -> None:
        super().__init__()
        norm, kernel = filters.norm, filters.conv.weight.detach()[:, 0]
        mean, variance, bias = norm.running_mean, norm.running_var, filters.conv.bias
        assert mean is not None
        assert variance is not None
        assert bias is not None
        scale = (norm.weight / (variance + norm.eps).sqrt()).detach()
        self.padding, self.along_time = filters.padding, kernel.shape[2] == 1
        kernel = kernel.mT if self.along_time else kernel
        _, self.across, self.n_taps = kernel.shape
        self.single = dtype == torch.float32
        inputs, taps, outputs = (matrix.to(kernel.device) for matrix in toom_cook(STEP))
        weight = _transformed(kernel, taps) if self.single else _repeated(kernel)
        if self.single:  # a minimum is the negated filter's maximum
            weight = torch.where(scale < 0, -weight, weight)
        self.register_buffer("weight", weight.to(dtype).contiguous())
        self.register_buffer("inputs", inputs.to(dtype))
        self.register_buffer("outputs", outputs.to(dtype))
        self.register_buffer("bias", bias.detach().to(dtype))
        self.register_buffer("falling", scale < 0)
        self.register_buffer("scale", scale[:, None])
        self.register_buffer("shift", (norm.bias.detach() - mean * scale)[:, None])
        self.weight: Tensor
        self.inputs: Tensor
        self.outputs: Tensor
        self.bias: Tensor
        self.falling: Tensor
        self.scale: Tensor
        self.shift: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, time, n_mels) to (batch, channels, time)."""
        x = F.pad(x[:, 0], self.padding)
        x = x.mT if self.along_time else x
        n_places = x.shape[2] - self.n_taps + 1
        windows = self._windows(x, n_places)
        find = self._largest if self.single else self._largest_in_half
        found = torch.stack([find(one, n_places) for one in windows.unbind(1)])
        return F.relu(found.mT) * self.scale + self.shift

    def _windows(self, x: Tensor, n_places: int) -> Tensor:
        """Return the input of the products: a view of shape (transform, batch, row, block of
        places, taps) of lines of shape (batch, rows, length).
        """
        blocks, taps = -(-n_places // STEP), self.weight.shape[1]
        step = 1 if self.single else STEP
        length = (blocks - 1) * step + taps // self.across
        x = x.to(self.weight.dtype)
        if self.single:
            x = F.pad(x, (0, (length + 1) * STEP - 1 - x.shape[2]))
            x = x.unfold(2, len(self.inputs), STEP).permute(3, 0, 1, 2)
            x = (self.inputs @ x.flatten(1)).view(x.shape)
        else:
            x = F.pad(x, (0, length - x.shape[2]))[None]
        x = x.unfold(2, self.across, 1).contiguous()
        strides = (*x.stride()[:3], step * self.across, 1)
        return x.as_strided((*x.shape[:3], blocks, taps), strides)

    def _largest(self, windows: Tensor, n_places: int) -> Tensor:
        """Return the largest value of each row, or along time at each place, in single precision:
        (rows or places, channels).
        """
        transforms, _, blocks, taps = windows.shape
        rows = max(1, PIECE // (4 * transforms * blocks * len(self.bias)))
        parts = []
        for some in windows.split(rows, dim=1):
            products = torch.bmm(some.reshape(transforms, -1, taps), self.weight)
            values = (self.outputs @ products.flatten(1)).view(STEP, -1, blocks, len(self.bias))
            if self.along_time:
                parts.append(values.amax(1))
                continue
            if over := n_places % STEP:
                values[over:, :, -1] = values[:1, :, -1]  # the last block has fewer places
            parts.append(values.amax(0).amax(1))
        if self.along_time:
            found = torch.stack(parts).amax(0).transpose(0, 1).flatten(0, 1)[:n_places]
        else:
            found = torch.cat(parts)
        return torch.where(self.falling, -found, found) + self.bias

    def _largest_in_half(self, windows: Tensor, n_places: int) -> Tensor:
        """Return the same values as `_largest` from products in half precision."""
        _, rows, _, taps = windows.shape
        products = torch.addmm(self.bias.repeat(STEP), windows.reshape(-1, taps), self.weight[0])
        # Read as integers, half-precision numbers are compared several times faster. Their order is
        # the same except below zero, where the ReLU makes all equal.
        values = products.view(torch.int16).view(rows, -1, len(self.bias))[:, :n_places]
        dim = 0 if self.along_time else 1
        found = torch.where(self.falling, values.amin(dim), values.amax(dim))
        return found.view(self.bias.dtype).float()


def _transformed(kernel: Tensor, taps: Tensor) -> Tensor:
    """Return the weights of the products between the transforms: (transforms, taps, channels)."""
    blocks = -(-kernel.shape[2] // STEP)
    kernel = F.pad(kernel, (0, blocks * STEP - kernel.shape[2])).unflatten(2, (blocks, STEP))
    return torch.einsum("qs,cats->qtac", taps, kernel.double()).flatten(1, 2)


def _repeated(kernel: Tensor) -> Tensor:
    """Return the weights of neighbouring places side by side: (1, taps, places and channels)."""
    kernel = kernel.permute(2, 1, 0)  # taps, across, channels
    places = [F.pad(kernel, (0, 0, 0, 0, i, STEP - 1 - i)) for i in range(STEP)]
    return torch.stack(places, dim=2).flatten(0, 1).flatten(1)[None]
