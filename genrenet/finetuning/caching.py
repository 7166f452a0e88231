"""The output of the stages that never learn, computed once a frame and kept while training.

Conventions
-----------
The trunk is run in eval mode and in float32, whatever the precision of training, and its output is
kept in float32: in memory, or from `IN_MEMORY` bytes on in a file without a name, which the system
removes when the process ends, however it ends.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from genrenet.cache import cache_folder
from genrenet.classifier import GenreClassifier
from genrenet.data import Item
from genrenet.datamodule import GenreDataModule, to_float
from genrenet.errors import GenrenetError, printable

IN_MEMORY = 1 << 30
"""Bytes of hidden values that are kept in memory."""

OF_DISK = 0.25
"""Share of the free disk that hidden values may take."""


class CacheSizeError(GenrenetError):
    """Hidden values that there is no room for."""


def run_trunk(model: GenreClassifier, batch: Item, until: str) -> Tensor:
    """Output of a network's stage ``until`` for a batch of frames, in float32, without a gradient.

    The stages up to there must be in eval mode.
    """
    with torch.no_grad():
        logmel = model.frontend(to_float(batch["waveform"], batch["scale"]))
        dtype = model.network.head.weight.dtype
        return model.network.through(logmel.to(dtype), until=until).float()


def cache_trunk(
    model: GenreClassifier,
    data: GenreDataModule,
    until: str,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Run the trunk over training and validation frames, and let the data module give its output.

    Parameters
    ----------
    model : GenreClassifier
        On its device.
    data : GenreDataModule
        Set up for fitting, with fixed crops.
    until : str
        The last stage to run.
    progress : callable, optional
        Told the number of frames done, and of all.

    Returns
    -------
    int
        Bytes that are kept.

    Raises
    ------
    CacheSizeError
        There is neither memory nor disk to be had for them; nothing is kept then.
    """
    sizes = {name: len(data.dataset(name)) for name in ("train", "validation")}
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        hidden, failed = _compute(model, data, until, sizes, progress)
    finally:
        for module, mode in modes.items():
            module.training = mode
    row = 0
    for name, size in sizes.items():
        data.keep_hidden(name, hidden[row : row + size], failed[row : row + size])
        row += size
    model.trunk_end = until
    return hidden.nbytes


def _compute(
    model: GenreClassifier,
    data: GenreDataModule,
    until: str,
    sizes: Mapping[str, int],
    progress: Callable[[int, int], None] | None,
) -> tuple[Tensor, Tensor]:
    total, row = sum(sizes.values()), 0
    hidden: Tensor | None = None
    failed = torch.zeros(total, dtype=torch.bool)
    for name in (name for name, size in sizes.items() if size):
        for batch in data.in_order(name):
            moved = {key: batch[key].to(model.device) for key in ("waveform", "scale")}
            found = run_trunk(model, moved, until)
            if hidden is None:
                hidden = allocate((total, *found.shape[1:]))
            rows = slice(row, row + len(found))
            hidden[rows], failed[rows] = found.cpu(), batch["failed"]
            row = rows.stop
            if progress is not None:
                progress(row, total)
    assert hidden is not None  # a data module without training frames cannot be set up
    return hidden, failed


def allocate(shape: tuple[int, ...]) -> Tensor:
    """Room for hidden values: memory, or a mapped file where they are many.

    Parameters
    ----------
    shape : tuple of int

    Returns
    -------
    Tensor, float32

    Raises
    ------
    CacheSizeError
        They would take more than `OF_DISK` of the free disk.
    """
    size = 4 * int(np.prod(shape))
    if size <= IN_MEMORY:
        return torch.empty(shape)
    folder = cache_folder("trunks")
    free = shutil.disk_usage(folder).free
    if size > OF_DISK * free:
        raise CacheSizeError(
            f"the frozen stages' output does not fit into '{printable(folder)}'",
            found=f"{size / 1e9:.1f} GB for {shape[0]} frames",
            wanted=f"at most {OF_DISK:.0%} of the {free / 1e9:.1f} GB free",
            remedy="let fewer stages learn, pass cache_trunk: false, or set GENRENET_CACHE",
        )
    with tempfile.TemporaryFile(dir=folder) as file:  # the mapping outlives the open file
        return torch.from_numpy(np.memmap(file, np.float32, "w+", shape=shape))
