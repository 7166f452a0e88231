"""Find non-finite numbers in weights before they are saved or used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from genrenet.utils.errors import GenrenetError


class NonFiniteError(GenrenetError):
    """NaN or infinity in a loss, in weights or in the statistics of batch-norms."""


def non_finite(state: Mapping[str, Any]) -> list[str]:
    """Return the names of the tensors that contain NaN or infinity.

    Parameters
    ----------
    state : mapping of str to Tensor
        For example a module's ``state_dict``; other values than floating-point tensors are ignored.

    Returns
    -------
    list of str
        The device is synchronised once, however many tensors there are.
    """
    tensors = {
        name: value
        for name, value in state.items()
        if isinstance(value, Tensor) and value.is_floating_point() and value.numel()
    }
    if not tensors:
        return []
    device = next(iter(tensors.values())).device
    finite = torch.stack([value.isfinite().all().to(device) for value in tensors.values()])
    return [name for name, good in zip(tensors, finite.tolist(), strict=True) if not good]
