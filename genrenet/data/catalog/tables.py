"""Catalogs as tables on disk: CSV, TSV and Parquet, read and written.

`genrenet.data.catalog` documents the columns and is the module to import.

A path is stored relative to the table's folder. One that UTF-8 text cannot represent safely (bytes
that are not UTF-8, control characters) is stored percent-encoded after "file:", which is also how
``file:///`` addresses from other programs are read (RFC 8089; the relative form is an extension).
"""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from genrenet.data.catalog.base import (
    COLUMNS,
    PART_NAMES,
    CatalogError,
    MissingColumnsError,
    Reader,
    Reading,
    Song,
    UnreadableTableError,
    clean,
    relative,
)
from genrenet.data.catalog.genre_names import cell_values
from genrenet.data.catalog.several_genres import names_in
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import printable
from genrenet.utils.open_quotes import spans

if TYPE_CHECKING:
    import pandas as pd

PARQUET_SUFFIXES = (".parquet", ".pq")
TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
REQUIRED = ("path", "genre")
_KNOWN = (*COLUMNS, "split", "song", "genres")
_URL = "file:"


def read_table(
    table: str,
    *,
    parquet: bool = False,
    labelled: bool = True,
    multi_label: bool | None = None,
) -> Reading:
    """Read a table of songs.

    Column names are case-insensitive. Unknown columns, rows without path or genre, rows longer than
    the header, files that do not exist, and values that cannot be used become problems. Columns
    that are absent are filled from the tags.

    Parameters
    ----------
    table : str
        The file (absolute).
    parquet : bool
        Parquet rather than text.
    labelled : bool
        Leave out songs without a genre; otherwise theirs is '', and the column may be absent.
    multi_label : bool, optional
        Take all genres of each song, from the column `genres`, or from `genre` where there is none.
        By default if there is a column `genres` with several names in some rows, and no column
        `genre`.

    Returns
    -------
    Reading

    Raises
    ------
    UnreadableTableError
        If it is not UTF-8, or not a table.
    MissingColumnsError
        If it has no column `path` or `genre`.
    """
    folder = os.path.dirname(table)
    header, found = _parquet_rows(table) if parquet else text_rows(table)
    rows = list(found)
    reading = Reading("parquet" if parquet else "csv", folder)
    if not parquet:
        _check_quotes(table, reading)
    if twice := [name for name, n in Counter(header).items() if n > 1]:
        raise UnreadableTableError(
            f"{printable(table)!r} has a column twice",
            found=f"{_listing(twice)} (compared without case)",
            remedy="rename one of them, or leave it out",
        )
    column = "genre" if "genre" in header or "genres" not in header else "genres"
    if multi_label is None:
        # Of a table with both columns, one genre per song is used unless several are requested.
        place = header.index(column) if column == "genres" else 0
        multi_label = column == "genres" and any(
            len(names_in(row[place])) > 1 for row in rows if len(row) > place
        )
    reading.multi_label = labelled and multi_label
    if reading.multi_label and "genres" in header:
        column = "genres"
    wanted = [name for name in REQUIRED[: 1 + labelled] if name != "genre" or column == "genre"]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise MissingColumnsError(
            f"{printable(table)!r} lacks a column",
            found=_listing(header) or "an empty file",
            wanted=f"{' and '.join(map(repr, missing))}; optional: {', '.join(_KNOWN[2:])}",
        )
    unused = "genres" if column == "genre" else ""
    unknown = [name for name in header if name not in _KNOWN or name == unused]
    if unknown:
        message = f"ignored the columns {_listing(unknown)}; known are {', '.join(_KNOWN)}"
        reading.report(table, "unknown-column", message)
    reading.from_tags = frozenset({"artist", "album", "title", "duration"}) - set(header)
    lists: list[tuple[str, str]] = []
    for number, row in enumerate(rows, start=2):
        if len(row) > len(header):
            message = f"row {number}: values: {len(row)}, wanted {len(header)}; a comma to quote?"
            reading.report(table, "bad-row", message)
            continue
        cells = dict(zip(header, row, strict=False))
        names: Sequence[str] = cell_values(cells.get(column))
        if reading.multi_label or column == "genres":
            names = names_in(cells.get(column))
        song = _song(cells, names, folder, f"row {number}", reading, labelled)
        if song is None:
            continue
        reading.songs.append(song)
        if reading.multi_label:
            song.genres = tuple(names)
        elif labelled and len(names) > 1:
            lists.append((song.path, f"row {number}: {cell_values(cells[column])}"))
    if lists:
        listed = "; ".join(row for _, row in lists[:5]) + ("; ..." if len(lists) > 5 else "")
        message = f"{len(lists)} songs have several genres, the first was taken: {listed}"
        reading.report(lists[0][0], "several-genres", message)
    return reading


