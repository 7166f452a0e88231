"""From paths to batches of frames: songs are found, decoded, and cut as a model wants.

Songs are streamed: a frame is decoded, used and forgotten, so memory does not grow with a file's
length.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genrenet import audio
from genrenet.checkpoints import load_checkpoint
from genrenet.classifier import GenreClassifier
from genrenet.errors import GenrenetError, printable
from genrenet.frames import FrameSettings, frame_starts, spread, usable_part

MIN_SECONDS = 0.5
"""Audio shorter than this says nothing about a genre."""


class InferenceError(GenrenetError):
    """A request that no file can answer."""


def find_songs(
    paths: Iterable[str | os.PathLike[str]], *, unreadable: list[str] | None = None
) -> Iterator[str]:
    """Audio files named by paths, and those below folders, in a stable order.

    Files that are named are taken whatever their suffix, and whether they exist or not: their
    error belongs in the results. Folders give the files whose suffix is an audio file's. Links to
    folders are followed, but no folder is entered twice, so loops end.

    Parameters
    ----------
    paths : iterable of path
    unreadable : list of str, optional
        Takes the folders that cannot be looked into.

    Yields
    ------
    str
    """

    def missed(error: OSError) -> None:
        if unreadable is not None:
            unreadable.append(str(error.filename))

    for given in paths:
        path = os.fspath(given)
        if not os.path.isdir(path):
            yield path
            continue
        entered: set[str] = set()
        for folder, folders, files in os.walk(path, onerror=missed, followlinks=True):
            place = os.path.realpath(folder)
            if place in entered:
                folders.clear()
                continue
            entered.add(place)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                path = os.path.join(folder, name)
                if not name.startswith(".") and audio.is_audio_path(path):
                    yield path


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
    audio.start()  # it gets ready while the model is read
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
    """Frames of one file.

    Parameters
    ----------
    path : str
    settings : FrameSettings
        How to cut it.
    batch_frames : int > 0
        Most frames in a batch.
    only : int > 0, optional
        Decode no more than so many frames, evenly spread over the song, and nothing between them.

    Attributes
    ----------
    error : str or None
        What was wrong with the file; final once `batches` has come to its end. A truncated file has
        both an error and frames.
    notes : list of str
        What a reader of a result should know, such as a shortened trim.
    silent : bool
        Whether all frames so far were zeros.
    duration : float or None
        Seconds, as soon as the file has been opened.
    """

    def __init__(
        self, path: str, settings: FrameSettings, batch_frames: int = 4, only: int | None = None
    ) -> None:
        self.path, self.settings, self.batch_frames = path, settings, batch_frames
        self.only = only
        self.error: str | None = None
        self.notes: list[str] = []
        self.silent = True
        self.duration: float | None = None
        self._spans: list[tuple[int, int]] = []

    def batches(self) -> Iterator[Tensor]:
        """Frames from the first to the last, once.

        Yields
        ------
        Tensor, shape (<= batch_frames, samples)
            In [-1, 1]; a song shorter than a frame is padded with zeros.
        """
        waiting: list[Tensor] = []
        try:
            for start, block in self._blocks():
                waiting.append(self._frame(start, block))
                if len(waiting) == self.batch_frames:
                    yield torch.stack(waiting)
                    waiting = []
        except (audio.AudioError, InferenceError) as error:  # what came before it is good
            self.error = str(error)
        if waiting:
            yield torch.stack(waiting)
        if self.silent and self.error is None:
            self.error = f"'{printable(self.path)}' is silent: found only zeros, wanted music"

    def span(self, frame: int) -> tuple[float, float]:
        """Where a frame that has been decoded begins and ends in the song, in seconds."""
        begin, end = self._spans[frame]
        return begin / self.settings.sample_rate, end / self.settings.sample_rate

    def _blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Samples of the frames, each with where it begins."""
        rate, length = self.settings.sample_rate, self.settings.n_samples
        with closing(audio.AudioFile(self.path)) as file:
            self.duration = file.info.duration
            total = round(self.duration * rate)
            part = usable_part(total, self.settings)
            if part.shortened:
                self.notes.append(
                    f"trimmed {part.trim:.1f} s instead of {self.settings.trim:g} s: the song is "
                    "short"
                )
            starts = frame_starts(total, self.settings)
            if self.only is not None and self.only < len(starts):
                for start in spread(starts, self.only).tolist():
                    span = start / rate, length / rate
                    yield start, audio.load(self.path, rate, *span, notes=self.notes)
                return
            blocks = file.stream(
                rate,
                block_seconds=self.settings.seconds,
                offset=part.begin / rate,
                duration=(part.end - part.begin) / rate if part.begin else None,
            )
            for number, block in enumerate(blocks):
                # A resampled stream may end a few samples early: that is still a whole frame.
                if number == 0 or len(block) >= length - 16:
                    yield part.begin + number * length, block
            self.notes += file.notes

    def _frame(self, start: int, block: NDArray[np.float32]) -> Tensor:
        rate, length = self.settings.sample_rate, self.settings.n_samples
        if len(block) < MIN_SECONDS * rate:
            raise InferenceError(
                f"'{printable(self.path)}' is too short",
                found=f"{len(block) / rate:.2f} s",
                wanted=f"at least {MIN_SECONDS:g} s",
            )
        frame = torch.zeros(length)
        frame[: len(block)] = torch.from_numpy(block[:length])
        self.silent = self.silent and not bool(frame.any())
        self._spans.append((start, start + min(length, len(block))))
        return frame
