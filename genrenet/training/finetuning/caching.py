"""The output of the stages that never learn, computed once per frame and kept while training.

Conventions
-----------
The trunk is run in eval mode and in float32, whatever the precision of training, and its output is
kept in float32: in memory, or from `IN_MEMORY` bytes on in a file without a name, which the system
removes when the process ends, however it ends. Of several processes on a machine each keeps its
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
"""Bytes of hidden values that are kept in memory."""

OF_DISK = 0.25
"""Share of the free disk that hidden values may take."""


class CacheSizeError(GenrenetError):
    """Hidden values that there is no space for."""


def run_trunk(model: GenreClassifier, batch: Item, until: str) -> Tensor:
    """Return the output of a network's stage ``until`` for a batch of frames, in float32, without a
    gradient.

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
    processes : int > 0
        Processes on this machine that do the same.

    Returns
    -------
    int
        Bytes that are kept.

    Raises
    ------
    CacheSizeError
        Neither the memory nor the disk is large enough for them; nothing is kept then.
    CacheError
        The cache's folder cannot be made.
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
    """Return space for hidden values: memory, or a mapped file where they are many.

    Parameters
    ----------
    shape : tuple of int
    processes : int > 0
        Processes on this machine that ask for the same space.
    what, remedy : str
        What is to be kept, and what helps where there is no space, for errors.

    Returns
    -------
    Tensor, float32

    Raises
    ------
    CacheSizeError
        All processes' together would take more than `OF_DISK` of the free disk, or it is full.
    CacheError
        The cache's folder cannot be made.
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
                # Writing to a mapped hole of a file when the disk is full would end the process.
                os.posix_fallocate(file.fileno(), 0, size)
            return torch.from_numpy(np.memmap(file, np.float32, "w+", shape=shape))
    except OSError as error:
        raise CacheSizeError(what, found=str(error), remedy=remedy) from error
