"""Evaluate similarity search ("songs like this one") by genre and artist.

Figures
-------
genre
    Share of the ten songs nearest to a song that have its genre.
genre, other artists
    The same among songs of other artists only: songs of one artist often share a recording.
artist in the ten nearest
    Share of the songs with one of their artist's other songs among the ten nearest.
artist's median place
    Median rank of the other songs of a song's artist among all songs, the nearest being 1; median
    over songs.

Only songs of a known artist with another song count for the last two. Intervals resample artists
instead of songs, as songs of an artist are not independent. The chance level is included.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrenet.data.splits import artist_groups, artist_key
from genrenet.recommend.content import SongContent, match_paths
from genrenet.recommend.errors import RecommendError
from genrenet.recommend.metrics import interval
from genrenet.utils.errors import printable

NEAREST = 10
ALWAYS = ("genre", "genre, other artists")  # figures for which an artist needs no second song
RESAMPLES = 2000
AT_ONCE = 512  # songs that are compared with all others at once


def read_labels(file: str | os.PathLike[str]) -> pd.DataFrame:
    """Return genre and artist of songs.

    Parameters
    ----------
    file : path
        A CSV table with the columns ``path``, ``genre`` and, optionally, ``artist``.

    Returns
    -------
    DataFrame
        These columns, as text; missing values are empty.

    Raises
    ------
    RecommendError
        It cannot be read, or lacks these columns.
    """
    path = Path(file)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise RecommendError(f"cannot read '{printable(path)}'", found=str(error)) from error
    if missing := [name for name in ("path", "genre") if name not in table]:
        raise RecommendError(
            f"'{printable(path)}' has no column {' and '.join(missing)}",
            found=", ".join(map(str, table.columns)),
            wanted="path, genre and, optionally, artist",
        )
    if "artist" not in table:
        table["artist"] = ""
    return table[["path", "genre", "artist"]]


def judge_neighbours(songs: SongContent, labels: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """Return the agreement of neighbours in genre and artist.

    Parameters
    ----------
    songs : SongContent
    labels : DataFrame
        From `read_labels`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict
        ``what`` (source of the content), ``songs`` (number evaluated), ``left_out`` (songs without
        a genre), ``artists``, ``figures``: for each its ``value``, ``ci95``, ``chance`` and
        ``songs``.

    Raises
    ------
    RecommendError
        Fewer songs with a genre than neighbours.
    """
    places = match_paths(songs.paths, list(labels["path"]))
    known = [row for row, place in enumerate(places) if place >= 0]
    known = [row for row in known if labels["genre"].iloc[places[row]]]
    if len(known) <= NEAREST:
        raise RecommendError(
            "too few songs with a genre to evaluate neighbours",
            found=f"{len(known)} of {len(songs.paths)} songs in the labels",
            wanted=f"more than {NEAREST}",
            remedy="name songs in the column 'path' as in the library",
        )
    table = labels.iloc[[places[row] for row in known]]
    genres = table["genre"].to_numpy()
    groups = artist_groups(table["artist"], list(table.index.astype(str)))
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    artists = np.array([numbers[group] for group in groups])
    named = np.array([bool(artist_key(artist)) for artist in table["artist"]])
    found = _by_song(songs.rows[known], genres, artists)
    others = named & (np.bincount(artists)[artists] > 1)
    if not others.any():
        found = {name: values for name, values in found.items() if name in ALWAYS}
    for name in ("artist in the ten nearest", "artist's median place"):
        if name in found:
            found[name] = np.where(others, found[name], np.nan)
    chance = _chance(genres, artists, others)
    draws = _draws(found, artists, seed)
    return {
        "what": songs.what,
        "songs": len(known),
        "left_out": len(songs.paths) - len(known),
        "artists": len(set(artists[named])),
        "figures": {
            name: {
                "value": _figure(name, values[np.isfinite(values)]),
                "ci95": interval(draws[name]),
                "chance": chance[name],
                "songs": int(np.isfinite(values).sum()),
            }
            for name, values in found.items()
        },
    }


def _by_song(
    rows: NDArray[np.float32], genres: NDArray[Any], artists: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    n = len(rows)
    found = {
        name: np.full(n, np.nan)
        for name in (
            "genre",
            "genre, other artists",
            "artist in the ten nearest",
            "artist's median place",
        )
    }
    for first in range(0, n, AT_ONCE):
        near = rows[first : first + AT_ONCE] @ rows.T
        for row, likeness in enumerate(near, first):
            order = np.argsort(-likeness, kind="stable")
            order = order[order != row]
            same, own = genres[order] == genres[row], artists[order] == artists[row]
            found["genre"][row] = same[:NEAREST].mean()
            if len(foreign := same[~own]):
                found["genre, other artists"][row] = foreign[:NEAREST].mean()
            found["artist in the ten nearest"][row] = own[:NEAREST].any()
            if own.any():
                found["artist's median place"][row] = np.median(np.flatnonzero(own) + 1)
    return found


def _figure(name: str, values: NDArray[np.float64]) -> float:
    """Return the median for ranks, the mean for shares."""
    if not len(values):
        return float("nan")
    return float(np.median(values) if "place" in name else values.mean())


def _draws(
    found: dict[str, NDArray[np.float64]], artists: NDArray[np.int64], seed: int
) -> dict[str, NDArray[np.float64]]:
    """Return figures over bootstrap samples of artists."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(artists == artist) for artist in range(artists.max() + 1)]
    draws = {name: np.empty(RESAMPLES) for name in found}
    for time in range(RESAMPLES):
        picks = rng.integers(0, len(members), len(members))
        rows = np.concatenate([members[pick] for pick in picks])
        for name, values in found.items():
            drawn = values[rows]
            draws[name][time] = _figure(name, drawn[np.isfinite(drawn)])
    return {name: values[np.isfinite(values)] for name, values in draws.items()}


