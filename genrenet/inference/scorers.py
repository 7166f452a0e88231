"""Files that name genres and are not checkpoints of networks, opened by what registered them."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from genrenet.inference.result import SongResult
from genrenet.plugins.manager import contributions


class SongScorer(ABC):
    """A method that looks at songs as wholes.

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
            Files; taken a few ahead.
        checkpoint : str
            Its name, for the results.
        device : str, optional
            Where to compute; by default the fastest available.
        """


class ScorerFormat(NamedTuple):
    """A kind of file that holds a `SongScorer`.

    Attributes
    ----------
    name : str
        The suffix of such files, with its dot.
    summary : str
    open : callable
        Makes the scorer from the file's path.
    """

    name: str
    summary: str
    open: Callable[[str | os.PathLike[str]], SongScorer]


def scorer_format(path: str | os.PathLike[str]) -> ScorerFormat | None:
    """Return the format of a file by its suffix; None where no plugin reads such files."""
    suffix = os.path.splitext(path)[1]
    if suffix in ("", ".ckpt"):  # no plugin need be asked
        return None
    added = contributions("register_scorers").get(suffix)
    format: ScorerFormat | None = added.item if added else None
    return format
