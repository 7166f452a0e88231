"""The definition of a protocol by a plugin: its name, its meaning, and its folds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from genrenet.data.splits import Split, SplitError

LEAST_VALIDATION = 3
"""Minimum number of validation songs of every genre for choosing settings on them."""

NAME = re.compile(r"[\w.+-]+")
"""Valid names: they occur in lists, before a size, and in file names."""


@dataclass(frozen=True)
class Fold:
    """Training songs and test songs.

    Attributes
    ----------
    split : Split
    own_validation : bool
        Whether its validation songs are part of the given split, as different from the training
        songs as the test songs are, and are enough for choosing settings.
    """

    split: Split
    own_validation: bool = False


@dataclass(frozen=True)
class ProtocolKind:
    """A protocol (way of splitting songs); plugins may add some.

    Parameters
    ----------
    name : str
        Name: letters, digits and ``. + - _``.
    summary : str
        Description in one line.
    meaning : str
        What its results mean, as text for the report.
    folds : callable
        ``folds(table, seed)`` returns a list of `Split` or `Fold`, each with training songs and
        test songs; no song is tested twice. The table has `track_id`, `path`, `genre`, `artist`,
        and if known `split` and `song` (of which a row is a segment). If a `Split` has no
        validation songs, some are taken from the training songs.
    lenient : bool
        Whether songs of one artist may be in both the training and the test set.
    pattern : str
        A regular expression for all names that select it. Its named groups are passed to `folds` as
        keyword arguments, numbers as int.

    Raises
    ------
    SplitError
        An invalid name, an invalid pattern, or one that the name does not match.

    Examples
    --------
    >>> def halves(table, seed, n_times):
    ...     ...
    >>> kind = ProtocolKind("twice", "halves", "...", halves, pattern=r"(?P<n_times>\\d+)-halves|twice")
    >>> kind.arguments("3-halves"), kind.arguments("thrice")
    ({'n_times': 3}, None)
    """  # noqa: E501

    name: str
    summary: str
    meaning: str
    folds: Callable[..., Sequence[Split | Fold]]
    lenient: bool = False
    pattern: str = ""

    def __post_init__(self) -> None:
        try:
            fits = not self.pattern or self.arguments(self.name) is not None
        except re.error as error:
            raise _error()(f"the protocol '{self.name}'", found=f"pattern: {error}") from error
        if not NAME.fullmatch(self.name) or not fits:
            raise _error()(
                "a protocol cannot have this name",
                found=repr(self.name),
                wanted=f"letters, digits and . + - _{', as its pattern says' * bool(self.pattern)}",
            )

    def arguments(self, name: str) -> dict[str, int | str] | None:
        """Return the arguments of `folds` in a name; None if it is not of this kind."""
        match = re.fullmatch(self.pattern or re.escape(self.name), name)
        if match is None or not NAME.fullmatch(name):
            return None
        found = {key: value for key, value in match.groupdict().items() if value is not None}
        return {key: int(value) if value.isdecimal() else value for key, value in found.items()}

    def carry_out(self, name: str, table: pd.DataFrame, seed: int) -> list[Fold]:
        """Return the folds of a seed, completed and checked; see `Protocol.folds`."""
        from genrenet.data.splits import SplitError

        made = list(self.folds(table, seed, **(self.arguments(name) or {})))
        found = [
            one if isinstance(one, Fold) else Fold(self._validated(table, one, seed))
            for one in made
        ]
        if not found:
            raise SplitError(f"the protocol '{name}' has no folds", wanted="at least one")
        for fold in found:
            counts = fold.split.counts()
            if not counts["test"]:
                raise SplitError(f"the split '{fold.split.name}' has no test songs")
            if not counts["train"]:
                raise SplitError(f"the split '{fold.split.name}' has no training songs")
        tested = Counter(chain.from_iterable(_test_songs(fold.split) for fold in found))
        if twice := [track for track, times in tested.items() if times > 1]:
            raise SplitError(
                f"the protocol '{name}' tests a song twice with one seed", found=repr(twice[0])
            )
        return found

    def _validated(self, table: pd.DataFrame, split: Split, seed: int) -> Split:
        """Take validation songs from training songs, by artist if the folds are by artist."""
        from genrenet.data.catalog import artists_known
        from genrenet.data.splits import SplitError, with_validation

        by_artist = not self.lenient and artists_known(table)
        for by in ("artist", "genre") if by_artist else ("genre",):
            try:
                return with_validation(table, split, 0.1, seed, by=by)
            except SplitError:  # too few of a genre: all stay in training
                continue
        return split


def _error() -> type[SplitError]:
    """Return the error; listing plugins does not import what runs protocols."""
    from genrenet.data.splits import SplitError

    return SplitError


def _test_songs(split: Split) -> list[str]:
    return list(split.parts.index[split.parts == "test"])


def enough_validation(table: pd.DataFrame, split: Split) -> bool:
    """Return whether there are enough validation songs for choosing settings."""
    from genrenet.data.splits import song_names

    validation = table.iloc[split.indices(table, "validation")]
    songs = dict(zip(song_names(validation), validation["genre"], strict=True))
    chosen = Counter(songs.values())
    learnt = set(table["genre"].iloc[split.indices(table, "train")])
    return all(chosen[genre] >= LEAST_VALIDATION for genre in learnt)
