"""Find rows of a table without reading all of it.

A Parquet file is sorted by path, so for most of its row groups only the statistics are read;
columns that are not requested are not read. SQLite finds paths by its key.
"""

from __future__ import annotations

import json
import os
import sqlite3
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_AT_ONCE = 4096


@dataclass(frozen=True)
class Wanted:
    """A selection of rows: those for which any of these conditions is true.

    Attributes
    ----------
    paths : collection of str
        As in the table.
    folders : collection of str
        Folders: rows of files below them.
    sizes : collection of int
        Sizes of the song's file in bytes.
    """

    paths: Collection[str] = ()
    folders: Collection[str] = ()
    sizes: Collection[int] = ()

    @property
    def spans(self) -> list[tuple[str, str]]:
        """First path of each folder, and the first one after them."""
        starts = [folder.rstrip(os.sep) + os.sep for folder in self.folders]
        return [(start, start[:-1] + chr(ord(os.sep) + 1)) for start in starts]

    def holds(self, path: str) -> bool:
        """Return whether a path is selected, whatever its size."""
        if path in self.paths:
            return True
        while path not in self.folders:
            if path == (path := os.path.dirname(path)):
                return False
        return True


def quoted(name: str) -> str:
    """Return a column's name, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def sqlite_rows(
    connection: sqlite3.Connection, columns: list[str], wanted: Wanted | None
) -> Iterator[tuple[Any, ...]]:
    """Yield columns of rows of the table ``songs``, sorted by path; of all rows for None."""
    chosen = ", ".join(map(quoted, columns))
    if wanted is None:
        yield from connection.execute(f"SELECT {chosen} FROM songs ORDER BY path")
        return
    asked = (
        f"SELECT {chosen} FROM songs WHERE path IN ("
        "SELECT value FROM json_each(?)"
        " UNION SELECT songs.path FROM json_each(?) AS span JOIN songs"
        " ON songs.path >= json_extract(span.value, '$[0]')"
        " AND songs.path < json_extract(span.value, '$[1]')"
        + (" UNION SELECT path FROM songs WHERE size IN (SELECT value FROM json_each(?))")
        * bool(wanted.sizes)
        + ") ORDER BY path"
    )
    given = [[*wanted.paths], wanted.spans, *([[*wanted.sizes]] if wanted.sizes else [])]
    yield from connection.execute(asked, [json.dumps(values) for values in given])


def parquet_rows(
    held: pq.ParquetFile, columns: list[str], wanted: Wanted | None
) -> Iterator[pa.RecordBatch]:
    """Yield columns of rows of a file, in its order, in batches; of all rows for None."""
    if wanted is None:
        yield from held.iter_batches(_AT_ONCE, columns=columns)
        return
    groups = [group for group in range(held.num_row_groups) if _may_hold(held, group, wanted)]
    paths, sizes = pa.array(wanted.paths, pa.string()), pa.array(wanted.sizes, pa.int64())
    spans = wanted.spans
    for group in groups:
        asked = held.read_row_group(group, columns=["path", "size"])
        mask = pc.or_(
            pc.is_in(asked["path"], value_set=paths), pc.is_in(asked["size"], value_set=sizes)
        ).to_numpy()
        if spans:
            sorted_paths = asked["path"].to_pylist()
            for start, end in spans:
                mask[bisect_left(sorted_paths, start) : bisect_left(sorted_paths, end)] = True
        if mask.any():
            found = held.read_row_group(group, columns=columns).filter(pa.array(mask))
            yield from found.to_batches(_AT_ONCE)


def _may_hold(held: pq.ParquetFile, group: int, wanted: Wanted) -> bool:
    """Return whether a row group may contain selected rows, by its statistics."""
    place = held.schema_arrow.names.index("path")
    known = held.metadata.row_group(group).column(place).statistics
    if wanted.sizes or known is None or not known.has_min_max:
        return True
    low, high = known.min, known.max
    return any(low <= path <= high for path in wanted.paths) or any(
        start <= high and low < end for start, end in wanted.spans
    )