def _check_quotes(table: str, reading: Reading) -> None:
    """Report fields with several lines; raise an error for a quote that merges several rows."""
    with open(table, encoding="utf-8-sig", newline="") as file:
        delimiter = _delimiter(file.readline())
        file.seek(0)
        for span in spans(file, delimiter):
            if span.swallows:
                raise UnreadableTableError(f"{printable(table)!r}: {span}", **span.fault)
            message = f"a field goes over lines {span.first} to {span.last}: taken for one row"
            reading.report(table, "several-lines", message)


def _delimiter(first: str) -> str:
    return max(",;\t", key=first.count)


def _listing(names: Sequence[str], limit: int = 20) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(repr, names[:limit])) + more


def _song(
    row: dict[str, object],
    genres: Sequence[str],
    folder: str,
    where: str,
    reading: Reading,
    labelled: bool,
) -> Song | None:
    """Return one row as a song, or None (and a problem) if it cannot be used."""
    stored = row.get("path")
    path = _decode(os.fsdecode(stored) if isinstance(stored, bytes) else str(stored or ""), folder)
    genre = clean(genres[0]) if genres else ""
    if not path or (labelled and not genre):
        reading.report(path, *(("no-genre", where) if path else ("no-path", where)))
        return None
    if not os.path.isfile(path):
        reading.report(path, "missing-file", f"{where}: no such file")
        return None
    song = Song(path, genre)
    for name in ("album", "title", "track_id", "song"):
        setattr(song, name, clean(_text(row.get(name))))
    # Several artists are joined, as those from tags are.
    song.artist = clean(", ".join(cell_values(row.get("artist"))))
    text = _text(row.get("duration")).strip()
    try:
        song.duration = float(text or "nan")
    except ValueError:
        song.duration = -1.0
    if not (math.isnan(song.duration) or 0 <= song.duration < math.inf):
        reading.report(path, "bad-value", f"{where}: duration {text!r} is no number of seconds")
        song.duration = math.nan
    part = clean(_text(row.get("split")))
    song.split = PART_NAMES.get(part.lower(), "")
    if part and not song.split:
        message = f"{where}: split {part!r} is none of train, validation, test"
        reading.report(path, "bad-value", message)
    return song


def _text(value: object) -> str:
    """Return a cell as text; None and NaN, used by Parquet writers for missing values, are ''."""
    return "" if value is None or value != value else str(value)


def text_rows(table: str) -> tuple[list[str], list[list[str]]]:
    """Return the header (lower case) and the rows of a CSV or TSV file, all as text.

    No types are inferred: an artist called "NA" or an identifier "007" stays as it is.

    Raises
    ------
    UnreadableTableError
        If it is not UTF-8 or not CSV.
    """
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            rows = [row for row in csv.reader(file, delimiter=_delimiter(first)) if row]
    except UnicodeDecodeError as error:
        raise UnreadableTableError(
            f"{printable(table)!r} is not UTF-8",
            found=f"byte 0x{error.object[error.start]:02x} at {error.start}",
            remedy="save it as UTF-8; write paths that are not UTF-8 as file:name%E9.mp3",
        ) from None
    except csv.Error as error:
        raise UnreadableTableError(
            f"{printable(table)!r} is not a CSV file", found=str(error)
        ) from None
    header = [clean(name).lower() for name in rows[0]] if rows else []
    return header, rows[1:]


def _parquet_rows(table: str) -> tuple[list[str], Iterator[Sequence[object]]]:
    import pyarrow
    import pyarrow.parquet

    try:
        data = pyarrow.parquet.read_table(table)
    except (pyarrow.ArrowException, OSError) as error:
        raise UnreadableTableError(
            f"{printable(table)!r} is not a Parquet file", found=clean(error)
        ) from None
    columns = [column.to_pylist() for column in data.columns]
    return [name.strip().lower() for name in data.column_names], zip(*columns, strict=True)


