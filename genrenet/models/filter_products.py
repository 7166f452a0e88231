"""Filter banks of one input channel for inference: matrix products of fewer multiplications.

A `Filters` correlates a log-mel with a kernel that is long along one axis, and keeps each filter's
maximum over the mel bands. Four neighbouring outputs of a filter of four taps take 16
multiplications; Toom and Cook's method takes the 7 that the product of two polynomials of degree 3
takes (Winograd, 1980, "Arithmetic complexity of computations"). Longer filters are sums of such
blocks, so what is left between its two linear transforms are 7 matrix products.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genrenet.models.networks.musicnn import Filters

POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5)
"""Where polynomials are evaluated, besides infinity: with these float32 loses a decimal at most."""

PIECE = 1 << 20
"""Bytes of products at once in single precision: more would leave a core's cache."""


def toom_cook(n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the transforms of a correlation with ``n`` taps to ``n`` outputs.

    Parameters
    ----------
    n : int in {1, ..., 4}

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
        """Return what maps coefficients to values at the points, and at infinity the last one."""
        infinity = torch.eye(size, dtype=torch.float64)[-1:]
        return torch.cat([points[:, None] ** torch.arange(size), infinity])

    inputs = torch.linalg.inv(values(2 * n - 1)).T
    largest = inputs.abs().amax(dim=1, keepdim=True)
    return inputs / largest, values(n) * largest, values(n).T


class FoldedFilters(nn.Module):
    """`Filters` for inference, as matrix products of all the windows a filter looks at.

    Neither ReLU nor a batch-norm with positive slope changes which mel band has the maximum, so
    the maximum is taken first; where the slope is negative, the minimum.

    Parameters
    ----------
    filters : Filters
    dtype : torch.dtype
        Type it computes in. Only float32 takes fewer multiplications, as the transforms round.
    """

    def __init__(self, filters: Filters, dtype: torch.dtype) -> None:
        super().__init__()
        norm, kernel = filters.norm, filters.conv.weight.detach()[:, 0]
        mean, variance, bias = norm.running_mean, norm.running_var, filters.conv.bias
        assert mean is not None
        assert variance is not None
        assert bias is not None
        scale = (norm.weight / (variance + norm.eps).sqrt()).detach()
        self.step = step = 4 if dtype == torch.float32 else 1
        sign = torch.where(scale < 0, -1.0, 1.0) if step > 1 else torch.ones_like(scale)
        self.padding, self.along_time = filters.padding, kernel.shape[2] == 1
        kernel = (kernel.mT if self.along_time else kernel) * sign[:, None, None]
        _, self.across, self.n_taps = kernel.shape
        blocks = -(-self.n_taps // step)
        kernel = F.pad(kernel, (0, blocks * step - self.n_taps)).unflatten(2, (blocks, step))
        inputs, taps, outputs = (matrix.to(kernel.device) for matrix in toom_cook(step))
        weight = torch.einsum("qs,cats->qtac", taps, kernel.double()).flatten(1, 2)
        self.register_buffer("inputs", inputs.to(dtype))
        self.register_buffer("weight", weight.to(dtype).contiguous())
        self.register_buffer("outputs", outputs.to(dtype))
        self.register_buffer("bias", (bias.detach() * sign).to(dtype))
        self.register_buffer("sign", sign)
        self.register_buffer("falling", scale < 0)
        self.register_buffer("scale", scale[:, None])
        self.register_buffer("shift", (norm.bias.detach() - mean * scale)[:, None])
        self.inputs: Tensor
        self.weight: Tensor
        self.outputs: Tensor
        self.bias: Tensor
        self.sign: Tensor
        self.falling: Tensor
        self.scale: Tensor
        self.shift: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 1, time, n_mels) to (batch, channels, time)."""
        x = F.pad(x[:, 0], self.padding)
        n_places = x.shape[1 if self.along_time else 2] - self.n_taps + 1
        windows = self._windows(x.mT if self.along_time else x, n_places)
        find = self._over_rows if self.along_time else self._in_rows
        found = torch.stack([find(one, n_places) for one in windows.unbind(1)])
        return F.relu(found) * self.scale + self.shift

    def _windows(self, x: Tensor, n_places: int) -> Tensor:
        """Return what the products take, transformed: a view of shape (transform, batch, row,
        block of places, taps) of lines of shape (batch, rows, length).
        """
        blocks = -(-n_places // self.step)
        length = blocks + self.weight.shape[1] // self.across - 1
        x = F.pad(x.to(self.weight.dtype), (0, (length + 1) * self.step - 1 - x.shape[2]))
        x = x.unfold(2, len(self.inputs), self.step).permute(3, 0, 1, 2)
        x = (self.inputs @ x.flatten(1)).view(x.shape).unfold(2, self.across, 1).contiguous()
        shape, strides = (*x.shape[:3], blocks, self.weight.shape[1]), x.stride()
        return x.as_strided(shape, (*strides[:3], self.across, 1))

    def _in_rows(self, windows: Tensor, n_places: int) -> Tensor:
        """Return the largest value at any place of each row, of shape (channels, rows)."""
        found = []
        for some in windows.split(self._rows(windows), dim=1):
            products = self._products(some)
            if over := n_places % self.step:
                products[over:, :, -1] = products[:1, :, -1]  # the last block has fewer places
            found.append(self._largest(products.amax(0) if self.step > 1 else products[0], 1))
        return self._values(torch.cat(found)).T

    def _over_rows(self, windows: Tensor, n_places: int) -> Tensor:
        """Return the largest value in any row at each place, of shape (channels, places)."""
        parts = windows.split(self._rows(windows), dim=1)
        found = torch.stack([self._largest(self._products(some), 1) for some in parts])
        return self._values(self._largest(found, 0)).transpose(0, 1).flatten(0, 1)[:n_places].T

    def _rows(self, windows: Tensor) -> int:
        """Return the rows that are computed at once."""
        transforms, rows, blocks, _ = windows.shape
        if self.step == 1 or windows.device.type != "cpu":
            return rows
        return max(1, PIECE // (4 * transforms * blocks * len(self.bias)))

    def _products(self, windows: Tensor) -> Tensor:
        """Return what filters find, of shape (step, rows, blocks, channels)."""
        transforms, rows, blocks, taps = windows.shape
        flat = windows.reshape(transforms, rows * blocks, taps)
        if self.step == 1:
            # Read as integers, numbers in half precision are compared several times faster. They
            # have the same order but for those below zero, which are all one to the ReLU.
            found = torch.addmm(self.bias, flat[0], self.weight[0]).view(torch.int16)
        else:
            found = self.outputs @ torch.bmm(flat, self.weight).flatten(1)
        return found.view(self.step, rows, blocks, -1)

    def _largest(self, x: Tensor, dim: int) -> Tensor:
        """Return the maximum, or the minimum of a falling filter that has not been negated."""
        largest = x.amax(dim)
        return largest if self.step > 1 else torch.where(self.falling, x.amin(dim), largest)

    def _values(self, found: Tensor) -> Tensor:
        """Return numbers in single precision, with the bias and of the filters' own sign."""
        if self.step == 1:
            return found.view(self.bias.dtype).float()
        return (found + self.bias) * self.sign
