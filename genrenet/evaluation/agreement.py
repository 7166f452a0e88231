"""Agreement of a student with its teacher on songs outside the training set, and both speeds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genrenet.evaluation.metrics import wilson_interval
from genrenet.inference.classify import open_method, score_songs
from genrenet.inference.result import SongResult


@dataclass(frozen=True)
class Agreement:
    """Comparison of two models' predictions for the same songs.

    Attributes
    ----------
    songs : int
        Number of songs that both classified.
    same : int
        Number of songs with the same first genre.
    interval : (float, float)
        95 % Wilson interval of the share of these songs.
    correlation : float
        Pearson correlation of all scores of all songs; NaN if one model's scores are constant.
    seconds : (float, float)
        Time per song of the student and the teacher, from file to genre.
    """

    songs: int
    same: int
    interval: tuple[float, float]
    correlation: float
    seconds: tuple[float, float]

    def __str__(self) -> str:
        student, teacher = self.seconds
        if not self.songs:
            return "no held-out song could be judged by both"
        return (
            f"the same first genre as the teacher: {self.same / self.songs:.3f} of {self.songs} "
            f"held-out songs (95 % interval {self.interval[0]:.2f}-{self.interval[1]:.2f})\n"
            f"correlation of the scores: {self.correlation:.3f}\n"
            f"from file to genre: {1e3 * student:.0f} ms a song, {teacher / student:.1f} times as "
            f"fast as the teacher ({1e3 * teacher:.0f} ms)"
        )


def agreement(
    student: str, teacher: str, paths: Sequence[str], *, device: str | None = None
) -> Agreement:
    """Classify songs with two models with the same labels, and compare the results.

    Parameters
    ----------
    student, teacher : str
        Names or files of checkpoints.
    paths : sequence of str
        Files that the student was not trained on.
    device : str, optional
        Device of networks; by default the fastest available.

    Raises
    ------
    CheckpointError, InferenceError
        One of them cannot be used.
    """
    # The student goes first: files are then in the disk cache for the teacher.
    (of_student, quick), (of_teacher, slow) = (
        _timed(name, paths, device) for name in (student, teacher)
    )
    named = [
        pair for pair in zip(of_student, of_teacher, strict=True) if all(s.genre for s in pair)
    ]
    same = sum(one.genre == other.genre for one, other in named)
    scores = np.array(
        [(one.scores[label], other.scores[label]) for one, other in named for label in one.scores]
    ).reshape(-1, 2)
    differ = bool(len(scores)) and bool((scores.std(axis=0) > 0).all())
    return Agreement(
        songs=len(named),
        same=same,
        interval=wilson_interval(same, len(named)) if named else (0.0, 1.0),
        correlation=float(np.corrcoef(scores.T)[0, 1]) if differ else float("nan"),
        seconds=(quick, slow),
    )


def _timed(name: str, paths: Sequence[str], device: str | None) -> tuple[list[SongResult], float]:
    """Return a model's results, and the time per song in seconds."""
    model = open_method(name, device)
    list(score_songs(paths[:1], model))  # work that is done once is not counted
    began = time.perf_counter()
    found = list(score_songs(paths, model, checkpoint=name))
    return found, (time.perf_counter() - began) / max(1, len(paths))
