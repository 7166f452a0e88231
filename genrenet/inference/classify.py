"""Classify files: one result for each song of some files and folders, also for broken files.

See `genrenet.inference.song_reader` for how songs are cut into frames,
`genrenet.inference.pipeline` for how the work is divided among threads, and
`genrenet.models.optimised` for how networks are prepared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from torch import Tensor

from genrenet.data.coverage import heard_frames
from genrenet.data.frames import song_scores
from genrenet.data.heard import Heard
from genrenet.inference.answers import SOFTMAX, rule_of
from genrenet.inference.pipeline import plan, through
from genrenet.inference.result import SongResult, named_scores
from genrenet.inference.scorers import SongScorer, scorer_format
from genrenet.inference.song_reader import (
    InferenceError,
    SongFrames,
    find_songs,
    open_model,
    songs_or_error,
)
from genrenet.inference.taxonomy import Taxonomy, taxonomy as read_taxonomy
from genrenet.models.checkpoints import default_checkpoint
from genrenet.models.model import GenreModel
from genrenet.models.optimised import Precision, optimised
from genrenet.utils.errors import printable

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


Watch = Callable[[str, int, list[dict[str, Any]]], None]
"""See `score_songs`."""


def open_method(
    checkpoint: str | os.PathLike[str],
    device: str | None = None,
    precision: Precision = "auto",
    *,
    compiled: bool = False,
) -> GenreModel | SongScorer:
    """Open a network, prepared for inference, or a fitted baseline, whichever a file holds.

    Parameters
    ----------
    checkpoint : str or path
        A ``.skops`` file of a baseline, or what `open_model` takes.
    device : str, optional
        Where a network runs; by default the fastest available.
    precision, compiled
        See `genrenet.models.optimised.optimised`.

    Raises
    ------
    BaselineError, CheckpointError, InferenceError, PrecisionError
        The model cannot be used, or there is no such device.
    """
    if format := scorer_format(checkpoint):
        return format.open(checkpoint)
    model = open_model(checkpoint, device)
    if not model.labels:
        raise InferenceError(
            f"'{printable(checkpoint)}' is an encoder without genres",
            found="a backbone without labels",
            remedy="use it with 'genrenet embed --backbone', with 'genrenet evaluate --models "
            "svm@...', or train a head on it: 'genrenet fit --config transfer "
            f"--model.network.init_args.backbone {printable(checkpoint)}'",
        )
    return optimised(model, precision, compiled=compiled)


def score_songs(
    paths: Iterable[str],
    model: GenreModel | SongScorer,
    *,
    checkpoint: str = "",
    batch_frames: int | None = None,
    trim: float | None = None,
    device: str | None = None,
    frames: Heard | None = None,
    workers: int | None = None,
    ordered: bool = True,
    watch: Watch | None = None,
    taxonomy: Taxonomy | None = None,
) -> Iterator[SongResult]:
    """Score songs one after another.

    Parameters
    ----------
    paths : iterable of str
        File paths; read a few ahead.
    model : GenreModel or SongScorer
        A network in eval mode, on the device to use, usually from `open_method`; or a baseline,
        which classifies whole songs: it gives no timeline, and ``batch_frames``, ``trim``,
        ``frames``, ``workers``, ``ordered`` and ``watch`` do not apply to it.
    checkpoint : str
        Its name, for the results.
    batch_frames, workers : int > 0, optional
        See `genrenet.inference.pipeline.plan`.
    trim : float, optional
        Maximum number of seconds skipped at both ends of songs, instead of the checkpoint's
        setting.
    device : str, optional
        Where a baseline's features are computed; networks stay on their device.
    frames : int > 0 or "all", optional
        Score at most this number of frames of a song, evenly spread, and decode only those; or
        "all", one after another. By default 30 seconds are used, or two frames if that is longer;
        see `genrenet.data.coverage`.
    ordered : bool
        Give results in the order of ``paths``, or as soon as they are ready.
    watch : callable, optional
        Called with a file's path, the number of a frame, and the timeline from that frame on, as
        soon as it is scored: not always in order, and from several threads. It is never called for
        baselines. An exception that it raises stops the scoring.
    taxonomy : Taxonomy, optional
        Names of the genres, instead of the model's labels.

    Returns
    -------
    iterator of SongResult
        A file that cannot be read gives one with ``error`` set.

    Raises
    ------
    InferenceError
        A number is out of range.
    """
    if isinstance(frames, int) and frames < 1:
        raise InferenceError("number of frames", found=str(frames), wanted="at least 1, or 'all'")
    if isinstance(model, SongScorer):
        results = model.score_songs(paths, checkpoint, device)
        return (taxonomy.apply(one, SOFTMAX) for one in results) if taxonomy else results
    settings = model.frames if trim is None else model.frames.with_trim(trim)
    of_network = model.network.batch_frames
    how = plan(
        model.device, settings, workers=workers, batch_frames=batch_frames, of_network=of_network
    )
    heard = heard_frames(settings, frames)
    songs = (SongFrames(path, settings, how.piece_frames, heard) for path in paths)

    def seen(song: SongFrames, first: int, rows: Tensor) -> None:
        if watch is not None and bool(rows.isfinite().all()):
            timeline = _timeline(song, rows, model.labels, first)
            watch(song.path, first, taxonomy.frames(timeline) if taxonomy else timeline)

    work = model.scores
    found = through(songs, work, model.device, how, ordered=ordered, watch=seen)
    said = (_result(song, rows, model, checkpoint) for song, rows in found)
    return (taxonomy.apply(one, rule_of(model)) for one in said) if taxonomy else said


def _result(song: SongFrames, scores: Tensor, model: GenreModel, checkpoint: str) -> SongResult:
    """Return a song's result from the scores of its frames, shape (frames, labels)."""
    result = SongResult(
        song.path, checkpoint, duration=song.duration, error=song.error, notes=song.notes
    )
    if not len(scores):
        return result
    if not bool(scores.isfinite().all()):
        bad = int((~scores.isfinite().all(dim=1)).sum())
        result.error = (
            f"'{printable(song.path)}' was not scored: the network's scores of {bad} of "
            f"{len(scores)} frames are not finite; try --precision 32"
        )
        return result
    labels = model.labels
    decided = song_scores(scores, model.aggregation)
    result.frames = len(scores)
    result.decide(named_scores(labels, decided), rule_of(model))
    # Frames that replace silent ones come last.
    result.timeline = sorted(_timeline(song, scores, labels), key=itemgetter("start"))
    return result


