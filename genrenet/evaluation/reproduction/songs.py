"""The data for a reproduction: songs of one or several collections, and feature vectors.

Several collections are merged to one table: a track in more than one of them counts once, with its
longest excerpt.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from genrenet.data.catalog import Catalog, EmptyCatalogError, read_catalog
from genrenet.data.catalog.tables import PARQUET_SUFFIXES, TEXT_SUFFIXES, write_table
from genrenet.evaluation.feature_tables import DatasetError, lists_files, read_frame
from genrenet.utils.errors import printable

TABLES = ("features_30_sec.csv",)
"""Tables of features that are distributed with GTZAN, next to its songs or above them."""

TRACK = re.compile(r"[a-z]+\.\d{5}")
"""GTZAN's track names, which identify tracks in any collection."""


@dataclass
class Material:
    """Songs and feature vectors.

    Attributes
    ----------
    audio : Path or None
        A table of songs or a collection, if there are songs.
    songs : DataFrame or None
        Its rows: ``path``, ``genre``, ``track_id``, ``duration`` in seconds, and so on.
    features : Path or None
        A table of features, one row per song.
    notes : list of str
        Findings and assumptions, as text.
    """

    audio: Path | None = None
    songs: pd.DataFrame | None = None
    features: Path | None = None
    notes: list[str] = field(default_factory=list)


def find_material(
    data: Sequence[str | os.PathLike[str]],
    folder: Path,
    *,
    features: str | os.PathLike[str] | None = None,
    labels: str = "auto",
) -> Material:
    """Read the available data.

    Parameters
    ----------
    data : sequence of path
        Collections of songs; one of them may be a table of features.
    folder : Path
        Folder for the table of all songs, if there is more than one collection.
    features : path, optional
        The table of features; by default the one among ``data``, or ``features_30_sec.csv`` in or
        above one of the collections.
    labels : {"auto", "folders", "tags"}
        See `genrenet.data.catalog.read_catalog`.

    Raises
    ------
    DatasetError
        Several tables of features, or an invalid one.
    CatalogError
        A collection that cannot be read.
    """
    given = [] if features is None else [Path(features)]
    if given and not _is_features(given[0]):
        raise DatasetError(
            f"'{printable(given[0])}' is not a table of features",
            wanted="a CSV or Parquet file with a song and its genre in every row, and numbers",
        )
    sources: list[Path] = []
    for name in data:
        path = Path(name).expanduser()
        if _is_features(path):
            given += [] if path in given else [path]
        else:
            sources.append(path)
    if len(given) > 1:
        raise DatasetError(
            "several tables of features",
            found=", ".join(map(printable, given)),
            wanted="one",
        )
    found = Material(features=given[0] if given else None)
    if found.features is None:
        places = (
            place / name for path in sources for place in (path, path.parent) for name in TABLES
        )
        found.features = next((file for file in places if _is_features(file)), None)
    catalogs = []
    for path in sources:
        try:
            catalogs.append((path, read_catalog(path, labels=labels)))
        except EmptyCatalogError:
            # A folder with vectors only.
            if found.features is None or found.features.parent != path:
                raise
    if catalogs:
        _combine(found, catalogs, folder)
    if found.features is not None:
        found.notes.append(f"Feature table: {printable(found.features)}")
    return found


def _is_features(path: Path) -> bool:
    if not path.is_file() or path.suffix.lower() not in (*PARQUET_SUFFIXES, *TEXT_SUFFIXES):
        return False
    return not lists_files(path, read_frame(path))


def _combine(found: Material, catalogs: list[tuple[Path, Catalog]], folder: Path) -> None:
    """Make one table of all collections."""
    for path, catalog in catalogs:
        middle = catalog.table["duration"].median()
        found.notes.append(
            f"{printable(path)}: {len(catalog)} songs of {len(catalog.genres)} genres, half of "
            f"them longer than {middle:.1f} s"
        )
        found.notes += catalog.notes
        if catalog.problems:
            found.notes.append(f"{printable(path)}: {len(catalog.problems)} entries left out")
    if len(catalogs) == 1:
        found.audio, found.songs = catalogs[0][0], catalogs[0][1].table
        return
    parts = []
    for number, (_, catalog) in enumerate(catalogs):
        stems = [Path(path).stem for path in catalog.table["path"]]
        own = zip(stems, catalog.table["track_id"], strict=True)
        names = [stem if TRACK.fullmatch(stem) else f"{number}/{track}" for stem, track in own]
        table = catalog.table.drop(columns="split", errors="ignore")
        if "song" in table:
            table = table.assign(song=[f"{number}/{song}" for song in table["song"]])
        parts.append(table.assign(track_id=names))
    songs = pd.concat(parts, ignore_index=True)
    if "song" in songs:
        songs["song"] = songs["song"].fillna(songs["track_id"])
    songs = songs.sort_values("duration", ascending=False, kind="stable", na_position="last")
    kept = songs.drop_duplicates("track_id").sort_values("track_id", ignore_index=True)
    if twice := len(songs) - len(kept):
        found.notes.append(
            f"{twice} excerpts of tracks that are in several collections were left out: the "
            "longest excerpt of a track counts"
        )
    found.audio, found.songs = folder / "songs.csv", kept
    folder.mkdir(parents=True, exist_ok=True)
    write_table(kept, str(found.audio))
