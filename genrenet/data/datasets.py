"""Datasets of frames: which part of which song makes an item, and readers of samples.

An item is a dictionary of tensors: ``waveform`` (samples of one frame, raw as stored), ``scale``
(factor that maps it to [-1, 1]), ``label``, ``song`` (row in the part's table), ``start`` (seconds,
not counting silence if the reader leaves it out), ``counted`` (false for padding, silence, and
frames that could not be read) and ``failed`` (could not be read).

A truncated file is used as far as it can be read, with a store and without one; see
`genrenet.data.decoded_audio`. A frame of which less than `READ_SHARE` can be read has failed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.data.distributed import DistributedSampler

from genrenet import audio
from genrenet.audio.errors import failure
from genrenet.audio.sounding import only_sounding
from genrenet.data.decoded_audio import as_far_as_readable
from genrenet.data.frames import FrameSettings, all_frames, filled, random_start

Item = dict[str, Tensor]
Crops = Literal["random", "fixed"]

READ_SHARE = 0.9
"""Minimum share of a frame's samples that must be readable for it to be counted."""

TAIL_SECONDS = 1.0
"""Length of a file's end that is decoded to check that the file is complete, in seconds."""

TRIES = 8
"""Maximum number of random crops of a song that are tried to find one with sound."""

WINDOW = 8
"""Number of chunks of a streamed collection whose items are mixed."""


class Reader(Protocol):
    """Source of the samples of songs: files, a store, or a streamed collection."""

    dtype: str

    @property
    def errors(self) -> dict[str, str]:
        """Files that cannot be read, with the reason."""

    @property
    def truncated(self) -> dict[str, str]:
        """Files that are used as far as they can be read, with the fault."""

    def length(self, path: str) -> int:
        """Return a song's length in samples at the reader's rate; 0 where it cannot be read."""

    def read(self, path: str, start: int, count: int) -> tuple[NDArray[Any], float]:
        """Return sound in ``count`` samples from ``start``, and the factor to map it to [-1, 1]."""