def _chance(
    genres: NDArray[Any], artists: NDArray[np.int64], others: NDArray[np.bool_]
) -> dict[str, float]:
    """Return the figures of neighbours in random order."""
    n = len(genres)
    same = np.array([(genres == genre).sum() for genre in genres])
    own = np.bincount(artists)[artists] - 1
    pairs = zip(genres, artists, strict=True)
    alike = np.array([((genres == genre) & (artists == one)).sum() for genre, one in pairs])
    rest = n - 1 - own
    foreign = np.divide(same - alike, rest, out=np.zeros(n), where=rest > 0)
    # None of the ten drawn without replacement is the artist's.
    none = np.ones(n)
    for drawn in range(NEAREST):
        none *= np.clip(n - 1 - own - drawn, 0, None) / (n - 1 - drawn)
    return {
        "genre": float((same - 1).mean() / (n - 1)),
        "genre, other artists": float(foreign[rest > 0].mean()) if (rest > 0).any() else 0.0,
        "artist in the ten nearest": float(1 - none[others].mean()) if others.any() else 0.0,
        "artist's median place": n / 2,
    }


def neighbours_markdown(found: dict[str, Any]) -> str:
    """Return the result of `judge_neighbours` as a Markdown table."""
    lines = [
        f"# songs like this one: {found['what']}",
        "",
        f"{found['songs']} songs of {found['artists']} artists; {found['left_out']} songs without "
        "a genre are left out. Intervals draw artists.",
        "",
        "| figure | value | 95 % interval | by chance | songs |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, row in found["figures"].items():
        digits = 1 if "place" in name else 3
        low, high = row["ci95"]
        lines.append(
            f"| {name} | {row['value']:.{digits}f} | {low:.{digits}f} to {high:.{digits}f} | "
            f"{row['chance']:.{digits}f} | {row['songs']} |"
        )
    return "\n".join([*lines, ""])
