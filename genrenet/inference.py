"""From files to genres: every song of some files and folders, one result each, whatever is broken.

See `genrenet.streaming` for how songs are decoded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from genrenet.baselines import FittedBaseline, load_baseline
from genrenet.baselines.fitted import SUFFIX
from genrenet.checkpoints import DEFAULT_CHECKPOINT
from genrenet.classifier import GenreClassifier
from genrenet.errors import printable
from genrenet.frames import decide, frame_statistics
from genrenet.streaming import (
    InferenceError,
    SongFrames,
    decode_ahead,
    find_songs,
    open_model,
    songs_or_error,
)

__all__ = [
    "InferenceError",
    "SongResult",
    "classify",
    "find_songs",
    "open_method",
    "open_model",
    "score_songs",
    "songs_or_error",
]


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
        Score of every genre; they sum to one, unless the model is a tagger (output ``sigmoid``).
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


def open_method(
    checkpoint: str | os.PathLike[str], device: str | None = None
) -> GenreClassifier | FittedBaseline:
    """A network or a fitted baseline, whichever a checkpoint holds.

    Parameters
    ----------
    checkpoint : str or path
        A ``.skops`` file of a baseline, or what `open_model` takes.
    device : str, optional
        Where a network runs; the best there is by default.

    Raises
    ------
    BaselineError, CheckpointError, InferenceError
        It cannot be used, or there is no such device.
    """
    if os.fspath(checkpoint).endswith(SUFFIX):
        return load_baseline(checkpoint)
    return open_model(checkpoint, device)


@torch.inference_mode()
def score_songs(
    paths: Iterable[str],
    model: GenreClassifier | FittedBaseline,
    *,
    checkpoint: str = "",
    batch_frames: int = 4,
    trim: float | None = None,
    device: str | None = None,
) -> Iterator[SongResult]:
    """Score songs one after another.

    Parameters
    ----------
    paths : iterable of str
        Files.
    model : GenreClassifier or FittedBaseline
        A network in eval mode, on the device to use; or a baseline, which looks at songs as wholes:
        it gives no timeline, and ``batch_frames`` and ``trim`` mean nothing to it.
    checkpoint : str
        Its name, for the results.
    batch_frames : int > 0
        Most frames scored at once.
    trim : float, optional
        Seconds dropped at both ends instead of what the checkpoint says.
    device : str, optional
        Where a baseline's features are computed; networks are where they are.

    Yields
    ------
    SongResult
        In the order of ``paths``; a file that cannot be read gives one with ``error`` set.
    """
    if isinstance(model, FittedBaseline):
        yield from _by_baseline(paths, model, checkpoint, device)
        return
    settings = model.frames if trim is None else model.frames.with_trim(trim)
    for song in decode_ahead(paths, settings, batch_frames=batch_frames):
        yield _score(song, model, checkpoint)


def _by_baseline(
    paths: Iterable[str], method: FittedBaseline, checkpoint: str, device: str | None
) -> Iterator[SongResult]:
    """Score songs by their features, a few at a time."""
    todo = iter(paths)
    while some := list(islice(todo, 16)):
        found = method.features_of(some, device)
        usable = found.usable
        scores = iter(torch.from_numpy(method.scores(found.rows[usable])) if usable.any() else ())
        said = iter(method.decisions(found.rows[usable]) if usable.any() else ())
        for path, good in zip(some, usable, strict=True):
            result = SongResult(path, checkpoint, error=found.errors.get(path))
            if good:
                result.scores = _named(method.labels, next(scores))
                result.genre = next(said)
                # Where the method is not sure, this is how sure it is of the likeliest genre.
                result.confidence = result.scores.get(result.genre, max(result.scores.values()))
                result.frames = 1
            elif result.error is None:
                result.error = f"'{printable(path)}' gave no finite features"
            yield result


def _score(song: SongFrames, model: GenreClassifier, checkpoint: str) -> SongResult:
    result = SongResult(song.path, checkpoint, notes=song.notes)
    labels = model.labels
    totals = torch.zeros(1, 3, len(labels))
    for batch in song.batches():
        scores = model.scores_from_waveform(batch.to(model.device)).cpu()
        totals += frame_statistics(scores).sum(dim=0)
        for row in scores:
            start, end = song.span(result.frames)
            result.timeline.append(
                {
                    "start": round(start, 3),
                    "end": round(end, 3),
                    "genre": labels[int(row.argmax())],
                    "scores": _named(labels, row),
                }
            )
            result.frames += 1
    result.error = song.error
    if result.frames and not song.silent:
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
    checkpoint: str | os.PathLike[str] = DEFAULT_CHECKPOINT,
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
    checkpoint : str or path
        A ``.ckpt`` file, a ``.skops`` file of a fitted baseline, or the name of a shipped
        checkpoint or of a published model.
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
    >>> classify("song.mp3")[0]["genre"]  # doctest: +SKIP
    'classical'
    >>> classify("song.mp3", "runs/cnn/version_0/checkpoints/best.ckpt")  # doctest: +SKIP
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    model = open_method(checkpoint, device)
    songs, name = songs_or_error(given), str(checkpoint)
    results = score_songs(songs, model, checkpoint=name, trim=trim, device=device)
    return [result.as_dict(timeline=timeline) for result in results]
