"""Tables of precomputed features: CSV or Parquet with one row per song or segment.

Columns are recognised by name, without case: ``filename``, ``path`` or ``track_id`` is the song;
``label``, ``genre`` or ``class`` its genre (if missing, it is taken from GTZAN's file names:
``blues.00012.wav``), ``genres`` several of them; ``artist`` and ``split`` are as in a catalog;
``length`` and ``duration`` are left out, as they depend on how the file was cut, not on its sound;
all other numeric columns are features, unless their values reveal the genre
(`genrenet.evaluation.label_copies`).

Rows that are segments of one song (``blues.00012.3.wav``) are recognised by names, by a column
``song``, ``song_id``, ``track_id``, ``track`` or ``group`` that most rows share with others, or by
a column that is given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrenet.audio import is_audio_path
from genrenet.data.catalog import Problem
from genrenet.data.catalog.base import clean
from genrenet.data.catalog.genre_names import cell_values
from genrenet.data.catalog.segments import (
    described,
    segments_by_name,
    segments_by_value,
    unique_by_genre,
)
from genrenet.data.catalog.several_genres import all_names, names_in, note_of
from genrenet.data.catalog.tables import PARQUET_SUFFIXES
from genrenet.evaluation.label_copies import label_copies, too_good
from genrenet.evaluation.multi_label_tables import (
    balanced,
    genre_copies,
    several_names,
    without_rare,
)
from genrenet.utils.errors import GenrenetError, printable

SONG = ("track_id", "filename", "path", "file", "track", "song")
GENRE = ("genre", "label", "class")
OF_SEGMENTS = ("song", "song_id", "track_id", "track", "group")
NOT_FEATURES = re.compile(
    r"(path|filename|file|title|length|duration|split|fold|part|target|index|id|year|unnamed.*)"
    r"|(genres?|label|class|artist|album|track|song|group|segment|chunk)"
    r"([_ ]?(id|index|no|nr|num|number|code))?"
)
"""Columns that identify a song or describe how it was cut, not its sound."""
LARGEST = 1e150
"""Larger numbers are treated as missing: their squares would be infinite."""
COMPARED = 2000  # rows in which segments of one song look for nearest neighbours


class DatasetError(GenrenetError):
    """Songs or features on which no model can be evaluated."""


class FeatureTable(NamedTuple):
    """Content of a table of features; see `genrenet.evaluation.datasets.Dataset`."""

    table: pd.DataFrame
    features: NDArray[np.float64]
    columns: tuple[str, ...]
    problems: list[Problem]
    notes: list[str]


def read_frame(path: Path) -> pd.DataFrame:
    """Return a table with its column names in lower case.

    Raises
    ------
    DatasetError
        It cannot be read, has duplicate column names, or no rows.
    """
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
    for column in frame:
        values = frame[column]
        if isinstance(values.dtype, pd.api.extensions.ExtensionDtype):
            # Nullable numbers, texts and categories of Parquet, whose NA is not a NumPy value.
            if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
                frame[column] = values.to_numpy(np.float64, na_value=np.nan)
            else:
                frame[column] = values.astype(object).where(values.notna(), None)
    return frame


def lists_files(table: Path, frame: pd.DataFrame) -> bool:
    """Return whether a table lists existing songs, as a catalog does."""
    if "path" not in frame or not {"genre", "genres"} & {*frame}:
        return False
    numbers = any(_is_number(frame[name]) for name in frame if not NOT_FEATURES.fullmatch(name))
    there = any((table.parent / str(name)).is_file() for name in frame["path"].head(20))
    return there or not numbers


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not column.isna().all()


def _numbers(where: str, frame: pd.DataFrame) -> tuple[list[str], list[Problem]]:
    """Return the feature columns, converted to numbers in place, and the empty columns.

    Raises
    ------
    DatasetError
        Text in a column that is otherwise numeric.
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
            found = pd.to_numeric(column.map(_scalar), errors="coerce")
            good = found.notna() & given
            if good.sum() <= 0.5 * given.sum():
                continue  # a text column is not a feature
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


