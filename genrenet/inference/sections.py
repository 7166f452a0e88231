"""Find where the genre of a long recording changes: merge frame scores into a few sections.

Single frames flicker between genres that are about equally likely. A section begins only where the
evidence for another genre outweighs the cost of a change: the sections are the most likely path
through the frames' genres (Viterbi, 1967) if every change of genre costs `CHANGE` nats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray

CHANGE = 2.0
"""Cost of a change in nats: two frames with odds of 3 to 1, or one with 8 to 1, outweigh it."""


@dataclass(frozen=True)
class Section:
    """A stretch of a recording in one genre.

    Attributes
    ----------
    start, end : float
        Seconds.
    genre : str
    confidence : float
        Mean score of that genre over the section's frames, from 0 to 1.
    """

    start: float
    end: float
    genre: str
    confidence: float


def sections(
    scores: ArrayLike,
    spans: Sequence[tuple[float, float]],
    labels: Sequence[str],
    *,
    change: float = CHANGE,
) -> list[Section]:
    """Divide a recording where its genre changes.

    Parameters
    ----------
    scores : array-like, shape (frames, labels)
        Scores of consecutive frames, in [0, 1].
    spans : sequence of (float, float)
        Start and end of each frame, in seconds.
    labels : sequence of str
    change : float >= 0
        Cost of a change, in nats; 0 gives every frame the genre it scores highest.

    Returns
    -------
    list of Section
        Consecutive, with different genres; empty if there are no frames.

    Examples
    --------
    >>> found = sections([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]], [(0, 30), (30, 60), (60, 90)], "ab")
    >>> [(part.start, part.end, part.genre) for part in found]
    [(0, 90, 'a')]
    """
    table = np.asarray(scores, dtype=np.float64)
    if not len(table):
        return []
    found = []
    for label, frames in groupby(enumerate(_path(table, change)), key=lambda pair: pair[1]):
        rows = [frame for frame, _ in frames]
        confidence = round(float(table[rows, label].mean()), 6)
        found.append(Section(spans[rows[0]][0], spans[rows[-1]][1], labels[label], confidence))
    return found


def _path(scores: NDArray[np.float64], change: float) -> list[int]:
    """Return the most likely label of each frame."""
    evidence = np.log(np.maximum(scores, 1e-6))
    best = evidence[0]
    came_from = np.zeros(evidence.shape, dtype=np.int64)
    for frame in range(1, len(evidence)):
        moved = int(best.argmax())
        stays = best >= best[moved] - change
        came_from[frame] = np.where(stays, np.arange(len(best)), moved)
        best = np.maximum(best, best[moved] - change) + evidence[frame]
    path = [int(best.argmax())]
    for frame in range(len(evidence) - 1, 0, -1):
        path.append(int(came_from[frame, path[-1]]))
    return path[::-1]
