"""From paths to batches of frames: songs are found, decoded one ahead, and cut as a model wants.

Songs are streamed: a frame is decoded, used and forgotten, so memory does not grow with a file's
length. The next song is decoded while the network looks at the present one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genrenet import audio
from genrenet.checkpoints import load_checkpoint
from genrenet.classifier import GenreClassifier
from genrenet.errors import GenrenetError, printable
from genrenet.frames import FrameSettings, usable_part

MIN_SECONDS = 0.5
"""Audio shorter than this says nothing about a genre."""


class InferenceError(GenrenetError):
    """A request that no file can answer."""


def find_songs(paths: Iterable[str | os.PathLike[str]]) -> Iterator[str]:
    """Audio files named by paths, and those below folders, in a stable order.

    Files that are named are taken whatever their suffix, and whether they exist or not: their
    error belongs in the results. Folders give the files whose suffix is an audio file's. Links to
    folders are followed, but no folder is entered twice, so loops end.

    Parameters
    ----------
    paths : iterable of path

    Yields
    ------
    str
    """
    for given in paths:
        path = os.fspath(given)
        if not os.path.isdir(path):
            yield path
            continue
        entered: set[str] = set()
        for folder, folders, files in os.walk(path, followlinks=True):
            place = os.path.realpath(folder)
            if place in entered:
                folders.clear()
                continue
            entered.add(place)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if audio.is_audio_path(name) and not name.startswith("."):
                    yield os.path.join(folder, name)


def songs_or_error(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Files of `find_songs`, of which there must be one at least.

    Raises
    ------
    InferenceError
        There is none.
    """
    given = list(paths)
    songs = list(find_songs(given))
    if not songs:
        raise InferenceError(
            "no audio files in " + ", ".join(f"'{printable(Path(path))}'" for path in given),
            wanted=f"files such as {', '.join(sorted(audio.SUFFIXES)[:6])} ...",
        )
    return songs


def open_model(checkpoint: str | os.PathLike[str], device: str | None = None) -> GenreClassifier:
    """Model of a checkpoint on the best device, or on a named one.

    Raises
    ------
    CheckpointError
        The checkpoint cannot be used.
    InferenceError
        There is no such device.
    """
    model = load_checkpoint(checkpoint)
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:  # torch raises either for a missing device
        raise InferenceError(
            f"no device '{device}'",
            found=str(error).splitlines()[0],
            remedy="leave it out for the best there is",
        ) from error


class SongFrames:
    """Frames of one file, the first of them decoded ahead by a worker thread; see `decode_ahead`.

    Attributes
    ----------
    path : str
    error : str or None
        What was wrong with the file; final once `batches` has come to its end. A truncated file has
        both an error and frames.
    notes : list of str
        What a reader of a result should know, such as a shortened trim.
    silent : bool
        Whether all frames so far were zeros.
    """

    def __init__(self, path: str, settings: FrameSettings, batch_frames: int) -> None:
        self.path, self.settings, self.batch_frames = path, settings, batch_frames
        self.error: str | None = None
        self.notes: list[str] = []
        self.begin = 0
        self.n_samples = 0
        self.silent = True
        self._blocks: Iterator[NDArray[np.float32]] = iter(())
        self._ahead: Future[Tensor | None] | None = None

    def start(self, pool: ThreadPoolExecutor) -> None:
        """Let a worker open the file and decode its first batch of frames."""
        self._ahead = pool.submit(self._first)

    def batches(self) -> Iterator[Tensor]:
        """Frames from the first to the last, once.

        Yields
        ------
        Tensor, shape (<= batch_frames, samples)
            In [-1, 1]; a song shorter than a frame is padded with zeros.
        """
        batch = self._first() if self._ahead is None else self._ahead.result()
        while batch is not None:
            self.silent = self.silent and not bool(batch.any())
            yield batch
            batch = self._next()
        if self.silent and self.error is None:
            self.error = f"'{printable(self.path)}' is silent: found only zeros, wanted music"

    def span(self, frame: int) -> tuple[float, float]:
        """Where a frame that has been decoded begins and ends in the song, in seconds."""
        rate, length = self.settings.sample_rate, self.settings.n_samples
        start = (self.begin + frame * length) / rate
        return start, min(start + length / rate, (self.begin + self.n_samples) / rate)

    def _first(self) -> Tensor | None:
        rate = self.settings.sample_rate
        try:
            total = round(audio.probe(self.path).duration * rate)
        except audio.AudioError as error:
            self.error = str(error)
            return None
        part = usable_part(total, self.settings)
        if part.shortened:
            self.notes.append(
                f"trimmed {part.trim:.1f} s instead of {self.settings.trim:g} s: the song is short"
            )
        self.begin = part.begin
        self._blocks = audio.stream(
            self.path,
            rate,
            block_seconds=self.settings.seconds,
            offset=part.begin / rate,
            duration=(part.end - part.begin) / rate if part.begin else None,
        )
        return self._next()

    def _next(self) -> Tensor | None:
        frames: list[Tensor] = []
        length = self.settings.n_samples
        while len(frames) < self.batch_frames:
            try:
                block = next(self._blocks, None)
            except audio.TruncatedAudioError as error:
                self.error, block = str(error), None
            except audio.AudioError as error:
                self.error = str(error)
                return None
            if block is None:
                break
            only = self.n_samples == 0
            self.n_samples += len(block)
            # A resampled stream may end a few samples early: that is still a whole frame.
            if len(block) < length - 16 and not only:
                continue
            if len(block) < MIN_SECONDS * self.settings.sample_rate:
                self.error = self.error or str(self._too_short(len(block)))
                return None
            padded = torch.zeros(length)
            padded[: len(block)] = torch.from_numpy(block[:length])
            frames.append(padded)
        return torch.stack(frames) if frames else None

    def _too_short(self, n_samples: int) -> InferenceError:
        return InferenceError(
            f"'{printable(self.path)}' is too short",
            found=f"{n_samples / self.settings.sample_rate:.2f} s",
            wanted=f"at least {MIN_SECONDS:g} s",
        )


def decode_ahead(
    paths: Iterable[str], settings: FrameSettings, *, batch_frames: int = 4
) -> Iterator[SongFrames]:
    """Open songs one after another, each while its predecessor is being used.

    Parameters
    ----------
    paths : iterable of str
        Files, good or bad.
    settings : FrameSettings
        How to cut them.
    batch_frames : int > 0
        Most frames in a batch.

    Yields
    ------
    SongFrames
        In the order of ``paths``. Use up its `SongFrames.batches` before the next song.
    """
    with ThreadPoolExecutor(1) as pool:
        former: SongFrames | None = None
        for path in paths:
            song = SongFrames(path, settings, batch_frames)
            song.start(pool)
            if former is not None:
                yield former
            former = song
        if former is not None:
            yield former
