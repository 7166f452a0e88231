"""Protocols: which songs are learnt from and which are judged, and what such a figure means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from genrenet.data.catalog import artists_known
from genrenet.data.splits import (
    Split,
    SplitError,
    by_column,
    fault_filtered,
    k_fold,
    seventy_thirty,
    song_names,
    with_validation,
)

KINDS = ("artist-5fold", "stratified-10fold", "fault-filtered", "70-30", "column")
"""Protocols by name; the number of folds may be any."""

MEANINGS = {
    "artist": "Folds by artist: no artist is both learnt from and judged, so voices, studios and "
    "albums cannot be recognised in place of genres. This is what to expect on artists the model "
    "has not heard.",
    "stratified": "Stratified folds: songs are shuffled within their genre, regardless of artist. "
    "Songs of one artist or album, and repeated recordings, stand on both sides, so a method is "
    "also paid for recognising them.",
    "fault-filtered": "The fault-filtered split of GTZAN (443 songs to learn from, 197 for "
    "validation, 290 judged): repeated and distorted excerpts are left out, and artists that are "
    "known stand on one side only.",
    "70-30": "70 % of each genre's songs are learnt from and 30 % judged, drawn again for every "
    "seed, regardless of artist: songs of one artist stand on both sides.",
    "column": "The collection's own split, from its column 'split'. Validation songs are learnt "
    "from by methods that need none.",
}
LENIENT = ("stratified", "70-30")
"""Kinds that let songs of one artist stand on both sides."""


LEAST_VALIDATION = 3
"""Songs of every genre that validation songs need for settings to be chosen on them."""


@dataclass(frozen=True)
class Fold:
    """Songs to learn from and songs to judge.

    Attributes
    ----------
    split : Split
    own_validation : bool
        Whether its validation songs come from who made the split, to be as unlike those that are
        learnt from as the test songs are, and suffice for choosing settings.
    """

    split: Split
    own_validation: bool = False


@dataclass(frozen=True)
class Protocol:
    """A way of judging, ready to be carried out.

    Attributes
    ----------
    name : str
        One of `KINDS`, or one of them with another number of folds.
    seeds : tuple of int
        One repetition each, with other folds (or another start of the methods).
    """

    name: str
    seeds: tuple[int, ...]

    @property
    def kind(self) -> str:
        """The name without a number of folds."""
        return re.sub(r"-\d+fold$", "", self.name)

    @property
    def meaning(self) -> str:
        """What its figures say, in words."""
        return MEANINGS[self.kind]

    @property
    def lenient(self) -> bool:
        """Whether songs of one artist may be both learnt from and judged."""
        return self.kind in LENIENT

    def folds(self, table: pd.DataFrame, seed: int) -> list[Fold]:
        """Return the folds of one seed; each song is judged at most once.

        Parameters
        ----------
        table : DataFrame
            With `track_id`, `path`, `genre`, `artist` and, for "column", `split`.
        seed : int >= 0

        Returns
        -------
        list of Fold
            With songs for validation wherever that is possible.

        Raises
        ------
        SplitError
            The songs do not allow it; it says which, and what to do.
        """
        if match := re.search(r"-(\d+)fold$", self.name):
            by = "artist" if self.kind == "artist" else "genre"
            if by == "artist" and not artists_known(table):
                named = int(table["artist"].astype(bool).sum())
                raise SplitError(
                    f"the protocol '{self.name}' needs artists",
                    found=f"the artists of {named} of {len(table)} songs",
                    wanted="those of 90 % at least",
                    remedy="add a column artist, or take stratified-10fold or 70-30",
                )
            return [Fold(split) for split in k_fold(table, int(match[1]), seed, by)]
        if self.kind == "70-30":
            return [Fold(with_validation(table, seventy_thirty(table, seed), 0.1, seed))]
        split = fault_filtered(table) if self.kind == "fault-filtered" else by_column(table)
        counts = split.counts()
        if not counts["test"]:
            raise SplitError(f"the split '{split.name}' has no songs to judge")
        if not counts["validation"]:
            return [Fold(with_validation(table, split, 0.1, seed))]
        validation = table.iloc[split.indices(table, "validation")]
        chosen = Counter(
            dict(zip(song_names(validation), validation["genre"], strict=True)).values()
        )
        learnt = set(table["genre"].iloc[split.indices(table, "train")])
        return [Fold(split, all(chosen[genre] >= LEAST_VALIDATION for genre in learnt))]


def protocols(names: str | Sequence[str], n_seeds: int) -> list[Protocol]:
    """Return protocols from their names, a list or joined by commas.

    Raises
    ------
    SplitError
        A name that is not known, or no seed.
    """
    if n_seeds < 1:
        raise SplitError("number of seeds", found=str(n_seeds), wanted="at least 1")
    listed = names.split(",") if isinstance(names, str) else names
    found = [_protocol(name.strip(), n_seeds) for name in listed]
    return list(dict.fromkeys(found))


def _protocol(name: str, n_seeds: int) -> Protocol:
    folds = re.fullmatch(r"(artist|stratified)-(\d+)fold", name)
    if name not in KINDS and not (folds and int(folds[2]) >= 2):
        raise SplitError(
            "unknown protocol",
            found=repr(name),
            wanted=f"{', '.join(KINDS)} (or another number of folds, at least 2)",
        )
    return Protocol(name, tuple(range(n_seeds)))


def why_they_differ(names: Sequence[Protocol]) -> str:
    """Return a sentence on what sets lenient and strict protocols apart; empty without both
    kinds.
    """
    lenient = [p.name for p in names if p.lenient]
    strict = [p.name for p in names if not p.lenient]
    if not lenient or not strict:
        return ""
    former, latter = " and ".join(lenient), " and ".join(strict)
    return (
        f"{former} and {latter} ask different questions. Under {former} a method meets artists, "
        f"albums and recordings again that it has learnt from, and remembering them pays; under "
        f"{latter} it does not, and what remains is what a new artist's song will get. The "
        "difference is that memory, and the number of songs that each leaves to learn from."
    )
