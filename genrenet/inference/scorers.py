"""Open files that classify songs and are not network checkpoints, with the format's plugin."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from genrenet.inference.result import SongResult
from genrenet.plugins.manager import contributions


class SongScorer(ABC):
    """A model that scores whole songs instead of frames.

    Attributes
    ----------
    labels : list of str
        Its genres, in the order of the scores.
    """

    labels: list[str]

    @abstractmethod
    def score_songs(
        self, paths: Iterable[str], checkpoint: str = "", device: str | None = None
    ) -> Iterator[SongResult]:
        """Score songs one after another; a file that cannot be read gives a result with an error.

        Parameters
        ----------
        paths : iterable of str
            File paths; read a few ahead.
        checkpoint : str
            Name of the model, for the results.
        device : str, optional
            Where to compute; by default the fastest available.
        """


class ScorerFormat(NamedTuple):
    """A file format that holds a `SongScorer`.

    Attributes
    ----------
    name : str
        Suffix of such files, with its dot.
    summary : str
    open : callable
        Return the scorer in the file at a path.
    """

    name: str
    summary: str
    open: Callable[[str | os.PathLike[str]], SongScorer]


def scorer_format(path: str | os.PathLike[str]) -> ScorerFormat | None:
    """Return the format of a file by its suffix; None if no plugin reads such files."""
    suffix = os.path.splitext(path)[1]
    if suffix in ("", ".ckpt"):  # no need to ask the plugins
        return None
    added = contributions("register_scorers").get(suffix)
    format: ScorerFormat | None = added.item if added else None
    return format
