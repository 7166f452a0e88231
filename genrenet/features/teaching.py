"""The outputs of teachers for songs: embeddings and logits, computed once and cached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from genrenet.features.caching import iter_embeddings
from genrenet.features.embeddings import layer_sizes
from genrenet.inference.song_reader import open_model
from genrenet.training.distillation import Lesson
from genrenet.training.finetuning.caching import allocate
from genrenet.utils.progress import progress_bar

LAYERS = ["embedding", "logits"]

Progress = Callable[[int, int], None]


def lessons_of(
    teachers: Sequence[str], paths: Sequence[str], *, device: str | None = None
) -> tuple[list[Lesson], dict[str, str]]:
    """Compute the outputs of teachers for all consecutive frames of songs.

    Every song is cached as soon as it is done: an interrupted run resumes from there.

    Parameters
    ----------
    teachers : sequence of str
        Arguments of `genrenet.models.checkpoints.load_model`.
    paths : sequence of str
        Files.
    device : str, optional
        Device of the teachers; by default the fastest available.

    Returns
    -------
    lessons : list of Lesson
        One per teacher, with the songs in the order of ``paths``; songs that cannot be read, or are
        silent, have no frames.
    errors : dict of str to str
        Errors of files, by path. A truncated file has frames as well.

    Raises
    ------
    CheckpointError, InferenceError, CacheError
        See `genrenet.features.iter_embeddings`.
    CacheSizeError
        There is not enough space for the outputs.
    """
    errors: dict[str, str] = {}
    found = []
    for name in teachers:
        with progress_bar(f"teacher {name}") as show:
            found.append(_lesson(name, paths, errors, device, show))
    return found, errors


def _lesson(
    name: str, paths: Sequence[str], errors: dict[str, str], device: str | None, show: Progress
) -> Lesson:
    model = open_model(name, device)
    sizes = layer_sizes(model)
    layers = [layer for layer in LAYERS if layer in sizes]
    counts = np.zeros(len(paths), np.int64)
    whole: Any = {"trim": 0.0, "frames": "whole", "model": model}
    songs = iter_embeddings(paths, name, layers, progress=show, **whole)
    for row, song in enumerate(songs):
        counts[row] = len(song.frames)
        if song.error:
            errors[song.path] = song.error
    first = torch.from_numpy(np.concatenate([[0], np.cumsum(counts)]))
    values = allocate(
        (int(counts.sum()), sum(sizes[layer] for layer in layers)),
        what=f"what the teacher {name} says of {len(paths)} songs",
        remedy="take fewer songs or teachers, or set GENRENET_CACHE",
    )
    heard = [path for path, count in zip(paths, counts, strict=True) if count]
    row = 0
    # All are cached by now: their number of frames had to be known first.
    for song in iter_embeddings(heard, name, layers, **whole):
        values[row : row + len(song.frames)] = torch.from_numpy(song.frames)
        row += len(song.frames)
    about = model.labels, model.frames.seconds, values, first
    return Lesson(name, *about, model.activation, model.aggregation)