def _timeline(
    song: SongFrames, scores: Tensor, labels: Sequence[str], first: int = 0
) -> list[dict[str, Any]]:
    """Return the timeline of a song's frames, of which the first has the number ``first``."""
    timeline = []
    for frame, row in enumerate(scores, first):
        start, end = song.span(frame)
        genre = labels[int(row.argmax())]
        timeline.append(
            {"start": start, "end": end, "genre": genre, "scores": named_scores(labels, row)}
        )
    return timeline


def classify(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    checkpoint: str | os.PathLike[str] | None = None,
    *,
    timeline: bool = False,
    trim: float | None = None,
    frames: Heard | None = None,
    device: str | None = None,
    precision: Precision = "auto",
    workers: int | None = None,
    taxonomy: str | os.PathLike[str] | None = None,
) -> list[dict[str, Any]]:
    """Predict the genres of files, and of all songs in folders.

    Parameters
    ----------
    paths : path or iterable of path
        Files and folders.
    checkpoint : str or path, optional
        A ``.ckpt`` file, a ``.skops`` file of a fitted baseline, or the name of a shipped
        checkpoint or of a published model; by default the best one available, see
        `genrenet.models.checkpoints.default`.
    timeline : bool
        Also give each frame's genre and scores, and the sections they form; of all frames, unless
        ``frames`` is given.
    trim : float, optional
        Maximum number of seconds skipped at both ends of songs; the checkpoint's own by default. It
        is never more than a tenth of the song's length.
    frames : int > 0 or "all", optional
        Score at most this number of frames of a song, evenly spread, and decode only those; or
        "all", one after another. By default 30 seconds are used, or two frames if that is longer;
        see `genrenet.data.coverage`.
    device : str, optional
        Where the network runs, such as "cuda"; by default the fastest available.
    precision : {"auto", "32", "bf16", "16"}
        Data type of the convolutions; ``auto`` is half precision where that is faster.
    workers : int > 0, optional
        Number of CPU cores; by default all.
    taxonomy : str or path, optional
        Genre names to use; see `genrenet.inference.taxonomy.taxonomy`.

    Returns
    -------
    list of dict
        One per song: see `SongResult`.

    Raises
    ------
    CheckpointError
        The checkpoint cannot be used.
    InferenceError
        No audio files among the paths, or a number is out of range.

    Examples
    --------
    >>> classify("song.mp3")[0]["genre"]  # doctest: +SKIP
    'classical'
    >>> classify("song.mp3", "runs/cnn/version_0/checkpoints/best.ckpt")  # doctest: +SKIP
    """
    songs = songs_or_error([paths] if isinstance(paths, (str, os.PathLike)) else list(paths))
    checkpoint = checkpoint or default_checkpoint()
    model = open_method(checkpoint, device, precision)
    results = score_songs(
        songs,
        model,
        checkpoint=str(checkpoint),
        trim=trim,
        device=device,
        frames="all" if timeline and frames is None else frames,
        workers=workers,
        taxonomy=read_taxonomy(taxonomy) if taxonomy is not None else None,
    )
    return [result.as_dict(timeline=timeline) for result in results]