class FileReader:
    """Decode spans of files on request.

    Parameters
    ----------
    paths : sequence of str
        Files that will be read; their lengths are determined at once, and their ends decoded: the
        length of a truncated file is that of its readable part.
    sample_rate : int > 0
        Samples per second, in Hz.

    Attributes
    ----------
    errors : dict
        Files that cannot be read, with the reason.
    truncated : dict
        Files that are used as far as they can be read, with the fault.
    """

    dtype = "float32"

    def __init__(self, paths: Sequence[str], sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.errors: dict[str, str] = {}
        self.truncated: dict[str, str] = {}
        self._lengths: dict[str, int] = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for path, found in zip(paths, pool.map(self._look_up, paths), strict=True):
                length, message = found
                if length:
                    self._lengths[path] = length
                if message:
                    (self.truncated if length else self.errors)[path] = message

    def _look_up(self, path: str) -> tuple[int, str]:
        """Return a file's length in samples, and its fault if any; a header's duration may be
        wrong.
        """
        rate = self.sample_rate
        try:
            begin = max(0, round((audio.probe(path).duration - TAIL_SECONDS) * rate))
            return begin + len(audio.load(path, rate, begin / rate)), ""
        except (audio.TruncatedAudioError, audio.TooShortError):
            samples, _, message = as_far_as_readable(path, rate)
            return len(samples), message
        except audio.AudioError as error:
            return 0, str(error)

    def length(self, path: str) -> int:
        """Return a song's length in samples; 0 where it cannot be read."""
        return self._lengths.get(path, 0)

    def read(self, path: str, start: int, count: int) -> tuple[NDArray[np.float32], float]:
        """Decode a span; see `Reader`."""
        rate = self.sample_rate
        span = audio.load(path, rate, start / rate, count / rate, partial=True)
        expected = min(count, self.length(path) - start)
        if len(span) < READ_SHARE * expected:  # truncated after its length was determined
            found, wanted = (f"{n / rate:.2f} s of a frame" for n in (len(span), expected))
            raise failure(audio.TruncatedAudioError, path, found, wanted)
        return only_sounding(span[:count], rate), 1.0


class FrameDataset(Dataset[Item]):
    """Frames of several songs.

    Parameters
    ----------
    paths : sequence of str
    labels : sequence of int, or ndarray of bool, shape (songs, labels)
        Label of each song; or, for multi-label songs, whether it has each label.
    reader : Reader
    settings : FrameSettings
    crops : {"random", "fixed"}
        ``random``: ``crops_per_song`` items per song, each a random crop that depends only on the
        seed, the epoch and the item, and of which at least half has sound if `TRIES` crops find
        one. ``fixed``: every whole frame of every song.
    crops_per_song : int > 0
    seed : int
        Seed of the random crops.
    """

    def __init__(
        self,
        paths: Sequence[str],
        labels: Sequence[int] | NDArray[Any],
        reader: Reader,
        settings: FrameSettings,
        *,
        crops: Crops = "fixed",
        crops_per_song: int = 1,
        seed: int = 0,
    ) -> None:
        self.paths, self.reader, self.settings = list(paths), reader, settings
        self.crops, self.seed = crops, seed
        given = np.asarray(labels)
        self.labels = given if given.ndim == 2 else given.astype(np.int64)
        self.lengths = np.fromiter(map(reader.length, self.paths), np.int64, len(self.paths))
        if crops == "random":
            readable = np.flatnonzero(self.lengths)
            self.songs = np.repeat(readable, crops_per_song)
            self.starts = np.full(len(self.songs), -1, dtype=np.int64)
        else:
            self.songs, self.starts = all_frames(self.lengths, settings)

    def __len__(self) -> int:
        return len(self.songs)

    def __getitem__(self, key: tuple[int, int, bool] | int) -> Item:
        """Return the item of ``(epoch, index, counted)``, as yielded by `FrameSampler`.

        Lightning's own samplers (``overfit_batches``) yield only the index: always one epoch.
        """
        epoch, index, counted = (0, key, True) if isinstance(key, int) else key
        song = int(self.songs[index])
        start, size = int(self.starts[index]), self.settings.n_samples
        random = np.random.default_rng([self.seed, epoch, index]) if start < 0 else None
        samples, scale, failed = np.zeros(0, dtype=self.reader.dtype), 1.0, False
        for _ in range(1 if random is None else TRIES):
            if random is not None:
                start = random_start(int(self.lengths[song]), self.settings, random)
            try:
                samples, scale = self.reader.read(self.paths[song], start, size)
            except audio.AudioError:
                failed = True  # the data module records the song; the run continues
                break
            if 2 * len(samples) >= min(size, int(self.lengths[song]) - start):
                break
        else:
            samples, failed = samples[:0], random is not None  # mostly silent, wherever it was read
        counted = counted and len(samples) > 0
        waveform = filled(samples if len(samples) else np.zeros(1, samples.dtype), self.settings)
        return {
            "waveform": torch.from_numpy(waveform),
            "scale": torch.tensor(scale, dtype=torch.float32),
            "label": torch.tensor(self.labels[song]),
            "song": torch.tensor(song),
            "start": torch.tensor(start / self.settings.sample_rate, dtype=torch.float32),
            "counted": torch.tensor(counted),
            "failed": torch.tensor(failed),
        }


class CachedDataset(Dataset[Item]):
    """Frames with the precomputed output of the frozen part of a network.

    Items have ``hidden``, that part's output for the frame, instead of ``waveform`` and ``scale``;
    everything else is as in the frames themselves. Whole batches are read at once: use
    `as_they_are` as the loader's collate function.

    Parameters
    ----------
    frames : FrameDataset
        With fixed crops.
    hidden : Tensor, shape (frames, ...)
    failed : Tensor of bool, shape (frames,)
        Frames that could not be read.
    """

    def __init__(self, frames: FrameDataset, hidden: Tensor, failed: Tensor) -> None:
        self.hidden, self.failed = hidden, failed
        self.songs = torch.from_numpy(frames.songs)
        self.labels = torch.from_numpy(frames.labels)[self.songs]
        starts = torch.from_numpy(frames.starts).double() / frames.settings.sample_rate
        self.starts = starts.float()

    def __len__(self) -> int:
        return len(self.hidden)

    def __getitem__(self, key: tuple[int, int, bool]) -> Item:
        """Return the item of ``(epoch, index, counted)``; it is the same in every epoch."""
        return {name: value[0] for name, value in self.__getitems__([key]).items()}

    def __getitems__(self, keys: Sequence[tuple[int, int, bool]]) -> Item:
        """Return a whole batch of items."""
        rows = torch.tensor([index for _, index, _ in keys])
        failed = self.failed[rows]
        return {
            "hidden": self.hidden[rows],
            "label": self.labels[rows],
            "song": self.songs[rows],
            "start": self.starts[rows],
            "counted": torch.tensor([counted for _, _, counted in keys]) & ~failed,
            "failed": failed,
        }


def as_they_are(batch: Any) -> Any:
    """Collate function for items that already are a batch."""
    return batch


class FrameSampler(DistributedSampler[Any]):
    """Yield the items of one process, as ``(epoch, index, counted)``.

    Lightning keeps samplers of torch's distributed kind and sets their epoch. All processes get
    equally many items: padding of the last ones is marked as not counted, so that nothing is
    measured or used for training twice.

    Parameters
    ----------
    dataset : FrameDataset
    shuffle : bool
    num_replicas, rank : int
        Number of processes, and the index of this one.
    seed : int
        Seed of the order, together with the epoch.
    chunks : ndarray of int, shape (items,), optional
        Chunk of each item. A process then takes one contiguous part of the order, not every n-th
        item, and the order is shuffled by chunks: the items of each chunk are spread over the time
        that `WINDOW` chunks take, so that a process needs about as many at a time and each once.
    """

    def __init__(
        self,
        dataset: FrameDataset,
        *,
        shuffle: bool,
        num_replicas: int,
        rank: int,
        seed: int,
        chunks: NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__(dataset, num_replicas, rank, shuffle=shuffle, seed=seed)
        self.n_items, self.chunks = len(dataset), chunks

    def __iter__(self) -> Iterator[Any]:
        """Yield this process's share of the items, in this epoch's order."""
        order = self._order()
        share = range(self.rank, self.total_size, self.num_replicas)
        if self.chunks is not None:
            share = range(self.rank * self.num_samples, (self.rank + 1) * self.num_samples)
        for position in share:
            yield self.epoch, int(order[position % self.n_items]), position < self.n_items

    def _order(self) -> NDArray[np.int64]:
        order = np.arange(self.n_items)
        if not self.shuffle:
            return order
        rng = np.random.default_rng([self.seed, self.epoch])
        if self.chunks is not None:
            names, chunk = np.unique(self.chunks, return_inverse=True)
            if len(names) > WINDOW:
                turn = rng.permutation(len(names))[chunk]
                return np.argsort(turn + WINDOW * rng.random(self.n_items), kind="stable")
        rng.shuffle(order)
        return order