def write_table(frame: pd.DataFrame, table: str) -> None:
    """Write a catalog's table; see `genrenet.data.catalog.write_catalog`."""
    suffix = os.path.splitext(table)[1].lower()
    if suffix not in (*PARQUET_SUFFIXES, *TEXT_SUFFIXES):
        raise CatalogError(
            f"cannot write {printable(table)!r}",
            found=f"suffix {suffix!r}",
            wanted=", ".join((*TEXT_SUFFIXES, *PARQUET_SUFFIXES)),
        )
    folder = os.path.dirname(table)
    names = [name for name in _KNOWN if name in frame]
    columns: dict[str, list] = {name: [_text(v) for v in frame[name]] for name in names}
    columns["duration"] = frame["duration"].tolist()
    columns["path"] = [_encode(path, folder) for path in frame["path"]]
    try:
        os.makedirs(folder, exist_ok=True)
        with replacing(table) as part:
            if suffix in PARQUET_SUFFIXES:
                _write_parquet(columns, part)
            else:
                _write_text(columns, part, "\t" if suffix == ".tsv" else ",")
    except (OSError, UnicodeEncodeError) as error:
        raise CatalogError(f"cannot write {printable(table)!r}", found=clean(error)) from None


def _write_text(columns: dict[str, list], path: Path, delimiter: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow(["" if value != value else value for value in row])


def _write_parquet(columns: dict[str, list], path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    kinds = {name: pyarrow.string() for name in columns} | {"duration": pyarrow.float64()}
    arrays = {name: pyarrow.array(values, kinds[name]) for name, values in columns.items()}
    pyarrow.parquet.write_table(pyarrow.table(arrays), path)


def _encode(path: str, folder: str) -> str:
    """Return a path as it is stored in a table."""
    path = relative(path, folder)
    # Lone surrogates and control characters are not printable; spreadsheets lose end spaces.
    if path.isprintable() and path == path.strip() and not path.startswith((_URL, "~")):
        return path
    return (_URL + "//" if path.startswith("/") else _URL) + quote(os.fsencode(path))


def _decode(stored: str, folder: str) -> str:
    """Return the absolute path of a table's entry, '' for an empty one."""
    if not stored.strip():
        return ""
    if stored.startswith(_URL):
        rest = stored[len(_URL) :]
        if rest.startswith("//"):
            rest = rest[rest.find("/", 2) :]  # file://host/path: the host is ignored
        stored = os.fsdecode(unquote_to_bytes(rest))
    else:
        stored = os.path.expanduser(stored)
    return os.path.normpath(os.path.join(folder, stored))


def _is_text(path: str) -> bool:
    """Return whether a path is a text table, or a folder with one named tracks.csv.

    Any other tracks.csv in a folder of songs is ignored.
    """
    if not os.path.isdir(path):
        return path.lower().endswith(TEXT_SUFFIXES)
    inner = os.path.join(path, "tracks.csv")
    try:
        if not os.path.isfile(inner):
            return False
        header = set(text_rows(inner)[0])
        return "path" in header and bool({"genre", "genres"} & header)
    except UnreadableTableError:
        return False


def _is_parquet(path: str) -> bool:
    return not os.path.isdir(path) and path.lower().endswith(PARQUET_SUFFIXES)


def _read_text(path: str, *, labelled: bool, multi_label: bool | None = None) -> Reading:
    table = _table_in(path, "tracks.csv")
    return read_table(table, labelled=labelled, multi_label=multi_label)


def _read_parquet(path: str, *, labelled: bool, multi_label: bool | None = None) -> Reading:
    table = _table_in(path, "tracks.parquet")
    return read_table(table, parquet=True, labelled=labelled, multi_label=multi_label)


def _table_in(path: str, name: str) -> str:
    return os.path.join(path, name) if os.path.isdir(path) else path


CSV = Reader("csv", "a CSV, TSV or text table with path and genre", _is_text, _read_text)
PARQUET = Reader("parquet", "a Parquet table with path and genre", _is_parquet, _read_parquet)
