"""Recommendations as tables, and in files that are written atomically."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from genrenet.recommend.errors import RecommendError
from genrenet.recommend.history import History
from genrenet.recommend.ranking import Block
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import printable

SUFFIXES = (".csv", ".parquet")


def check_out(file: str | os.PathLike[str]) -> Path:
    """Return the path of a file for recommendations, after checking that it can be written.

    Raises
    ------
    RecommendError
        Its suffix is none of `SUFFIXES`, or its folder does not exist or cannot be written.
    """
    path = Path(file)
    if path.suffix.lower() not in SUFFIXES:
        raise RecommendError(
            f"--out '{printable(path)}'",
            found=f"the suffix '{path.suffix}'",
            wanted=" or ".join(SUFFIXES),
        )
    folder = path.resolve().parent
    if not folder.is_dir():
        raise RecommendError(
            f"no folder '{printable(path.parent)}' to write into", remedy="create it first"
        )
    if path.is_dir() or not os.access(folder, os.W_OK):
        raise RecommendError(f"cannot write '{printable(path)}'", remedy="choose another file")
    return path


def check_folder(folder: str | os.PathLike[str]) -> Path:
    """Return a folder for a report, after checking that it can be created.

    Raises
    ------
    RecommendError
        It cannot be created or written.
    """
    path = Path(folder)
    there = path.absolute()
    while not os.path.lexists(there):
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise RecommendError(
            f"cannot write into the folder '{printable(path)}'",
            found=f"'{printable(there)}', which is not a writable folder",
            remedy="choose another place",
        )
    return path


def as_table(block: Block, users: Sequence[str], history: History) -> pa.Table:
    """Return the recommendations of a block, one per row.

    Parameters
    ----------
    block : Block
    users : sequence of str
        Names of all users, indexed by the block's rows.
    history : History

    Returns
    -------
    pyarrow.Table
        ``user``, ``item``, ``name`` (if the history has displayed names), ``rank`` (from 1 on) and
        ``score``.
    """
    there = block.items >= 0
    row, place = np.nonzero(there)
    columns = block.items[there]
    table: dict[str, Any] = {
        "user": pa.array([users[block.rows[one]] for one in row], pa.string()),
        "item": pa.array([history.items[column] for column in columns], pa.string()),
    }
    if history.names:
        table["name"] = pa.array([history.called(column) for column in columns], pa.string())
    table["rank"] = pa.array(place + 1, pa.int32())
    table["score"] = pa.array(block.scores[there], pa.float32())
    return pa.table(table)


def write_recommendations(file: Path, tables: Iterable[pa.Table]) -> int:
    """Write recommendations incrementally.

    Parameters
    ----------
    file : Path
        See `check_out`. An existing file is replaced when all is written, and kept otherwise.
    tables : iterable of pyarrow.Table
        With the same columns; at least one.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    RecommendError
        The disk is full or cannot be written.
    """
    count = 0
    writer: Any = None
    try:
        with replacing(file) as part, ExitStack() as opened:
            for table in tables:
                if writer is None:
                    writer = _writer(part, table.schema, file.suffix.lower() == ".csv")
                    opened.callback(writer.close)
                writer.write_table(table)
                count += len(table)
    except (OSError, pa.ArrowException) as error:
        raise RecommendError(
            f"cannot write '{printable(file)}'",
            found=str(error),
            remedy="free some space, or choose another place",
        ) from error
    return count


def _writer(file: Path, schema: pa.Schema, plain: bool) -> Any:
    return _CsvFile(file, schema) if plain else pyarrow.parquet.ParquetWriter(str(file), schema)


def write_csv(rows: Any, table: pa.Table) -> None:
    """Write a table of recommendations to a `csv.writer`; Arrow's own writer quotes every text."""
    columns = [column.to_pylist() for column in table.columns]
    columns[-1] = [f"{score:.6g}" for score in columns[-1]]
    rows.writerows(zip(*columns, strict=True))


class _CsvFile:
    """A CSV file to which tables are written, with the interface of Arrow's writers."""

    def __init__(self, file: Path, schema: pa.Schema) -> None:
        self._file = file.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(schema.names)

    def write_table(self, table: pa.Table) -> None:
        write_csv(self._rows, table)

    def close(self) -> None:
        self._file.close()
