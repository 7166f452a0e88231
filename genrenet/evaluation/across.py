"""Join two collections: models are trained on the first and tested on the second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrenet.data.catalog import Problem
from genrenet.data.catalog.genre_names import spelling_key
from genrenet.data.splits import Split, leakage, song_names
from genrenet.evaluation.datasets import Dataset, DatasetError
from genrenet.inference.taxonomy import BUILT_IN, taxonomy
from genrenet.utils.errors import printable

SIDES = ("learnt", "judged")


def join(learnt: Dataset, judged: Dataset, genre_map: str | None = None) -> Dataset:
    """Return two collections as one, for the protocol "across".

    Parameters
    ----------
    learnt, judged : Dataset
        Both of songs, or both tables of the same features. Models are trained on all songs of the
        first, and tested on those of the second.
    genre_map : str, optional
        Names of the second's genres in the first; see `mapped_genres`.

    Returns
    -------
    Dataset
        Its table has the column ``collection``, "learnt" (training) or "judged" (test). Identifiers
        have their collection's name as a prefix, and so have artists that are only numbers, which
        mean others in another collection. Songs of the second are left out, and listed among the
        problems, if their genre is none of the first's, or if the first has identical audio or
        features.

    Raises
    ------
    DatasetError
        Songs and a table of features, other columns, several genres per song, or no song that could
        be tested.
    TaxonomyError
        A map that cannot be read.
    """
    if learnt.multi_label or judged.multi_label:
        raise DatasetError(
            "training on one collection and testing on another needs songs with one genre each",
            found=f"several genres per song in '{(learnt if learnt.multi_label else judged).name}'",
            wanted="a column genre instead of genres",
        )
    same = mapped_genres(learnt.labels, judged.labels, genre_map)
    names = _names(learnt, judged)
    tables = [
        _named(data.table, name, side)
        for data, name, side in zip((learnt, judged), names, SIDES, strict=True)
    ]
    genres, missing = _left_out(tables[1], same)
    tables[1] = tables[1].assign(genre=genres)
    table = pd.concat(tables, ignore_index=True)
    features = _joined_features(learnt, judged)
    if "song" in table:
        table["song"] = table["song"].fillna(table["track_id"])
    table = table.fillna({"artist": ""}).drop(columns="split", errors="ignore")
    mapped = (table["genre"] != "").to_numpy()
    table = table[mapped].reset_index(drop=True)
    features = None if features is None else features[mapped]
    twins = _twins(table, features)
    kept = ~np.isin(np.array(song_names(table)), [*twins])
    left = table[kept].reset_index(drop=True)
    count = Counter(left.drop_duplicates("song" if "song" in left else "track_id")["collection"])
    if not count["judged"]:
        raise DatasetError(
            f"no song of '{judged.name}' has a genre of '{learnt.name}'",
            found=f"genres {', '.join(judged.labels)}"
            + (f", and {len(twins)} songs that both have" if twins else ""),
            wanted=f"some of {', '.join(learnt.labels)}",
            remedy="pass --genre-map with a CSV file (columns genre and name), or one of "
            + ", ".join(BUILT_IN),
        )
    found = sorted(left["genre"][left["collection"] == "judged"].unique())
    notes = [
        f"trained on {names[0]} ({count['learnt']} songs), tested on {names[1]} "
        f"({count['judged']} songs of {len(found)} of the {len(learnt.labels)} genres)",
        *_renamed(same),
        *missing,
    ]
    if twins:
        notes.append(
            f"songs of {names[1]} left out, because they are also in {names[0]}: {len(twins)}"
        )
    path_of = dict(zip(song_names(table), table["path"], strict=True))
    problems = [
        Problem(path_of[track], "in-both", f"left out of the test set: it is identical to {twin}")
        for track, twin in twins.items()
    ]
    return replace(
        learnt,
        name=f"trained on {names[0]}, tested on {names[1]}",
        source=f"{learnt.source}, {judged.source}",
        table=left,
        features=None if features is None else features[kept],
        problems=[*learnt.problems, *judged.problems, *problems],
        notes=[*notes, *learnt.notes, *judged.notes],
    )


def mapped_genres(
    learnt: Sequence[str], judged: Sequence[str], genre_map: str | None = None
) -> dict[str, str]:
    """Return the genre of the first collection for each of the second's, where there is one.

    Parameters
    ----------
    learnt, judged : sequence of str
        Genres of both collections. Names that differ only in case, blanks and hyphens are the same.
    genre_map : str, optional
        A CSV file with the columns ``genre`` (of the second collection) and ``name`` (of the
        first); a genre under a name that the first does not have is left out. Or one of
        `genrenet.inference.taxonomy.BUILT_IN`: the names of both in that taxonomy are compared, and
        a subgenre in the second counts as its parent genre in the first.

    Examples
    --------
    >>> mapped_genres(["hiphop", "rock"], ["Hip-Hop", "Metal"])
    {'Hip-Hop': 'hiphop'}
    >>> mapped_genres(["hiphop", "rock"], ["Hip-Hop", "Metal"], "discogs")
    {'Hip-Hop': 'hiphop', 'Metal': 'rock'}
    """
    own = {spelling_key(genre): genre for genre in reversed(learnt)}
    if genre_map is None:
        keys = {genre: [genre] for genre in judged}
    else:
        known = taxonomy(genre_map)
        names = {spelling_key(genre): name for genre, name in known.names.items()}

        def called(genre: str) -> str:
            return names.get(spelling_key(genre), genre)

        if genre_map in BUILT_IN:  # it applies to both collections, a file to the second
            own = {spelling_key(called(genre)): genre for genre in reversed(learnt)} | own
        keys = {g: [called(g), known.parents.get(called(g), called(g))] for g in judged}
        if genre_map in BUILT_IN:
            keys = {genre: [genre, *more] for genre, more in keys.items()}
    found = {
        genre: next((own[k] for k in map(spelling_key, names) if k in own), "")
        for genre, names in keys.items()
    }
    return {genre: name for genre, name in found.items() if name}


def _renamed(same: Mapping[str, str]) -> list[str]:
    other = [f"{genre} as {name}" for genre, name in same.items() if genre != name]
    return [f"genres judged under other names: {', '.join(other)}"] if other else []


def _left_out(table: pd.DataFrame, same: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the genres under the first collection's names, '' for none, and a note on those."""
    songs = table.drop_duplicates("song") if "song" in table else table
    counts = Counter(genre for genre in songs["genre"] if genre not in same)
    listed = ", ".join(f"{genre} ({n})" for genre, n in sorted(counts.items()))
    note = f"songs left out, as their genre is not in the training set: {counts.total()}: {listed}"
    return [same.get(genre, "") for genre in table["genre"]], [note] if counts else []


