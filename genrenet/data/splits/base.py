"""Common parts of all splits: the split itself, its errors, checks of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrenet.utils.errors import GenrenetError

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("train", "validation", "test")
FRACTIONS = (0.7, 0.1, 0.2)


class SplitError(GenrenetError):
    """A split that cannot be made or read, or that does not fit its songs."""


@dataclass(frozen=True, eq=False)
class Split:
    """The assignment of every song to a part.

    Parameters
    ----------
    name : str
        How it was made, for example "artist-disjoint, seed 0".
    parts : pandas.Series of str
        "train", "validation" or "test", indexed by `track_id` (unique). Songs that are not in the
        index are in no part.

    Raises
    ------
    SplitError
        If an identifier occurs twice or a part is none of the three.
    """

    name: str
    parts: pd.Series

    def __post_init__(self) -> None:
        twice = self.parts.index[self.parts.index.duplicated()]
        if len(twice):
            raise SplitError(f"{self.name}: a song is in the split twice", found=some(twice))
        if wrong := set(self.parts) - set(PARTS):
            raise SplitError(f"{self.name}: unknown part", found=some(wrong), wanted=some(PARTS))

    def indices(self, table: pd.DataFrame, part: str) -> np.ndarray:
        """Return the row positions of a part's songs.

        Parameters
        ----------
        table : pandas.DataFrame
            With a column `track_id`; songs that are not in the split are in no part.
        part : {"train", "validation", "test"}

        Returns
        -------
        np.ndarray [shape=(n,), dtype=int64]
            In the table's order, for use with `table.iloc`.

        Raises
        ------
        SplitError
            If the part is none of the three, or the table has no `track_id`.
        """
        if part not in PARTS:
            raise SplitError("unknown part", found=repr(part), wanted=some(PARTS))
        require_columns(table, "track_id")
        return np.flatnonzero(self.parts.reindex(table["track_id"]).to_numpy() == part)

    def counts(self) -> dict[str, int]:
        """Return the number of songs in each of the three parts."""
        found = Counter(self.parts)
        return {part: found[part] for part in PARTS}


def some(values: Iterable[object], limit: int = 5) -> str:
    """Return a few values as text for a message."""
    texts = list(dict.fromkeys(repr(value) for value in values))
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(sorted(texts[:limit])) + more


def require_columns(table: pd.DataFrame, *columns: str) -> None:
    """Raise `SplitError` if the table lacks a column."""
    if missing := [name for name in columns if name not in table]:
        raise SplitError(
            "the table lacks a column", found=some(table.columns, 20), wanted=some(missing)
        )


def songs_of(
    table: pd.DataFrame, artists: bool = False
) -> tuple[list[str], list[str], list[Hashable]]:
    """Return identifiers, genres and artists (as groups) of songs, sorted by identifier.

    Rows that are segments of one song are that song.
    """
    require_columns(table, "track_id", "genre", *(["artist"] if artists else []))
    if not len(table):
        raise SplitError("no songs to split")
    if "song" in table:
        table = table.drop_duplicates("song").assign(track_id=table["song"])
    names = table["artist"].tolist() if artists else [""] * len(table)
    ids, genres = table["track_id"].tolist(), table["genre"].tolist()
    order = sorted(range(len(ids)), key=ids.__getitem__)
    ids = [ids[row] for row in order]
    groups = artist_groups([names[row] for row in order], ids)
    return ids, [genres[row] for row in order], groups


def artist_key(name: object) -> str:
    """Return a key for the spellings of an artist; '' for unknown."""
    return " ".join(name.casefold().split()) if isinstance(name, str) else ""


def artist_groups(names: Iterable[object], tracks: Iterable[str]) -> list[Hashable]:
    """Return the group of a song: its artist, or the song itself if the artist is unknown."""
    return [artist_key(name) or (track,) for name, track in zip(names, tracks, strict=True)]


def artists_by_genre(genres: Sequence[str], groups: Sequence[Hashable]) -> Counter[str]:
    """Return the number of artists in each genre."""
    return Counter(genre for genre, _ in set(zip(genres, groups, strict=True)))


def shares_of(fractions: Sequence[float]) -> dict[str, float]:
    """Return the parts whose fraction is not 0."""
    values = [float(value) for value in fractions]
    good = len(values) == 3 and min(values) >= 0 and abs(sum(values) - 1) < 1e-6
    if not good or values[0] == 0 or values[2] == 0:
        raise SplitError(
            "bad fractions",
            found=str(tuple(values)),
            wanted="three numbers for train, validation and test in [0, 1] that sum to 1, the "
            "first and the last above 0",
        )
    return {part: value / sum(values) for part, value in zip(PARTS, values, strict=True) if value}


def require_enough(counts: Mapping[str, int], least: int, what: str, of: str) -> None:
    """Raise `SplitError` if a count is below `least`; the key '' stands for all genres."""
    few = {genre: n for genre, n in sorted(counts.items()) if n < least}
    if not few:
        return
    found = "; ".join(f"genre {g!r}: {n} {what}" if g else f"{n} {what}" for g, n in few.items())
    raise SplitError(
        f"too few {what} for {least} {of}",
        found=found,
        wanted=f"at least {least}" + ("" if "" in few else " in every genre"),
        remedy="add songs, remove the genre, use fewer parts or folds"
        + (", or split by genre (stratified)" if what == "artists" else ""),
    )


def require_in_train(genres: Sequence[str], parts: Iterable[str]) -> None:
    """Raise `SplitError` if a genre has no song in the training part."""
    trained = {genre for genre, part in zip(genres, parts, strict=True) if part == "train"}
    if left := set(genres) - trained:
        raise SplitError(
            "a genre has no songs to train on", found=some(left), remedy="try another seed"
        )


def generator(seed: int, key: int = 0) -> np.random.Generator:
    """Return a random generator for a seed; the key separates different uses of a seed."""
    if seed < 0:
        raise SplitError("bad seed", found=str(seed), wanted="an integer >= 0")
    return np.random.default_rng([seed, key])


def song_names(table: pd.DataFrame) -> list[str]:
    """Return the song of each row: its own identifier, or the song that a segment was cut from."""
    return list(table["song" if "song" in table else "track_id"])


def song_groups(table: pd.DataFrame) -> list[Hashable]:
    """Return the group of each row: its artist, or else its song."""
    return artist_groups(table["artist"], song_names(table))


def split_of(
    name: str, ids: Sequence[str], parts: Iterable[str], table: pd.DataFrame | None = None
) -> Split:
    """Return a split from identifiers and their parts; with a table, extended from songs to all
    their rows.
    """
    import pandas as pd

    if table is not None and "song" in table:
        part_of = dict(zip(ids, parts, strict=True))
        ids, parts = table["track_id"].tolist(), [part_of[song] for song in table["song"]]
    return Split(name, pd.Series(list(parts), index=pd.Index(ids, name="track_id"), name="split"))
