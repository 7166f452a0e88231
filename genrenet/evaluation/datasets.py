"""Data for evaluation: a collection of songs, or a table of precomputed features."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from genrenet.data.catalog import Problem, artists_known, read_catalog
from genrenet.data.catalog.several_genres import all_names, joined, multi_hot, names_in
from genrenet.data.catalog.tables import PARQUET_SUFFIXES, TEXT_SUFFIXES
from genrenet.data.splits import song_names
from genrenet.evaluation.feature_tables import DatasetError, lists_files, read_features, read_frame
from genrenet.evaluation.multi_label_tables import balanced
from genrenet.utils.errors import printable
from genrenet.utils.file_stamp import FileState

__all__ = ["Dataset", "DatasetError", "read_dataset"]


@dataclass
class Dataset:
    """Songs to evaluate models on.

    Attributes
    ----------
    name : str
    source : str
        Path or address of the data.
    table : DataFrame
        A row per song, or segment of one: ``track_id``, ``path``, ``genre``, ``artist``, if known
        ``split``, and for segments ``song``. If songs have several genres they are in ``genres``,
        and ``genre`` is the stratum; see `genrenet.data.catalog.several_genres`.
    features : ndarray of float64, shape (rows, columns), or None
        If the source is a table of features.
    columns : tuple of str
        Names of the features.
    problems : list of Problem
        Songs that were left out, and why.
    notes : list of str
        Assumptions.
    """

    name: str
    source: str
    table: pd.DataFrame
    features: NDArray[np.float64] | None = None
    columns: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def multi_label(self) -> bool:
        """Whether songs have several genres each."""
        return "genres" in self.table

    @cached_property
    def labels(self) -> list[str]:
        """Genres, sorted."""
        if self.multi_label:
            return all_names(self.table["genres"])
        return sorted(self.table["genre"].unique())

    @property
    def artists(self) -> bool:
        """Whether artists are known."""
        return artists_known(self.table)

    @cached_property
    def songs(self) -> pd.DataFrame:
        """A row per song: a segment is replaced by its song, with the path of the first."""
        if "song" not in self.table:
            return self.table
        songs = self.table.drop_duplicates("song").reset_index(drop=True)
        return songs.assign(track_id=songs["song"])

    def decide(
        self, tracks: Sequence[str], scores: ArrayLike
    ) -> tuple[list[str], NDArray[np.float64]]:
        """Return the scores of songs from those of rows: segments of a song are averaged.

        Parameters
        ----------
        tracks : sequence of str
            Rows of the table.
        scores : array_like of float, shape (tracks, labels)

        Returns
        -------
        songs : list of str
            In order of first occurrence.
        scores : ndarray of float64, shape (songs, labels)
        """
        table = np.asarray(scores, np.float64).reshape(len(tracks), -1)
        song_of = dict(zip(self.table["track_id"], song_names(self.table), strict=True))
        codes, songs = pd.factorize(np.array([song_of[track] for track in tracks], object))
        sums = np.zeros((len(songs), table.shape[1]))
        np.add.at(sums, codes, table)
        return list(songs), sums / np.bincount(codes, minlength=len(songs))[:, None]

    @cached_property
    def row_targets(self) -> NDArray[np.bool_]:
        """Genres of each row of a multi-label dataset: shape (rows, labels)."""
        return multi_hot(self.table["genres"], self.labels)

    def targets(self, songs: Sequence[str]) -> NDArray[np.bool_]:
        """Return the genres of each song of a multi-label dataset: shape (songs, labels)."""
        return multi_hot(self.songs.set_index("track_id")["genres"].loc[list(songs)], self.labels)

    @cached_property
    def digest(self) -> str:
        """Hash of the songs, to check that a later run uses the same: 16 hexadecimal digits."""
        state = hashlib.sha256()
        for column in ("track_id", "genre", "artist", "song", "genres"):
            if column not in self.table:
                continue
            state.update("\0".join(self.table[column]).encode("utf-8", "surrogateescape"))
        if self.features is not None:
            state.update(self.features.tobytes())
        else:
            state.update(repr([FileState.find(path)[:2] for path in self.table["path"]]).encode())
        return state.hexdigest()[:16]

    def only(self, genres: Sequence[str]) -> Dataset:
        """Return the songs of some genres.

        Raises
        ------
        DatasetError
            A genre without songs, or fewer than two genres.
        """
        wanted = list(dict.fromkeys(genres))
        if missing := [genre for genre in wanted if genre not in self.labels]:
            raise DatasetError(
                f"'{self.name}' has no songs of {', '.join(map(repr, missing))}",
                wanted=f"some of {', '.join(self.labels)}",
            )
        if len(wanted) < 2:
            raise DatasetError("number of genres", found=str(len(wanted)), wanted="at least 2")
        table = self.table
        if self.multi_label:
            cells = [[name for name in names_in(c) if name in wanted] for c in table["genres"]]
            table = table.assign(genres=list(map(joined, cells)))
            kept = (table["genres"] != "").to_numpy()
        else:
            kept = table["genre"].isin(wanted).to_numpy()
        features = None if self.features is None else self.features[kept]
        table = table[kept].reset_index(drop=True)
        if self.multi_label:
            table = balanced(table)
        name = f"{self.name} ({', '.join(wanted)})"
        return replace(self, name=name, table=table, features=features)


def read_dataset(
    source: str | os.PathLike[str],
    *,
    segments: str = "auto",
    labels: str = "auto",
    multi_label: bool | None = None,
) -> Dataset:
    """Read a collection of songs or a table of features.

    Parameters
    ----------
    source : path
        A source of `genrenet.data.catalog.read_catalog`, or a table of features.
    segments : str
        ``auto`` detects whether rows are segments of songs, ``off`` takes each as a song; for a
        table of features also the name of the column with the song.
    labels : {"auto", "folders", "tags"}
        Where genres are taken from; see `genrenet.data.catalog.read_catalog`.
    multi_label : bool, optional
        Take all genres of each song; see `genrenet.data.catalog.read_catalog`.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        A table with neither songs nor features, or with features that are not numbers.
    CatalogError
        See `genrenet.data.catalog.read_catalog`.
    """
    path, name = Path(source), os.fspath(source)
    if path.is_file() and path.suffix.lower() in (*PARQUET_SUFFIXES, *TEXT_SUFFIXES):
        frame = read_frame(path)
        if not lists_files(path, frame):
            if labels == "tags":
                raise DatasetError(
                    f"'{printable(path)}' is a table of features",
                    found="no files whose tags could say the genres",
                    remedy="leave out --labels tags",
                )
            return Dataset(path.stem, name, *read_features(path, frame, segments, multi_label))
    catalog = read_catalog(name, segments=segments, labels=labels, multi_label=multi_label)
    problems, notes = list(catalog.problems), list(catalog.notes)
    return Dataset(catalog.name, name, catalog.table, problems=problems, notes=notes)