def _names(learnt: Dataset, judged: Dataset) -> tuple[str, str]:
    if learnt.name != judged.name:
        return learnt.name, judged.name
    return learnt.name, f"{judged.name} (2)"


def _named(table: pd.DataFrame, name: str, side: str) -> pd.DataFrame:
    """Return a collection's table with identifiers that are unique across collections."""
    artists = [f"{name}/{a}" if str(a).strip().isdecimal() else a for a in table["artist"]]
    found = table.assign(artist=artists, collection=side)
    for column in ("track_id", "song"):
        if column in table:
            found[column] = f"{name}/" + table[column]
    return found


def _joined_features(learnt: Dataset, judged: Dataset) -> NDArray[np.float64] | None:
    """Return the rows of both, with the first's columns; None if they are songs.

    Raises
    ------
    DatasetError
        One has features and the other songs, or the second lacks a column.
    """
    if learnt.features is None and judged.features is None:
        return None
    if learnt.features is None or judged.features is None:
        table, songs = (learnt, judged) if judged.features is None else (judged, learnt)
        raise DatasetError(
            "songs and a table of features cannot be combined",
            found=f"songs of '{songs.name}', and {len(table.columns)} columns of '{table.name}'",
            wanted="two collections of songs, or two tables with the same columns",
        )
    place = {column: number for number, column in enumerate(judged.columns)}
    if missing := [column for column in learnt.columns if column not in place]:
        raise DatasetError(
            f"'{printable(judged.name)}' lacks features that '{printable(learnt.name)}' has",
            found=", ".join(missing[:8]) + (" ..." if len(missing) > 8 else ""),
            wanted="the same columns in both tables",
        )
    order = [place[column] for column in learnt.columns]
    return np.concatenate([learnt.features, judged.features[:, order]])


def _twins(table: pd.DataFrame, features: NDArray[np.float64] | None) -> dict[str, str]:
    """Return test songs that are also in the first collection, each with its duplicate there."""
    songs = np.array(song_names(table), object)
    judged = (table["collection"] == "judged").to_numpy()
    if features is None:
        parts = pd.Series(np.where(judged, "test", "train"), pd.Index(table["track_id"]))
        on = dict(zip(table["track_id"], songs, strict=True))
        groups = [
            [[on[t] for t, part in group.items() if part == side] for side in ("train", "test")]
            for group in leakage(table, Split("across", parts)).songs
        ]
    else:
        rows = pd.DataFrame(features)
        same = rows.groupby(list(rows.columns), sort=False).indices.values()
        groups = [[list(songs[g[~judged[g]]]), list(songs[g[judged[g]]])] for g in same]
    return {track: known[0] for known, asked in groups if known for track in asked}
