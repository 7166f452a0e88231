"""The table of a scanned library, one row per song, as Parquet or SQLite.

Its columns are ``path`` (absolute; bytes that are not UTF-8 as ``\\xNN``, see `file_of`),
``genre``, ``confidence`` (from 0 to 1), ``genres`` (all above the threshold, best first, between
semicolons; empty if it is not music), ``subgenres`` (likewise, for a model with subgenres),
``unsure`` (1 if the genre is not reliable, else 0), ``correction`` (the right genre if the user has
set one, see `genrenet.library.corrections`), ``artist``, ``album`` and ``title`` (from the file's
own tags; empty if missing), ``frames`` (number scored), ``duration`` (seconds), ``checkpoint``
(identity of the model), ``error``, ``notes``, the file's state when it was read (``size`` in bytes,
``mtime`` in ns, ``file_id``, ``sample``; see `genrenet.utils.file_stamp`), ``scored_by`` (see
`genrenet.library.scanning.scorer_of`), and the score of each of the model's genres (see
`genrenet.inference.result.score_columns`). Older tables lack some of these columns (see `LATER`):
their rows have None. Rows are sorted by path. The metadata common to all rows are the table's
`About`: in Parquet the schema's metadata under ``genrenet``, in SQLite the table ``about``; the
songs of SQLite are in the table ``songs``.

Tables are replaced atomically, so that readers never see an incomplete one, and rows are read and
written as a stream, so that memory does not grow with their number.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from genrenet.inference.result import score_columns
from genrenet.library.locking import TableError as TableError, table_lock as table_lock
from genrenet.library.lookup import Wanted, parquet_rows, quoted, sqlite_rows
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import printable

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
SCORE = "score_"
Row = dict[str, Any]

COLUMNS = {
    "path": ("TEXT PRIMARY KEY", pa.string()),
    "genre": ("TEXT", pa.string()),
    "confidence": ("REAL", pa.float64()),
    "genres": ("TEXT", pa.string()),
    "subgenres": ("TEXT", pa.string()),
    "unsure": ("INTEGER", pa.int64()),
    "correction": ("TEXT", pa.string()),
    "artist": ("TEXT", pa.string()),
    "album": ("TEXT", pa.string()),
    "title": ("TEXT", pa.string()),
    "frames": ("INTEGER", pa.int64()),
    "duration": ("REAL", pa.float64()),
    "checkpoint": ("TEXT", pa.string()),
    "error": ("TEXT", pa.string()),
    "notes": ("TEXT", pa.string()),
    "size": ("INTEGER", pa.int64()),
    "mtime": ("INTEGER", pa.int64()),
    "file_id": ("TEXT", pa.string()),
    "sample": ("TEXT", pa.string()),
    "scored_by": ("TEXT", pa.string()),
}
"""Keys of a row, without those of scores, and their types in SQLite and Parquet."""

TAGS = ("artist", "album", "title")
"""Columns from a file's own tags."""

LATER = {
    *("genres", "subgenres", "unsure", "correction", *TAGS),
    *("file_id", "sample", "scored_by"),
}
"""Columns that older tables lack."""

SQLITE = {".sqlite", ".sqlite3", ".db"}
"""Suffixes of tables in SQLite."""

SUFFIXES = frozenset({".parquet", *SQLITE})
"""Suffixes of table files."""

AT_ONCE = 4096
"""Number of rows that are read or written together."""


@dataclass(frozen=True)
class About:
    """The metadata common to all rows of a table.

    Attributes
    ----------
    labels : list of str
        The model's genres.
    checkpoint : str
        Identity of the model; see `genrenet.library.scanning.identity_of`.
    settings : dict
        How songs were scored: ``trim`` and ``frames`` as they were requested, and ``coverage``,
        which older tables lack: see `genrenet.data.coverage`.
    """

    labels: list[str]
    checkpoint: str
    settings: dict[str, Any] = field(default_factory=dict)
    version: int = VERSION


def columns_of(labels: Sequence[str]) -> list[str]:
    """Return the keys of a table's rows, in order."""
    return [*COLUMNS, *(SCORE + label for label in labels)]


def _stored(labels: Sequence[str]) -> dict[str, str]:
    """Return the names of columns in a file, by their key."""
    scores = {SCORE + label: name for label, name in score_columns(labels).items()}
    return {**dict(zip(COLUMNS, COLUMNS, strict=True)), **scores}


