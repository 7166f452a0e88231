"""Operations on whole batches: drop frames that are not counted, convert samples to float32."""

from __future__ import annotations

from torch import Tensor

from genrenet.data.datasets import Item


def counted_only(batch: Item) -> Item:
    """Drop the frames of a batch that are not counted.

    Parameters
    ----------
    batch : dict of Tensor
        In CPU memory: which frames are dropped depends on values.

    Returns
    -------
    dict of Tensor
        If no frame is counted, one is kept, so that the process takes part in collective
        operations; the entry ``idle`` marks such a batch.
    """
    counted = batch["counted"]
    if bool(counted.all()):
        return batch
    if bool(counted.any()):
        return {name: value[counted] for name, value in batch.items()}
    return {name: value[:1] for name, value in batch.items()} | {"idle": counted[:1]}


def to_float(waveform: Tensor, scale: Tensor) -> Tensor:
    """Return raw samples as float32 in [-1, 1], on their device.

    Parameters
    ----------
    waveform : Tensor of int16, float16 or float32, shape (batch, samples)
    scale : Tensor, shape (batch,)

    Returns
    -------
    Tensor, shape (batch, samples), float32
    """
    return waveform.float() * scale.unsqueeze(-1)
