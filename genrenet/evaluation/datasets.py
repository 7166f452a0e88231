"""What is judged on: a collection of songs, or a table of features that somebody has computed.

A table of features is CSV or Parquet with a row a song. Its columns are recognised by name, without
case: ``filename``, ``path`` or ``track_id`` says which song; ``label``, ``genre`` or ``class`` its
genre (where there is none, GTZAN's file names carry it: ``blues.00012.wav``); ``artist`` and
``split`` are what they are in a catalog; ``length`` and ``duration`` are left out, as they say how
the file was cut and not how it sounds; all other columns of numbers are features.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrenet.audio import is_audio_path
from genrenet.catalog import Problem, artists_known, read_catalog
from genrenet.catalog.tables import PARQUET_SUFFIXES, TEXT_SUFFIXES
from genrenet.errors import GenrenetError, printable

SONG = ("track_id", "filename", "path", "file", "track", "song")
GENRE = ("genre", "label", "class")
NOT_FEATURES = re.compile(
    r"(path|filename|file|title|length|duration|split|fold|part|target|index|id|year|unnamed.*)"
    r"|(genre|label|class|artist|album|track|song)([_ ]?(id|index|no|nr|num|number|code))?"
)
"""Columns that say what a song is or how it was cut, and not how it sounds."""
LARGEST = 1e150
"""Larger numbers than this count as none: their squares would be infinite."""


class DatasetError(GenrenetError):
    """Songs or features that no model can be judged on."""


@dataclass
class Dataset:
    """Songs to judge models on.

    Attributes
    ----------
    name : str
    source : str
        Where they came from.
    table : DataFrame
        A row a song: ``track_id``, ``path``, ``genre``, ``artist`` and, if known, ``split``.
    features : ndarray of float64, shape (songs, columns), or None
        Where the source is a table of features.
    columns : tuple of str
        Names of the features.
    problems : list of Problem
        Songs that were left out, and why.
    """

    name: str
    source: str
    table: pd.DataFrame
    features: NDArray[np.float64] | None = None
    columns: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """Genres, sorted."""
        return sorted(self.table["genre"].unique())

    @property
    def artists(self) -> bool:
        """Whether artists are known."""
        return artists_known(self.table)

    @cached_property
    def digest(self) -> str:
        """What tells that a later run is about the same songs: 16 hexadecimal digits."""
        state = hashlib.sha256()
        for column in ("track_id", "genre", "artist"):
            state.update("\0".join(self.table[column]).encode("utf-8", "surrogateescape"))
        if self.features is not None:
            state.update(self.features.tobytes())
        else:
            state.update(repr([_stamp(path) for path in self.table["path"]]).encode())
        return state.hexdigest()[:16]

    def only(self, genres: Sequence[str]) -> Dataset:
        """The songs of some genres.

        Raises
        ------
        DatasetError
            A genre of which there is no song, or fewer than two genres.
        """
        wanted = list(dict.fromkeys(genres))
        if missing := [genre for genre in wanted if genre not in self.labels]:
            raise DatasetError(
                f"'{self.name}' has no songs of {', '.join(map(repr, missing))}",
                wanted=f"some of {', '.join(self.labels)}",
            )
        if len(wanted) < 2:
            raise DatasetError("genres to tell apart", found=str(len(wanted)), wanted="at least 2")
        kept = self.table["genre"].isin(wanted).to_numpy()
        features = None if self.features is None else self.features[kept]
        table = self.table[kept].reset_index(drop=True)
        return Dataset(
            f"{self.name} ({', '.join(wanted)})",
            self.source,
            table,
            features,
            self.columns,
            self.problems,
        )


def read_dataset(source: str | os.PathLike[str]) -> Dataset:
    """Read a collection of songs or a table of features.

    Parameters
    ----------
    source : path
        What `genrenet.catalog.read_catalog` takes, or a table of features.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        A table with neither songs nor features, or with features that are no numbers.
    CatalogError
        See `genrenet.catalog.read_catalog`.
    """
    path = Path(source)
    if path.is_file() and path.suffix.lower() in (*PARQUET_SUFFIXES, *TEXT_SUFFIXES):
        frame = _frame(path)
        if not _lists_files(path, frame):
            return _features(path, frame)
    catalog = read_catalog(os.fspath(source))
    table = catalog.table
    return Dataset(catalog.name, os.fspath(source), table, problems=list(catalog.problems))


def _frame(path: Path) -> pd.DataFrame:
    name = printable(path)
    try:
        if path.suffix.lower() in PARQUET_SUFFIXES:
            frame = pd.read_parquet(path)
        else:
            with open(path, encoding="utf-8-sig") as file:
                first = file.readline()
            frame = pd.read_csv(
                path,
                sep=max(",;\t", key=first.count),
                encoding="utf-8-sig",
                keep_default_na=False,
                na_values=["", "NaN", "nan", "inf", "-inf"],
                low_memory=False,
            )
    except (OSError, ValueError, ImportError) as error:  # pandas' own errors are ValueErrors
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DatasetError(
            f"'{name}' cannot be read as a table", found=reason, wanted="UTF-8 CSV, TSV or Parquet"
        ) from error
    frame.columns = [str(column).strip().lower() for column in frame.columns]
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DatasetError(f"'{name}' has a column twice", found=", ".join(sorted(set(twice))))
    if not len(frame):
        raise DatasetError(f"'{name}' has no rows", wanted="a header and a row a song")
    return frame


def _stamp(path: str) -> tuple[int, int] | None:
    """What tells cheaply that a file has changed."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _lists_files(table: Path, frame: pd.DataFrame) -> bool:
    """Whether a table lists songs that are here, as a catalog does."""
    if "path" not in frame or "genre" not in frame:
        return False
    numbers = any(_is_number(frame[name]) for name in frame if not NOT_FEATURES.fullmatch(name))
    there = any((table.parent / str(name)).is_file() for name in frame["path"].head(20))
    return there or not numbers


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not column.isna().all()


