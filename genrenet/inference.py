"""From files to genres: every song of some files and folders, one result each, whatever is broken.

Songs are streamed: a frame is decoded, scored and forgotten, so memory does not grow with a file's
length. The next song is decoded while the network looks at the present one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genrenet import audio
from genrenet.checkpoints import load_checkpoint
from genrenet.classifier import GenreClassifier
from genrenet.errors import GenrenetError, printable
from genrenet.frames import FrameSettings, decide, frame_statistics, usable_part

MIN_SECONDS = 0.5
"""Audio shorter than this says nothing about a genre."""


class InferenceError(GenrenetError):
    """A request that no file can answer."""


@dataclass
class SongResult:
    """Answer for one file.

    Attributes
    ----------
    path : str
    genre : str or None
        The song's genre; None where there is an error and nothing could be scored.
    confidence : float
        Score of that genre, from 0 to 1.
    scores : dict
        Score of every genre; they sum to one.
    frames : int
        Number of frames scored.
    timeline : list of dict
        ``start`` and ``end`` in seconds, ``genre`` and ``scores`` of each frame.
    checkpoint : str
        Where the model came from.
    error : str or None
        What was wrong with the file, if anything.
    notes : list of str
        What a reader of the result should know, such as a shortened trim.
    """

    path: str
    checkpoint: str
    genre: str | None = None
    confidence: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    frames: int = 0
    timeline: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    notes: list[str] = field(default_factory=list)

    def as_dict(self, *, timeline: bool = False) -> dict[str, Any]:
        """The result as JSON holds it; the timeline only where it is asked for."""
        result = {
            "path": printable(self.path),
            "genre": self.genre,
            "confidence": self.confidence,
            "scores": self.scores,
            "frames": self.frames,
            "checkpoint": printable(self.checkpoint),
            "error": self.error,
            "notes": self.notes,
        }
        return {**result, "timeline": self.timeline} if timeline else result


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


class _Song:
    """Frames of one file, decoded ahead by a worker thread."""

    def __init__(self, path: str, settings: FrameSettings, batch_frames: int) -> None:
        self.path, self.settings, self.batch_frames = path, settings, batch_frames
        self.error: str | None = None
        self.notes: list[str] = []
        self.begin = 0
        self.n_samples = 0
        self._blocks: Iterator[NDArray[np.float32]] = iter(())

    def first(self) -> Tensor | None:
        """Open the file and decode its first batch of frames."""
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
        return self.next()

    def next(self) -> Tensor | None:
        """Next batch of frames, of shape (frames, samples); None at the end."""
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


@torch.inference_mode()
def score_songs(
    paths: Iterable[str],
    model: GenreClassifier,
    *,
    checkpoint: str = "",
    batch_frames: int = 4,
    trim: float | None = None,
) -> Iterator[SongResult]:
    """Score songs one after another.

    Parameters
    ----------
    paths : iterable of str
        Files.
    model : GenreClassifier
        In eval mode, on the device to use.
    checkpoint : str
        Its name, for the results.
    batch_frames : int > 0
        Most frames scored at once.
    trim : float, optional
        Seconds dropped at both ends instead of what the checkpoint says.

    Yields
    ------
    SongResult
        In the order of ``paths``; a file that cannot be read gives one with ``error`` set.
    """
    settings = model.frames if trim is None else model.frames.with_trim(trim)
    with ThreadPoolExecutor(1) as pool:
        ahead: list[tuple[_Song, Any]] = []
        for path in paths:
            song = _Song(path, settings, batch_frames)
            ahead.append((song, pool.submit(song.first)))
            if len(ahead) > 1:
                song, batch = ahead.pop(0)
                yield _score(song, batch.result(), model, checkpoint)
        for song, batch in ahead:
            yield _score(song, batch.result(), model, checkpoint)


def _score(
    song: _Song, batch: Tensor | None, model: GenreClassifier, checkpoint: str
) -> SongResult:
    result = SongResult(song.path, checkpoint, notes=song.notes)
    labels = model.labels
    totals = torch.zeros(1, 3, len(labels))
    rate, length = song.settings.sample_rate, song.settings.n_samples
    silent = True
    while batch is not None:
        silent = silent and not bool(batch.any())
        scores = model.scores_from_waveform(batch.to(model.device)).cpu()
        totals += frame_statistics(scores).sum(dim=0)
        for row in scores:
            start = (song.begin + result.frames * length) / rate
            end = min(start + length / rate, (song.begin + song.n_samples) / rate)
            result.timeline.append(
                {
                    "start": round(start, 3),
                    "end": round(end, 3),
                    "genre": labels[int(row.argmax())],
                    "scores": _named(labels, row),
                }
            )
            result.frames += 1
        batch = song.next()
    result.error = song.error
    if silent and result.error is None:
        result.error = f"'{printable(song.path)}' is silent: found only zeros, wanted music"
    if result.frames and not silent:
        decided = decide(totals, torch.tensor([result.frames]), model.decision)[0]
        result.scores = _named(labels, decided)
        result.genre = labels[int(decided.argmax())]
        result.confidence = result.scores[result.genre]
    else:
        result.frames, result.timeline = 0, []
    return result


def _named(labels: Sequence[str], scores: Tensor) -> dict[str, float]:
    return {label: round(value, 6) for label, value in zip(labels, scores.tolist(), strict=True)}


def classify(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    checkpoint: str | os.PathLike[str],
    *,
    timeline: bool = False,
    trim: float | None = None,
    device: str | None = None,
) -> list[dict[str, Any]]:
    """Name the genre of files and of all songs in folders.

    Parameters
    ----------
    paths : path or iterable of path
        Files and folders.
    checkpoint : path
        Checkpoint of the model.
    timeline : bool
        Give each frame's genre and scores too.
    trim : float, optional
        Seconds dropped at both ends of songs; the checkpoint's own by default.
    device : str, optional
        Where the network runs, such as "cuda"; the best there is by default.

    Returns
    -------
    list of dict
        One a song: see `SongResult`.

    Raises
    ------
    CheckpointError
        The checkpoint cannot be used.
    InferenceError
        No audio files among the paths.

    Examples
    --------
    >>> classify("song.mp3", "best.ckpt")[0]["genre"]  # doctest: +SKIP
    'jazz'
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    model = open_model(checkpoint, device)
    results = score_songs(songs_or_error(given), model, checkpoint=str(checkpoint), trim=trim)
    return [result.as_dict(timeline=timeline) for result in results]


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
