"""Read songs as batches of frames: find files, decode them, and cut them as a model expects.

Songs are streamed: each frame is decoded, used and released, so memory does not grow with a file's
length.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor

from genrenet import audio
from genrenet.audio.names import find_songs as find_songs
from genrenet.data.decoded_audio import CONTENT_ERRORS
from genrenet.data.frames import FrameSettings, filled
from genrenet.data.heard import Heard
from genrenet.inference.frame_reader import Cut, end_to_end, is_near, some
from genrenet.models.checkpoints import load_model
from genrenet.models.model import GenreModel
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.hardware import best_device


class InferenceError(GenrenetError):
    """A request that cannot be fulfilled with any file."""


def songs_or_error(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Return the files of `find_songs`, at least one.

    Raises
    ------
    InferenceError
        There are none.
    """
    given = list(paths)
    songs = list(find_songs(given))
    if not songs:
        raise InferenceError(
            "no audio files in " + ", ".join(f"'{printable(Path(path))}'" for path in given),
            wanted=f"files such as {', '.join(sorted(audio.SUFFIXES)[:6])} ...",
        )
    return songs


def open_model(checkpoint: str | os.PathLike[str], device: str | None = None) -> GenreModel:
    """Return the model of a checkpoint on the best device, or on a named one.

    Raises
    ------
    CheckpointError
        The checkpoint cannot be used.
    InferenceError
        There is no such device.
    """
    audio.start()  # its imports run while the model is loaded
    model = load_model(checkpoint, quick=True)
    device = device or best_device()
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:  # torch raises either for a missing device
        raise InferenceError(
            f"no device '{device}'",
            found=str(error).splitlines()[0],
            remedy="omit it to use the fastest one",
        ) from error


class SongFrames:
    """Frames of the sound of one file; see `genrenet.audio.sounding`.

    Parameters
    ----------
    path : str
    settings : FrameSettings
        How to cut the file into frames.
    batch_frames : int > 0
        Maximum number of frames in a batch.
    heard : int > 0 or {"all", "whole"}
        Which frames to read; see `genrenet.data.coverage.heard_starts`. Of a long song only the
        chosen frames are decoded: one that turns out to be mostly silent is replaced by another;
        see `genrenet.inference.frame_reader.some`. Where all are silent, or the first of them
        cannot be decoded, the song is decoded from its beginning.

    Attributes
    ----------
    error : str or None
        The error in reading the file, if any; final once `batches` is exhausted. A truncated file
        has both an error and frames.
    passing : bool
        Whether the error may be temporary, such as a disk error, and is not due to the file's
        content.
    notes : list of str
        Remarks for the reader of the result, such as a shortened trim.
    duration : float or None
        Length in seconds, as soon as the file has been opened.
    """

    def __init__(
        self,
        path: str,
        settings: FrameSettings,
        batch_frames: int = 4,
        heard: Heard = "whole",
    ) -> None:
        self.path, self.settings, self.batch_frames = path, settings, batch_frames
        self.heard = heard
        self.error: str | None = None
        self.passing = False
        self.notes: list[str] = []
        self.duration: float | None = None
        self._spans: list[tuple[int, int]] = []

    def batches(self) -> Iterator[Tensor]:
        """Yield the frames, once: in order, except that replacements for silent frames come last.

        Yields
        ------
        Tensor, shape (<= batch_frames, samples)
            Nominally in [-1, 1]; the single frame of a shorter song is filled up as the settings
            say.
        """
        waiting: list[Tensor] = []
        try:
            with closing(audio.AudioFile(self.path)) as file, closing(self._cuts(file)) as cuts:
                for cut in cuts:
                    self._spans.append((cut.begin, cut.end))
                    waiting.append(torch.from_numpy(filled(cut.samples, self.settings)))
                    if len(waiting) == self.batch_frames:
                        yield torch.stack(waiting)
                        waiting = []
        except audio.AudioError as error:  # frames before the error are valid
            self.error = str(error)
            self.passing = not isinstance(error, CONTENT_ERRORS)
        if waiting:
            yield torch.stack(waiting)

    def span(self, frame: int) -> tuple[float, float]:
        """Return where a frame that has been decoded begins and ends in the song, in seconds."""
        begin, end = self._spans[frame]
        return begin / self.settings.sample_rate, end / self.settings.sample_rate

    def _cuts(self, file: audio.AudioFile) -> Generator[Cut, None, None]:
        self.duration = file.info.duration
        rate, heard = self.settings.sample_rate, self.heard
        n_samples = round(self.duration * rate)
        failed: audio.AudioError | None = None
        if isinstance(heard, int) and not is_near(n_samples, self.settings, heard):
            try:
                yield from some(file, self.settings, heard, self.notes)
            except audio.AudioError as error:
                failed = error
                if self._spans:
                    raise
            if self._spans:
                return
        blocks = file.stream(rate, block_seconds=self.settings.seconds)
        yield from end_to_end(self.path, blocks, self.settings, heard, self.notes, n_samples)
        self.notes += [note for note in file.notes if note not in self.notes]
        if failed is not None:
            raise failed