def found_columns(labels: Sequence[str], names: Iterable[str]) -> dict[str, str]:
    """Return the keys of a file's columns by their names; older files lack some.

    Raises
    ------
    KeyError
        A required column is missing.
    """
    there = {*names}
    # Parquet was written with names that differ only in case.
    kept = {key: key if key in there else name for key, name in _stored(labels).items()}
    if missing := {*kept.values()} - there - LATER:
        raise KeyError(*sorted(missing))
    return {key: name for key, name in kept.items() if name in there}


def check_table(file: Path, labels: Sequence[str]) -> None:
    """Raise an error for a table that could not be written, before there is work to lose.

    Raises
    ------
    TableError
        The suffix is not a table's, or the format cannot have columns of these genres.
    """
    check_suffix(file)
    try:
        # SQLite is the stricter of both: it limits the number of columns and their names.
        if file.suffix.lower() in SQLITE:
            with closing(sqlite3.connect(":memory:")) as connection:
                connection.execute(_declaration(labels))
        else:
            _schema(About(list(labels), ""))
    except (sqlite3.Error, sqlite3.Warning, ValueError, pa.ArrowException) as error:
        raise TableError(
            f"'{printable(file)}' cannot hold the scores of these {len(labels)} genres",
            found=str(error),
            remedy="write a .parquet file, or train a model whose genres have plain names",
        ) from error


def check_suffix(file: Path) -> None:
    """Raise an error for a name whose suffix is not a table's.

    Raises
    ------
    TableError
    """
    if file.suffix.lower() not in SUFFIXES:
        raise TableError(
            f"'{printable(file)}' is not a valid name for a library's table",
            found=f"the suffix '{file.suffix}'",
            wanted=" or ".join(sorted(SUFFIXES)),
        )


def file_of(stored: str) -> str:
    r"""Return the file of a table's ``path``, with ``\xNN`` converted to the byte it represents.

    A file whose own name contains such a sequence takes precedence.
    """
    if "\\x" not in stored or os.path.lexists(stored):
        return stored
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda hit: bytes.fromhex(hit[1].decode()), stored.encode())
    return os.fsdecode(raw)


def read_about(file: str | os.PathLike[str]) -> About:
    """Return the metadata of a table.

    Raises
    ------
    TableError
        There is no such file, it is damaged, or it is not a table of a library.
    """
    path = Path(file)
    check_suffix(path)
    with reading(path):
        if path.suffix.lower() in SQLITE:
            with closing(connect(path)) as connection:
                found = connection.execute("SELECT value FROM about").fetchone()[0]
        else:
            found = (pq.read_schema(path).metadata or {})[b"genrenet"]
        about = About(**json.loads(found))
    if about.version != VERSION:
        raise TableError(
            f"the table '{printable(path)}' is of another version",
            found=str(about.version),
            wanted=str(VERSION),
            remedy="scan into another file",
        )
    return about


def read_rows(
    file: str | os.PathLike[str],
    wanted: Wanted | None = None,
    keys: Collection[str] | None = None,
) -> Generator[Row, None, None]:
    """Yield the rows of a table, sorted by path, a few thousand at a time.

    Parameters
    ----------
    file : path
    wanted : Wanted, optional
        Selected rows; all by default.
    keys : collection of str, optional
        Keys of columns to read; all by default.

    Raises
    ------
    TableError
        See `read_about`.
    """
    path = Path(file)
    labels = read_about(path).labels
    empty = dict.fromkeys(columns_of(labels) if keys is None else keys)
    with reading(path):
        if path.suffix.lower() in SQLITE:
            with closing(connect(path)) as connection:
                told = connection.execute("PRAGMA table_info(songs)").fetchall()
                there = found_columns(labels, (name for _, name, *_ in told))
                found = {key: name for key, name in there.items() if key in empty}
                for values in sqlite_rows(connection, [*found.values()], wanted):
                    yield empty | dict(zip(found, values, strict=True))
        else:
            with pq.ParquetFile(path) as held:
                there = found_columns(labels, held.schema_arrow.names)
                found = {key: name for key, name in there.items() if key in empty}
                for batch in parquet_rows(held, [*found.values()], wanted):
                    for row in batch.to_pylist():
                        yield empty | {key: row[name] for key, name in found.items()}


