"""Detect songs of a library that are duplicates of the same recording.

Two songs count as one recording if their files are identical (by the samples of their content that
a scan stores), or if they have the same artist and title, the same length within `SECONDS`, and
scores that are equal within `SCORES`. The second rule is heuristic: a live version of the same
length with similar scores would count as a duplicate, and a duplicate under another title, or cut
differently, is not found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SECONDS = 2.0
"""Maximum difference in length between two encodings of one recording."""

SCORES = 0.2
"""Maximum difference of their scores of any genre. Of 144 pairs of encodings (24 songs of Emotify
as they are, MP3 and AAC at 96 kbit/s, Opus at 64) none differed by more than 0.19 with
``genres-cnn`` and 0.09 with ``genres``, nor by more than 0.03 s in length; of pairs of other songs
one in ten differs by less than 0.15.
"""


def find_copies(
    samples: Sequence[str | None],
    names: Sequence[tuple[str, str] | None],
    duration: NDArray[np.float32],
    scores: NDArray[np.float16],
    size: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Return the representative song of each song's recording.

    Parameters
    ----------
    samples : sequence of str or None
        Samples of content; see `genrenet.utils.file_stamp.content_sample`.
    names : sequence of (str, str) or None
        Artist and title, normalised; None if either is unknown.
    duration : ndarray of float, shape (songs,)
        Seconds; NaN if unknown.
    scores : ndarray of float, shape (songs, labels)
        NaN for songs without scores.
    size : ndarray of int, shape (songs,)
        File size in bytes.

    Returns
    -------
    ndarray of int32, shape (songs,)
        The row of the largest file with the same recording; possibly the song's own.
    """
    joined = _Groups(len(samples))
    first: dict[str, int] = {}
    for row, sample in enumerate(samples):
        if sample:
            joined.join(first.setdefault(sample, row), row)
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        if name is not None:
            alike[name].append(row)
    for rows in alike.values():
        if len(rows) > 1:
            _join_recordings(joined, np.array(rows), duration, scores)
    return joined.representatives(size)


def _join_recordings(
    joined: _Groups,
    rows: NDArray[np.int64],
    duration: NDArray[np.float32],
    scores: NDArray[np.float16],
) -> None:
    """Join songs of one name with the same length and similar scores."""
    rows = rows[np.argsort(duration[rows], kind="stable")]
    for place, row in enumerate(rows):
        for other in rows[place + 1 :]:
            if not duration[other] - duration[row] <= SECONDS:  # also skips NaN
                break
            gap = np.abs(scores[row].astype(np.float32) - scores[other])
            if gap.size and gap.max() <= SCORES:
                joined.join(int(row), int(other))


class _Groups:
    """Disjoint sets of rows."""

    def __init__(self, count: int) -> None:
        self.above = list(range(count))

    def top(self, row: int) -> int:
        while self.above[row] != row:
            self.above[row] = row = self.above[self.above[row]]
        return row

    def join(self, one: int, other: int) -> None:
        self.above[self.top(other)] = self.top(one)

    def representatives(self, size: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the largest of each set, the first of several, for each of its rows."""
        tops = np.array([self.top(row) for row in range(len(self.above))], np.int32)
        best = np.arange(len(tops), dtype=np.int32)
        for row in np.flatnonzero(tops != np.arange(len(tops))):
            if size[row] > size[best[tops[row]]]:
                best[tops[row]] = row
        found: NDArray[np.int32] = best[tops]
        return found
