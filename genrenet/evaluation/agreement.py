"""How far a student agrees with its teacher on songs that it has not learnt from, and how fast."""

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
    """What two models say of the same songs.

    Attributes
    ----------
    songs : int
        Songs that both named a genre of.
    same : int
        Songs with the same first genre.
    interval : (float, float)
        95 % Wilson interval of their share.
    correlation : float
        Pearson's, of all scores of all songs; NaN where either's do not differ.
    seconds : (float, float)
        What a song took the student and the teacher, from file to genre.
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
    """Let two models with the same labels name the genres of songs, and compare.

    Parameters
    ----------
    student, teacher : str
        Names or files of checkpoints.
    paths : sequence of str
        Files that the student has not learnt from.
    device : str, optional
        Where networks run; by default the fastest available.

    Raises
    ------
    CheckpointError, InferenceError
        One of them cannot be used.
    """
    # The student goes first: what it has read from the disk is then at hand for the teacher.
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
    """Return a model's results, and the seconds that a song took."""
    model = open_method(name, device)
    list(score_songs(paths[:1], model))  # what is done once only is no part of a song's time
    began = time.perf_counter()
    found = list(score_songs(paths, model, checkpoint=name))
    return found, (time.perf_counter() - began) / max(1, len(paths))