def read_features(
    path: Path, frame: pd.DataFrame, segments: str = "auto", multi_label: bool | None = None
) -> FeatureTable:
    """Return a table of features; rows without numbers are left out.

    Parameters
    ----------
    path : Path
    frame : DataFrame
        From `read_frame`.
    segments : str
        ``auto``, ``off``, or the column that identifies the song of each row.
    multi_label : bool, optional
        Take all genres of each song: see `genrenet.data.catalog.read_catalog`.

    Raises
    ------
    DatasetError
        It has no songs, genres or features, or no such column.
    """
    where = printable(path)
    names, problems = _numbers(where, frame)
    if segments.lower() in frame:
        names = [name for name in names if name != segments.lower()]
    song = next((name for name in SONG if name in frame), None)
    if song is None or not names:
        raise DatasetError(
            f"'{where}' is not a table of features",
            found=f"columns {', '.join(frame.columns[:12])}",
            wanted=f"a song ({', '.join(SONG[:3])}), its genre ({', '.join(GENRE[:2])}) and "
            "columns of numbers",
            remedy="or, for a table of audio files, the columns path and genre",
        )
    file = next((name for name in ("path", "filename", "file") if name in frame), song)
    files = frame[file].astype(str)
    tracks, several = list(map(_track, frame[song].astype(str))), several_names(frame, multi_label)
    table = pd.DataFrame({"track_id": tracks, "path": list(files)})
    table["genre"] = "" if several is not None else _genres(where, frame, files)
    for name in ("artist", "split"):
        if name in frame:
            cells = map(cell_values, frame[name].astype(object))
            table[name] = [clean(", ".join(values)) for values in cells]
    if "artist" not in table:
        table["artist"] = ""
    if several is not None:
        table["genres"] = several
        table = balanced(table)
    matrix = frame[names].to_numpy(np.float64, copy=True)
    matrix[~(np.abs(matrix) < LARGEST)] = np.nan
    songs = _songs(where, frame, table, matrix, segments)
    if songs is not None:
        table["song"] = [name or track for name, track in zip(songs, tracks, strict=True)]
        number = table.groupby("track_id").cumcount()
        if number.any():  # segments whose name is only their song's
            table["track_id"] += "#" + number.astype(str)
    twice = table["track_id"].duplicated().to_numpy()
    problems += [
        Problem(name, "duplicate-path", "an earlier row is of the same song")
        for name in table["path"][twice]
    ]
    copies = label_copies(matrix, names, table["genre"], table.get("song"))
    if several is not None:
        copies = {**genre_copies(matrix, names, table["genres"]), **copies}
    for name, why in copies.items():
        problems.append(Problem(where, "label-copy", f"column '{name}' is not a feature: {why}"))
        matrix = np.delete(matrix, names.index(name), axis=1)
        names.remove(name)
    if not names:
        raise DatasetError(f"'{where}' holds no features", found=str(problems[-1]))
    problems += _unusable(table, matrix, names)
    kept = ~np.isnan(matrix).any(axis=1) & (table["genre"] != "").to_numpy() & ~twice
    if several is not None:
        table["genres"], rare = without_rare(table, kept)
        kept &= (table["genres"] != "").to_numpy()
        problems += rare
    labels = table["genre"][kept] if several is None else all_names(table["genres"][kept])
    if len(set(labels)) < 2:
        shown = f"; for example {problems[0]}" if problems else ""
        raise DatasetError(
            f"'{where}' has songs of fewer than two genres",
            found=f"{int(kept.sum())} usable rows of {len(kept)}{shown}",
        )
    table = table[kept].reset_index(drop=True)
    notes = [described(list(table["song"]))] if "song" in table else []
    if several is not None:
        table = balanced(table)
        notes.append(note_of(list(map(names_in, table["genres"])), table["genre"]))
    odd = too_good(matrix[kept], names, table["genre"])
    notes += [f"column '{name}' is kept, but {why}" for name, why in odd.items()]
    return FeatureTable(table, matrix[kept], tuple(names), problems, notes)


