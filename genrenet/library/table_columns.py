"""Whole columns of a library's table, for operations on all songs at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from genrenet.library.lookup import quoted
from genrenet.library.table import (
    AT_ONCE,
    COLUMNS,
    SQLITE,
    About,
    columns_of,
    connect,
    found_columns,
    read_about,
    reading,
)


def read_columns(file: str | os.PathLike[str], keys: Sequence[str]) -> tuple[About, pa.Table]:
    """Return some columns of a table, in the order of its rows.

    Parameters
    ----------
    file : path
    keys : sequence of str
        Of `genrenet.library.table.columns_of`, without those of scores.

    Returns
    -------
    about : About
    columns : pyarrow.Table
        The columns by key, then ``score_<genre>`` of each of the model's genres as float32; columns
        that an older table lacks are null.

    Raises
    ------
    TableError
        See `genrenet.library.table.read_about`.
    """
    path = Path(file)
    about = read_about(path)
    wanted = [*keys, *columns_of(about.labels)[len(COLUMNS) :]]
    with reading(path):
        if path.suffix.lower() in SQLITE:
            found, columns = _from_sqlite(path, about, wanted)
        else:
            with pq.ParquetFile(path) as held:
                found = found_columns(about.labels, held.schema_arrow.names)
                names = [found[key] for key in wanted if key in found]
                columns = held.read(columns=names)
    types = [COLUMNS[key][1] if key in COLUMNS else pa.float32() for key in wanted]
    arrays = [
        columns[found[key]].cast(kind) if key in found else pa.nulls(len(columns), kind)
        for key, kind in zip(wanted, types, strict=True)
    ]
    return about, pa.table(dict(zip(wanted, arrays, strict=True)))


def _from_sqlite(
    path: Path, about: About, wanted: Sequence[str]
) -> tuple[dict[str, str], pa.Table]:
    with closing(connect(path)) as connection:
        told = connection.execute("PRAGMA table_info(songs)").fetchall()
        found = found_columns(about.labels, (name for _, name, *_ in told))
        names = [found[key] for key in wanted if key in found]
        chosen = ", ".join(map(quoted, names))
        asked = connection.execute(f"SELECT {chosen} FROM songs ORDER BY path")
        batches = []
        while rows := asked.fetchmany(AT_ONCE):
            batches.append(
                pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
            )
    if not batches:
        return found, pa.table({name: pa.nulls(0) for name in names})
    return found, pa.concat_tables(batches, promote_options="permissive")
