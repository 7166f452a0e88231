"""Cache the output of the frozen lower stages, computed once per frame, during training.

Conventions
-----------
The trunk is run in eval mode and in float32, whatever the precision of training, and its output is
kept in float32: in memory, or from `IN_MEMORY` bytes on in an unnamed file, which the system
removes when the process ends, in whatever way. Each of several processes on a machine keeps its
own, and may use its share of the space.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from genrenet.data.batches import to_float
from genrenet.data.datamodule import GenreDataModule
from genrenet.data.datasets import Item
from genrenet.training.module import GenreClassifier
from genrenet.utils.cache import cache_folder
from genrenet.utils.errors import GenrenetError, printable

IN_MEMORY = 1 << 30
"""Maximum size of the hidden values kept in memory, in bytes."""

OF_DISK = 0.25
"""Maximum share of the free disk space for hidden values."""


class CacheSizeError(GenrenetError):
    """Hidden values for which there is not enough space."""


def run_trunk(model: GenreClassifier, batch: Item, until: str) -> Tensor:
    """Return the output of a network's stage ``until`` for a batch of frames, in float32, without
    gradients.

    The stages up to there must be in eval mode.
    """
    with torch.no_grad():
        logmel = model.frontend(to_float(batch["waveform"], batch["scale"]))
        dtype = model.network.head.weight.dtype
        return model.network.forward_features(logmel.to(dtype), until=until).float()


def cache_trunk(
    model: GenreClassifier,
    data: GenreDataModule,
    until: str,
    progress: Callable[[int, int], None] | None = None,
    processes: int = 1,
) -> int:
    """Run the trunk on training and validation frames, and use its output as the data.

    Parameters
    ----------
    model : GenreClassifier
        On its device.
    data : GenreDataModule
        Set up for fitting, with fixed crops.
    until : str
        The last stage to run.
    progress : callable, optional
        Called with (frames done, total number of frames).
    processes : int > 0
        Number of processes on this machine that do the same.

    Returns
    -------
    int
        Size of the cache.

    Raises
    ------
    CacheSizeError
        Neither memory nor disk is large enough for them; nothing is kept then.
    CacheError
        The cache folder cannot be created.
    """
    sizes = {name: len(data.dataset(name)) for name in ("train", "validation")}
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        hidden, failed = _compute(model, data, until, sizes, progress, processes)
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
    processes: int,
) -> tuple[Tensor, Tensor]:
    total, row = sum(sizes.values()), 0
    hidden: Tensor | None = None
    failed = torch.zeros(total, dtype=torch.bool)
    for name in (name for name, size in sizes.items() if size):
        for batch in data.in_order(name):
            moved = {key: batch[key].to(model.device) for key in ("waveform", "scale")}
            found = run_trunk(model, moved, until)
            if hidden is None:
                hidden = allocate((total, *found.shape[1:]), processes)
            rows = slice(row, row + len(found))
            hidden[rows], failed[rows] = found.cpu(), ~batch["counted"]
            row = rows.stop
            if progress is not None:
                progress(row, total)
    assert hidden is not None  # a data module without training frames cannot be set up
    return hidden, failed


def allocate(
    shape: tuple[int, ...],
    processes: int = 1,
    *,
    what: str = "the frozen stages' output",
    remedy: str = "let fewer stages learn, pass cache_trunk: false, or set GENRENET_CACHE",
) -> Tensor:
    """Return space for hidden values: memory, or a memory-mapped file if they are many.

    Parameters
    ----------
    shape : tuple of int
    processes : int > 0
        Number of processes on this machine that request the same space.
    what, remedy : str
        What is to be stored, and the remedy if there is no space, for error messages.

    Returns
    -------
    Tensor, float32

    Raises
    ------
    CacheSizeError
        All processes together would use more than `OF_DISK` of the free disk space, or it is full.
    CacheError
        The cache folder cannot be created.
    """
    size = 4 * int(np.prod(shape))
    if size <= IN_MEMORY / processes:
        return torch.empty(shape)
    folder = cache_folder("trunks")
    what = f"{what} does not fit into '{printable(folder)}'"
    try:
        free = shutil.disk_usage(folder).free
        if size > OF_DISK * free / processes:
            together = f", in each of {processes} processes" if processes > 1 else ""
            raise CacheSizeError(
                what,
                found=f"{size / 1e9:.1f} GB for {shape[0]} frames{together}",
                wanted=f"at most {OF_DISK:.0%} of the {free / 1e9:.1f} GB free",
                remedy=remedy,
            )
        with tempfile.TemporaryFile(dir=folder) as file:  # the mapping outlives the open file
            if hasattr(os, "posix_fallocate"):
                # Writing to a hole of a memory-mapped file on a full disk would kill the process.
                os.posix_fallocate(file.fileno(), 0, size)
            return torch.from_numpy(np.memmap(file, np.float32, "w+", shape=shape))
    except OSError as error:
        raise CacheSizeError(what, found=str(error), remedy=remedy) from error
