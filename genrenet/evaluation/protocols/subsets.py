"""Train on part of a fold's training songs: some songs, some artists, or a few of each genre.

Names
-----
``10-songs``, ``25%-songs``
    This number or share of songs, stratified by genre, with at least one of each.
``8-artists``, ``25%-artists``
    All songs of this number or share of artists, in proportion to the genres' numbers of artists.
``2-artists-per-genre``
    All songs of this number of artists of every genre.
``5-shot``
    This number of songs of every genre.

Validation songs are included in the count; the test songs do not change. Draws of one seed are
nested: a larger one contains the smaller. Songs are allocated to genres by Webster's method
(Sainte-Lague), with which a genre's number never decreases when the total grows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genrenet.data.splits import Split, SplitError, artist_groups, song_names
from genrenet.data.splits.base import generator
from genrenet.evaluation.protocols.kinds import Fold, enough_validation

SIZES = re.compile(
    r"(?P<shots>\d+)-shot|(?P<each>\d+)-artists-per-genre"
    r"|(?P<share>\d+(\.\d+)?)%-(?P<of>songs|artists)|(?P<number>\d+)-(?P<unit>songs|artists)"
)
FIRST_KEY = 1000
"""Separates the random numbers of draws from those of the folds with the same seed."""


@dataclass(frozen=True)
class Subset:
    """The size of a reduced training set.

    Attributes
    ----------
    unit : {"songs", "artists"}
        What is drawn.
    number : float
        Number, or share in percent.
    share : bool
    per_genre : bool
        Whether this number is drawn for every genre.
    """

    unit: str
    number: float
    share: bool = False
    per_genre: bool = False

    @staticmethod
    def parse(text: str) -> Subset:
        """Return the subset in a name's suffix after the ``@``.

        Raises
        ------
        SplitError
            It is invalid, no songs, or more than all.

        Examples
        --------
        >>> Subset.parse("5-shot"), Subset.parse("25%-artists").share
        (Subset(unit='songs', number=5.0, share=False, per_genre=True), True)
        """
        match = SIZES.fullmatch(text)
        found = {key: value for key, value in match.groupdict().items() if value} if match else {}
        given = [float(found[k]) for k in ("shots", "each", "share", "number") if k in found]
        if not given or given[0] <= 0 or ("share" in found and given[0] > 100):
            raise SplitError(
                "the size of the training set",
                found=repr(text),
                wanted="such as 50-songs, 25%-songs, 8-artists, 25%-artists, 2-artists-per-genre, "
                "5-shot",
            )
        unit = "artists" if "each" in found else found.get("of", found.get("unit", "songs"))
        return Subset(unit, given[0], "share" in found, "shots" in found or "each" in found)

    @property
    def label(self) -> str:
        """Its label on the axis of a curve, without its unit."""
        return f"{self.number:g}{' %' if self.share else ''}"

    @property
    def curve(self) -> str:
        """The key of comparable sizes."""
        return f"{self.unit} of each genre" if self.per_genre else self.unit

    @property
    def meaning(self) -> str:
        """Its effect on a protocol's figures, as text."""
        of = f"{self.label} of the" if self.share else self.label
        units = self.curve.replace(self.unit, self.unit[:-1]) if self.label == "1" else self.curve
        what = f"{of} {units}"
        whole = ", with all their songs," if self.unit == "artists" else ""
        return (
            f"Trained on {what} only{whole} of each fold's training set, including validation "
            "songs, drawn anew for every seed; the test set is the same."
        )


