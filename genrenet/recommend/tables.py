"""Tables of listening as Arrow columns of text: CSV, TSV and Parquet, by the block and not by row.

Fields of a table with commas or semicolons may be quoted. With tabs, ``::`` (MovieLens 1M) or
``|``, quotes are ordinary characters: the large public histories contain names such as
``"Weird Al" Yankovic`` unquoted.
"""

from __future__ import annotations

import csv
import re
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from genrenet.recommend.errors import HistoryError
from genrenet.utils.errors import printable
from genrenet.utils.open_quotes import Span, spans

SNIFFED = 1000  # rows by which a layout is detected
SEPARATORS = ("\t", "::", "|", ";", ",")
_UNIT = "\x1f"  # replaces a separator of two characters
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


class Form(NamedTuple):
    """The format of a text table.

    Attributes
    ----------
    separator : str
        One of `SEPARATORS`.
    encoding : str
        "utf-8" unless determined by the file's first bytes.
    """

    separator: str
    encoding: str

    @property
    def quoted(self) -> bool:
        """Whether fields may be quoted."""
        return self.separator in (",", ";")


class Text(NamedTuple):
    """A table whose columns are text.

    Attributes
    ----------
    columns : pyarrow.Table
        Named by their number.
    lines : list of int
        Rows of the file, from 1, with a wrong number of columns; not in ``columns``.
    encoding : str
        Encoding with which it was read.
    spans : list of Span
        Rows that span several lines.
    """

    columns: pa.Table
    lines: list[int]
    encoding: str
    spans: list[Span]

    def line(self, row: int) -> int:
        """Return the line of the file in which a row, counted from 1, begins."""
        for span in self.spans:
            row += span.last - span.first if span.first < row else 0
        return row


def first_rows(file: Path) -> tuple[list[list[str]], Form]:
    """Return the first rows of a text table, and its format.

    Raises
    ------
    HistoryError
        There is no such file, it is empty, or it is not text.
    """
    with opened(file), open(file, "rb") as held:
        raw = held.read(1 << 18)
    encoding = _encoding(raw)
    start = _decoded(raw, encoding)
    if not start.strip():
        raise HistoryError(
            f"'{printable(file)}' is empty", wanted="rows of user, item and, optionally, plays"
        )
    if "\0" in start:
        raise HistoryError(
            f"'{printable(file)}' is not text",
            wanted="CSV, TSV or Parquet, or an export of Last.fm or ListenBrainz",
        )
    # Not splitlines(): names may contain U+2028 and the like.
    lines = [line for line in re.split(r"\r\n|\n|\r", start) if line.strip()]
    if len(raw) == 1 << 18:
        lines = lines[:-1] or lines
    found = {separator: _rows(lines, separator) for separator in SEPARATORS}
    separator = max(SEPARATORS[::-1], key=lambda separator: _fits(found[separator]))
    if "\t" in lines[0]:
        separator = "\t"
    return found[separator], Form(separator, encoding)


def _encoding(raw: bytes) -> str:
    for mark, name in _MARKS.items():
        if raw.startswith(mark):
            return name
    # Text in UTF-16 without a byte order mark: every other byte of Latin letters is zero.
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = raw[first : 1 << 12 : 2]
        if (
            len(half) > 3
            and half.count(0) > 0.4 * len(half)
            and not raw[1 - first : 1 << 12 : 2].count(0)
        ):
            return name
    return "utf-8"


def _decoded(raw: bytes, encoding: str) -> str:
    """Return the beginning of a file as text; its last character may be incomplete."""
    if encoding == "utf-8":
        try:
            raw[:-4].decode()
        except UnicodeDecodeError as error:
            if error.end < len(raw) - 8:
                encoding = "cp1252"
    return raw.decode(encoding, "replace")


def _rows(lines: list[str], separator: str) -> list[list[str]]:
    if Form(separator, "").quoted:
        rows: Any = csv.reader(lines, delimiter=separator)
    else:
        rows = (line.split(separator) for line in lines)
    return [[cell.strip() for cell in row] for row in islice(rows, SNIFFED)]


def _fits(rows: list[list[str]]) -> tuple[bool, int]:
    """Return whether a separator divides all rows into equally many columns, and their number."""
    width = len(rows[0])
    alike = sum(len(row) == width for row in rows)
    return width > 1 and alike >= 0.5 * len(rows), width


def read_text(file: Path, width: int, form: Form, header: bool) -> Text:
    """Return all of a text table.

    Parameters
    ----------
    file : Path
    width : int > 0
        Number of columns.
    form : Form
    header : bool
        Whether the first row is a header.

    Raises
    ------
    HistoryError
        It cannot be read, or an open quote merges several rows to one field.
    """
    encodings = [form.encoding] if form.encoding != "utf-8" else ["utf-8", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            over = _spans(file, form.separator, encoding) if form.quoted else []
            table, lines = _parsed(file, width, form.separator, encoding, header)
            return Text(table, lines, encoding, over)
        except UnicodeDecodeError:
            continue
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise HistoryError(f"cannot read '{printable(file)}'", found=str(error)) from error
    raise HistoryError(f"'{printable(file)}' is damaged", wanted=f"text in {form.encoding}")


def _spans(file: Path, separator: str, encoding: str) -> list[Span]:
    with opened(file), open(file, encoding=encoding, newline="") as held:
        found = list(spans(held, separator))
    for span in found:
        if span.swallows:
            raise HistoryError(f"'{printable(file)}': {span}", **span.fault)
    return found


def _parsed(
    file: Path, width: int, separator: str, encoding: str, header: bool
) -> tuple[pa.Table, list[int]]:
    lines: list[int] = []

    def odd(row: pyarrow.csv.InvalidRow) -> str:
        # An empty last line is not reported.
        if row.text.strip():
            lines.append(row.number)
        return "skip"

    names = [str(column) for column in range(width)]
    source: Any = file
    if len(separator) > 1:
        text = file.read_bytes().decode(encoding).replace(separator, _UNIT)
        source, separator, encoding = pa.BufferReader(text.encode()), _UNIT, "utf-8"
    quoted = Form(separator, "").quoted
    with opened(file):
        table = pyarrow.csv.read_csv(
            source,
            # Line numbers are only available with one thread.
            pyarrow.csv.ReadOptions(
                use_threads=False,
                skip_rows=int(header),
                column_names=names,
                # Arrow skips the byte order mark of UTF-8 itself.
                encoding="utf8" if encoding.startswith("utf-8") else encoding,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=separator,
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
                invalid_row_handler=odd,
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    return table, lines


def read_parquet(file: Path) -> pa.Table:
    """Return all columns of a Parquet file that are text or numbers; others become empty.

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
            f"'{printable(file)}' is not a Parquet file, or is damaged", found=str(error)
        ) from error
    return table


class opened:
    """Convert errors of opening a file to errors with a remedy."""

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