def _songs(
    where: str,
    frame: pd.DataFrame,
    table: pd.DataFrame,
    matrix: NDArray[np.float64],
    segments: str,
) -> list[str] | None:
    """Return the song of each row; None if every row is a song."""
    genres = list(table["genre"])
    if segments == "off":
        return None
    if segments != "auto":
        if segments.lower() not in frame:
            raise DatasetError(
                f"'{where}' has no column '{segments}' that names the songs of segments",
                found=", ".join(map(str, frame.columns[:12])),
                wanted="one of its columns, auto or off",
            )
        return unique_by_genre(_texts(frame[segments.lower()]), genres)
    names = list(table["track_id"])
    for values in chain([names], (_texts(frame[name]) for name in OF_SEGMENTS if name in frame)):
        found = segments_by_value(values, genres)
        if found is not None:
            return found
    named = segments_by_name(names, genres, alike=lambda groups: _alike(matrix, groups))
    if named is None and table["track_id"].tolist() != (
        by_file := list(map(_track, table["path"]))
    ):
        named = segments_by_name(by_file, genres, alike=lambda groups: _alike(matrix, groups))
    return named


def _scalar(value: object) -> object:
    """Return a cell's value, or '' if it contains several."""
    return value if np.isscalar(value) else None


def _texts(column: pd.Series) -> list[str]:
    return ["" if pd.isna(value) else str(value).strip() for value in column.astype(object)]


def _alike(matrix: NDArray[np.float64], groups: Sequence[Sequence[int]]) -> bool:
    """Return whether rows are nearest to rows of their own group, as segments of one song are.

    For two songs of one artist this is occasionally true, for two segments of a song nearly always.
    """
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    chosen: list[int] = []
    owner: list[int] = []
    for number in rng.permutation(len(groups)):
        if len(chosen) + len(groups[number]) > COMPARED and owner:
            break
        chosen += groups[number]
        owner += [int(number)] * len(groups[number])
    rows, of = matrix[chosen], np.array(owner)
    good = ~np.isnan(rows).any(axis=1)
    rows, of = rows[good], of[good]
    if len(rows) < 3 or len(set(of)) < 2:
        return False
    rows = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-12)
    found = NearestNeighbors(n_neighbors=2).fit(rows).kneighbors(return_distance=False)[:, 0]
    share = float((of[found] == of).mean())
    chance = float(
        (np.unique(of, return_counts=True)[1][np.searchsorted(np.unique(of), of)] - 1).mean()
    )
    return share >= (1 + chance / (len(rows) - 1)) / 2


def _genres(where: str, frame: pd.DataFrame, songs: pd.Series) -> list[str]:
    column = next((name for name in GENRE if name in frame), None)
    if column is not None:
        cells = list(map(cell_values, frame[column].astype(object)))
        if several := [row for row, values in enumerate(cells) if len(values) > 1]:
            raise DatasetError(
                f"'{where}' has rows with several genres",
                found=f"{len(several)}, for example row {several[0] + 2}: {cells[several[0]]}",
                wanted="one genre a row",
                remedy="leave one, or leave the row out",
            )
        return [clean(values[0]) if values else "" for values in cells]
    named = [re.match(r"(.+?)(\.\d+){1,2}(\.\w+)?$", Path(song).name) for song in songs]
    if not any(named):
        raise DatasetError(
            f"'{where}' does not say the songs' genres",
            found=f"columns {', '.join(frame.columns[:8])}; songs such as {songs.iloc[0]!r}",
            wanted=f"a column {' or '.join(GENRE)}, or file names such as blues.00012.wav",
        )
    return [match.group(1) if match else "" for match in named]


def _track(name: str) -> str:
    """Return a song's identifier: its path without an audio file's suffix."""
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