def _numbers(where: str, frame: pd.DataFrame) -> tuple[list[str], list[Problem]]:
    """Columns of features, made numbers in place, and those that hold nothing.

    Raises
    ------
    DatasetError
        Text in a column that is numbers elsewhere.
    """
    names, problems = [], []
    for name in frame:
        column = frame[name]
        if NOT_FEATURES.fullmatch(name):
            continue
        given = column.notna()
        if not given.any():
            problems.append(Problem(where, "empty-column", f"column '{name}' holds nothing"))
            continue
        if not pd.api.types.is_numeric_dtype(column):
            if pd.api.types.is_datetime64_any_dtype(column):
                continue
            found = pd.to_numeric(column, errors="coerce")
            good = found.notna() & given
            if good.sum() <= 0.5 * given.sum():
                continue  # text, which says something else about the song
            if not good[given].all():
                row = int(np.flatnonzero((given & ~good).to_numpy())[0])
                raise DatasetError(
                    f"'{where}' has text in a column of features",
                    found=f"column '{name}', row {row + 2}: {column.iloc[row]!r}",
                    wanted="a number",
                )
            frame[name] = found.astype(float)
        names.append(name)
    return names, problems


def _features(path: Path, frame: pd.DataFrame) -> Dataset:
    """A table of features as a dataset; rows without numbers are left out."""
    where = printable(path)
    names, problems = _numbers(where, frame)
    song = next((name for name in SONG if name in frame), None)
    if song is None or not names:
        raise DatasetError(
            f"'{where}' is no table of features",
            found=f"columns {', '.join(frame.columns[:12])}",
            wanted=f"a song ({', '.join(SONG[:3])}), its genre ({', '.join(GENRE[:2])}) and "
            "columns of numbers",
            remedy="or, for a table of audio files, the columns path and genre",
        )
    songs = frame[song].astype(str)
    file = next((name for name in ("path", "filename", "file") if name in frame), song)
    files = frame[file].astype(str)
    genres = _genres(where, frame, files)
    columns: dict[str, Any] = {"track_id": [_track(name) for name in songs], "path": list(files)}
    table = pd.DataFrame({**columns, "genre": genres})
    for name in ("artist", "split"):
        if name in frame:
            table[name] = frame[name].fillna("").astype(str).str.strip()
    if "artist" not in table:
        table["artist"] = ""
    matrix = frame[names].to_numpy(np.float64, copy=True)
    matrix[~(np.abs(matrix) < LARGEST)] = np.nan
    problems += _unusable(table, matrix, names)
    twice = table["track_id"].duplicated().to_numpy()
    problems += [
        Problem(name, "duplicate-path", "an earlier row is of the same song")
        for name in table["path"][twice]
    ]
    kept = ~np.isnan(matrix).any(axis=1) & (table["genre"] != "").to_numpy() & ~twice
    if table["genre"][kept].nunique() < 2:
        shown = f"; for example {problems[0]}" if problems else ""
        raise DatasetError(
            f"'{where}' has songs of fewer than two genres",
            found=f"{int(kept.sum())} usable rows of {len(kept)}{shown}",
        )
    table = table[kept].reset_index(drop=True)
    return Dataset(path.stem, os.fspath(path), table, matrix[kept], tuple(names), problems)


def _genres(where: str, frame: pd.DataFrame, songs: pd.Series) -> list[str]:
    column = next((name for name in GENRE if name in frame), None)
    if column is not None:
        return [str(value).strip() for value in frame[column].fillna("")]
    named = [re.match(r"(.+?)\.\d+(\.\w+)?$", Path(song).name) for song in songs]
    if not any(named):
        raise DatasetError(
            f"'{where}' does not say the songs' genres",
            found=f"columns {', '.join(frame.columns[:8])}; songs such as {songs.iloc[0]!r}",
            wanted=f"a column {' or '.join(GENRE)}, or file names such as blues.00012.wav",
        )
    return [match.group(1) if match else "" for match in named]


def _track(name: str) -> str:
    """A song's identifier: its path without an audio file's suffix."""
    return os.path.splitext(name)[0] if is_audio_path(name) else name


def _unusable(table: pd.DataFrame, matrix: NDArray[np.float64], names: list[str]) -> list[Problem]:
    found = []
    for row in np.flatnonzero(np.isnan(matrix).any(axis=1)):
        bad = [name for name, gap in zip(names, np.isnan(matrix[row]), strict=True) if gap]
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        message = f"row {row + 2}: no finite number in {', '.join(bad[:3])}{more}"
        found.append(Problem(table["path"][row], "bad-value", message))
    nameless = np.flatnonzero((table["genre"] == "").to_numpy())
    return found + [Problem(table["path"][row], "no-genre", f"row {row + 2}") for row in nameless]