def draw(table: pd.DataFrame, fold: Fold, subset: Subset, seed: int, number: int) -> Fold:
    """Return a fold with part of its training songs.

    Parameters
    ----------
    table : DataFrame
    fold : Fold
    subset : Subset
    seed : int >= 0
        Seed of the draw.
    number : int >= 0
        Number of the fold: each has draws of its own.

    Raises
    ------
    SplitError
        There are too few songs or artists, of a genre or in total; the message names which.
    """
    parts = fold.split.parts.reindex(table["track_id"]).to_numpy()
    learnt = np.flatnonzero(np.isin(parts, ["train", "validation"]))
    songs = song_names(table)
    units = artist_groups(table["artist"], songs) if subset.unit == "artists" else songs
    queues = _queues(
        [(table["genre"].iloc[row], units[row], parts[row]) for row in learnt],
        generator(seed, FIRST_KEY + number),
    )
    where = f"fold {number + 1}, seed {seed}"
    drawn = _of_each(queues, subset, where) if subset.per_genre else _of_all(queues, subset, where)
    kept = np.flatnonzero(parts == "test").tolist() + [r for r in learnt if units[r] in drawn]
    tracks = table["track_id"].iloc[sorted(kept)]
    name = f"{fold.split.name}, {subset.label} {subset.curve}"
    split = Split(name, fold.split.parts.loc[tracks])
    return Fold(split, fold.own_validation and enough_validation(table, split))


def _queues(
    rows: Sequence[tuple[str, Hashable, str]], rng: np.random.Generator
) -> dict[str, list[Hashable]]:
    """Return the units of each genre in the order in which they are drawn.

    Units with training songs are in random order, and those with validation songs only are spread
    evenly among them, so that every size has about the same share of validation songs.
    """
    found: dict[str, dict[Hashable, set[str]]] = defaultdict(lambda: defaultdict(set))
    for genre, unit, part in rows:
        found[genre][unit].add(part)
    queues = {}
    for genre in sorted(found):
        trained: list[Hashable] = []
        validated: list[Hashable] = []
        for unit in sorted(found[genre], key=str):
            (trained if "train" in found[genre][unit] else validated).append(unit)
        placed = [
            ((place + 0.5) / len(trained), trained[i])
            for place, i in enumerate(rng.permutation(len(trained)))
        ] + [
            ((place + 1) / (len(validated) + 1), validated[i])
            for place, i in enumerate(rng.permutation(len(validated)))
        ]
        queues[genre] = [unit for _, unit in sorted(placed, key=lambda pair: pair[0])]
    order = rng.permutation(len(queues))  # order of genres with equal priority
    return {list(queues)[i]: queues[list(queues)[i]] for i in order}


def _of_each(queues: Mapping[str, Sequence[Hashable]], subset: Subset, where: str) -> set[Hashable]:
    """Return this number of units of every genre."""
    wanted = int(subset.number)
    few = {genre: len(queue) for genre, queue in sorted(queues.items()) if len(queue) < wanted}
    if few:
        raise SplitError(
            f"too few {subset.unit} to train on {wanted} of each genre",
            found="; ".join(f"genre {genre!r}: {n} in {where}" for genre, n in few.items()),
            remedy="take a smaller number, or add songs",
        )
    return {unit for queue in queues.values() for unit in queue[:wanted]}


def _of_all(queues: Mapping[str, Sequence[Hashable]], subset: Subset, where: str) -> set[Hashable]:
    """Return this number of units, in proportion to the genres, at least one of each."""
    claims = sorted(
        (
            (-1.0 if place == 0 else (place + 0.5) / len(queue), rank, unit)
            for rank, queue in enumerate(queues.values())
            for place, unit in enumerate(queue)
        ),
        key=lambda claim: claim[:2],
    )
    ordered = list(dict.fromkeys(unit for _, _, unit in claims))
    least = len({unit for claim, _, unit in claims if claim < 0})
    wanted = int(subset.number)
    if subset.share:
        wanted = round(subset.number / 100 * len(ordered))
    if wanted < least:
        smallest = min(sorted(queues), key=lambda genre: len(queues[genre]))
        raise SplitError(
            f"too few {subset.unit} for one of each of {len(queues)} genres",
            found=f"{subset.label} {subset.unit}"
            + (f" of {len(ordered)}: {wanted}" if subset.share else ""),
            wanted=f"at least {least} in {where} (the smallest genre is {smallest!r})",
        )
    if wanted > len(ordered):
        counts = ", ".join(f"{genre!r} {len(queue)}" for genre, queue in sorted(queues.items()))
        raise SplitError(
            f"too few {subset.unit} to train on {wanted}",
            found=f"{len(ordered)} in {where} (genre {counts})",
            remedy="take a smaller number, or a share such as 50%",
        )
    return set(ordered[:wanted])