def count_rows(file: str | os.PathLike[str]) -> int:
    """Return the number of a table's rows, without reading them.

    Raises
    ------
    TableError
        See `read_about`.
    """
    path = Path(file)
    read_about(path)
    with reading(path):
        if path.suffix.lower() in SQLITE:
            with closing(connect(path)) as connection:
                return int(connection.execute("SELECT COUNT(*) FROM songs").fetchone()[0])
        return int(pq.read_metadata(path).num_rows)


def read_table(file: str | os.PathLike[str]) -> pd.DataFrame:
    """Return a whole table.

    Raises
    ------
    TableError
        See `read_about`.
    """
    import pandas as pd

    names = columns_of(read_about(file).labels)
    return pd.DataFrame(list(read_rows(file)), columns=names)


def write_rows(file: str | os.PathLike[str], rows: Iterable[Row], about: About) -> int:
    """Write a table in one step.

    Parameters
    ----------
    file : path
        Its suffix determines the format; see `SUFFIXES`. An existing file is replaced.
    rows : iterable of dict
        Sorted by ``path``, each path once; missing columns are empty.
    about : About

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    TableError
        The disk is full or cannot be written; the former file is kept.
    """
    path = Path(file)
    check_suffix(path)
    write = _write_sqlite if path.suffix.lower() in SQLITE else _write_parquet
    try:
        with replacing(path) as part:
            count = write(part, iter(rows), about)
    except (OSError, sqlite3.Error, pa.ArrowException) as error:
        raise TableError(
            f"cannot write the table '{printable(path)}'",
            found=str(error),
            remedy="free some space, or choose another place; finished work is kept",
        ) from error
    return count


def _schema(about: About) -> pa.Schema:
    stored = _stored(about.labels)
    kinds = [COLUMNS[key][1] if key in COLUMNS else pa.float64() for key in stored]
    schema = pa.schema(list(zip(stored.values(), kinds, strict=True)))
    return schema.with_metadata({"genrenet": json.dumps(asdict(about))})


def _write_parquet(path: Path, rows: Iterator[Row], about: About) -> int:
    schema, keys, count = _schema(about), columns_of(about.labels), 0
    with pq.ParquetWriter(path, schema) as writer:
        while some := list(islice(rows, 16 * AT_ONCE)):
            columns = [[row.get(key) for row in some] for key in keys]
            writer.write_table(pa.table(dict(zip(schema.names, columns, strict=True)), schema))
            count += len(some)
    return count


def _declaration(labels: Sequence[str]) -> str:
    kinds = {key: kind for key, (kind, _) in COLUMNS.items()}
    declared = (f"{quoted(n)} {kinds.get(key, 'REAL')}" for key, n in _stored(labels).items())
    return f"CREATE TABLE songs ({', '.join(declared)}) WITHOUT ROWID"


def _write_sqlite(path: Path, rows: Iterator[Row], about: About) -> int:
    keys, count = columns_of(about.labels), 0
    with closing(sqlite3.connect(path)) as connection, connection:
        # The file is not read before it is complete, so a journal would only cost time.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("CREATE TABLE about (value TEXT)")
        connection.execute("INSERT INTO about VALUES (?)", (json.dumps(asdict(about)),))
        connection.execute(_declaration(about.labels))
        holes = ", ".join("?" * len(keys))
        while some := list(islice(rows, AT_ONCE)):
            values = ([row.get(key) for key in keys] for row in some)
            connection.executemany(f"INSERT INTO songs VALUES ({holes})", values)
            count += len(some)
    return count


def connect(path: Path) -> sqlite3.Connection:
    """Open a table in SQLite, read-only."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


class reading:
    """Converts the various errors of reading to one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        if not self.path.is_file():
            raise TableError(
                f"there is no table '{printable(self.path)}'",
                remedy="make one with 'genrenet scan LIBRARY --out FILE'",
            )

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        damage = (OSError, sqlite3.Error, pa.ArrowException, KeyError, TypeError, ValueError)
        if isinstance(error, damage):
            raise TableError(
                f"'{printable(self.path)}' is not the table of a scanned library, or is damaged",
                found=f"{type(error).__name__}: {error}",
                remedy="name a file that 'genrenet scan' wrote",
            ) from error
