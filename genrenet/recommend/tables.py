"""Tables of listening as Arrow columns of text: CSV, TSV and Parquet, by the block and not by row.

A field of a comma-separated table may be quoted. In one with tabs, quotes are letters like others:
the large public histories hold names such as ``"Weird Al" Yankovic`` as they are.
"""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from genrenet.errors import printable
from genrenet.recommend.errors import HistoryError

SNIFFED = 20  # rows that a layout is told by


class Text(NamedTuple):
    """A table whose columns are text.

    Attributes
    ----------
    columns : pyarrow.Table
        Called by their number.
    lines : list of int
        Lines of the file that had another number of columns; they are not in ``columns``.
    latin : bool
        The file was no UTF-8 and has been read as Latin-1.
    """

    columns: pa.Table
    lines: list[int]
    latin: bool


def first_rows(file: Path) -> tuple[list[list[str]], bool]:
    """The first rows of a text file with columns, and whether tabs part them.

    Raises
    ------
    HistoryError
        There is no such file, it is empty, or it is no text.
    """
    with opened(file), open(file, encoding="utf-8-sig", errors="replace", newline="") as held:
        start = held.read(1 << 16)
    if not start.strip():
        raise HistoryError(
            f"'{printable(file)}' is empty", wanted="rows of user, item and, perhaps, plays"
        )
    if "\0" in start:
        raise HistoryError(
            f"'{printable(file)}' is no text",
            wanted="CSV, TSV or Parquet, or an export of Last.fm or ListenBrainz",
        )
    lines = [line for line in start.splitlines() if line.strip()]
    tabs = "\t" in lines[0]
    dialect = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if tabs else {"delimiter": ","}
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in islice(csv.reader(lines, strict=False, **dialect), SNIFFED)
        ]
    except csv.Error as error:
        raise HistoryError(f"cannot read '{printable(file)}'", found=str(error)) from error
    return rows, tabs


def read_text(file: Path, width: int, tabs: bool, header: bool) -> Text:
    """All of a text file with columns.

    Parameters
    ----------
    file : Path
    width : int > 0
        Number of columns.
    tabs, header : bool
        Whether tabs part columns, and whether the first row is a header.

    Raises
    ------
    HistoryError
        It cannot be read.
    """
    try:
        return _read_text(file, width, tabs, header, "utf8")
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        if "UTF8" not in str(error) and not isinstance(error, UnicodeDecodeError):
            raise HistoryError(f"cannot read '{printable(file)}'", found=str(error)) from error
    return _read_text(file, width, tabs, header, "latin-1")


def _read_text(file: Path, width: int, tabs: bool, header: bool, encoding: str) -> Text:
    lines: list[int] = []

    def odd(row: pyarrow.csv.InvalidRow) -> str:
        # An empty last line is nobody's mistake.
        if row.text.strip():
            lines.append(row.number)
        return "skip"

    names = [str(column) for column in range(width)]
    with opened(file):
        table = pyarrow.csv.read_csv(
            file,
            # Only one thread can tell the numbers of lines.
            pyarrow.csv.ReadOptions(
                use_threads=False, skip_rows=int(header), column_names=names, encoding=encoding
            ),
            pyarrow.csv.ParseOptions(
                delimiter="\t" if tabs else ",",
                quote_char=False if tabs else '"',
                newlines_in_values=not tabs,
                ignore_empty_lines=False,
                invalid_row_handler=odd,
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    return Text(table, lines, encoding != "utf8")


def read_parquet(file: Path) -> pa.Table:
    """All columns of a Parquet file that are text or numbers; others become empty.

    Raises
    ------
    HistoryError
        It cannot be read, or is empty.
    """
    try:
        with opened(file):
            table = pyarrow.parquet.read_table(file)
    except pa.ArrowException as error:
        raise HistoryError(
            f"'{printable(file)}' is no Parquet file, or is damaged", found=str(error)
        ) from error
    return table


class opened:
    """Turns failures to open a file into errors that say what to do."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __enter__(self) -> None:
        if not self.file.is_file():
            raise HistoryError(
                f"there is no file '{printable(self.file)}'",
                remedy="name a history: CSV, TSV or Parquet, or an export of Last.fm or "
                "ListenBrainz",
            )

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
            raise HistoryError(
                f"cannot read '{printable(self.file)}'", found=error.strerror or str(error)
            ) from error
