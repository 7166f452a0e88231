"""Detect quotes in text tables that are not closed on the line on which they open.

A CSV reader continues over the ends of lines until it finds the closing quote. One stray quote at
the beginning of a field thus merges all rows up to the next quote to a single field, without an
error. This module finds the text that such a reader would treat as quoted (RFC 4180).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """Lines that a CSV reader treats as one row.

    Attributes
    ----------
    first, last : int
        Lines, from 1.
    closed : bool
        Whether there is a closing quote before the end of the file.
    rows : int
        How many of the lines after the first appear to be complete rows.
    """

    first: int
    last: int
    closed: bool
    rows: int

    @property
    def swallows(self) -> bool:
        """Whether rows have been merged to a field, and not just line breaks."""
        return not self.closed or self.rows > 0

    @property
    def fault(self) -> dict[str, str]:
        """The parts of an error about a span that merges rows: found, wanted and the remedy."""
        return {
            "found": f"{self.rows} rows inside one field" if self.rows else "no closing quote",
            "wanted": "a quote that closes in its line",
            "remedy": f"remove or close the quote in line {self.first}, or double it if it is "
            "part of a name",
        }

    def __str__(self) -> str:
        end = "the end of the file" if not self.closed else f"line {self.last}"
        return f"a quote opens in line {self.first} and is not closed before {end}"


def spans(lines: Iterable[str], delimiter: str) -> Iterator[Span]:
    """Find rows that span several lines because of a quote.

    Parameters
    ----------
    lines : iterable of str
        All lines of a table.
    delimiter : str
        One character.

    Yields
    ------
    Span

    Examples
    --------
    >>> text = 'user,item,plays\\nanna,"x,3\\nben,y,2\\ncarl,"z",5\\n'
    >>> list(spans(text.splitlines(), ","))
    [Span(first=2, last=4, closed=True, rows=2)]
    """
    width = first = rows = last = 0
    whole = False  # whether the line that opens the quote has the delimiters of a row
    for number, line in enumerate(lines, 1):
        last = number
        if not width and line.strip():
            width = len(_cells(line, delimiter))
        opened = first > 0
        after, clean = opened, True
        if '"' in line:
            after, clean = _follow(line, delimiter, opened=opened)
        if opened:
            ends = not after
            rows += (not clean) or (_is_row(line, delimiter, width) and (whole or not ends))
            if ends:
                yield Span(first, number, True, rows)
                first = 0
        elif after:
            first, rows, whole = number, 0, line.count(delimiter) >= width - 1
    if first:
        yield Span(first, last, False, rows)


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _is_row(line: str, delimiter: str, width: int) -> bool:
    """Return whether a line would be a complete row if no quote were open before it."""
    if line.count(delimiter) < width - 1 or _follow(line, delimiter, opened=False)[0]:
        return False
    return len(_cells(line, delimiter)) == width > 1


def _follow(line: str, delimiter: str, *, opened: bool) -> tuple[bool, bool]:
    """Return whether a field is open at the end of a line, and each quote closed before a
    delimiter.

    A quote that closes within a word was probably not meant to close the open one.
    """
    quoted, begins, skip, clean = opened, not opened, False, True
    for place, letter in enumerate(line):
        if skip:
            skip = False
        elif quoted:
            if letter == '"':
                after = line[place + 1 : place + 2]
                # Two quotes are an escaped quote in the field.
                skip = quoted = after == '"'
                clean = clean and (skip or after in (delimiter, "", "\r", "\n"))
        else:
            quoted = begins and letter == '"'
            begins = letter == delimiter
    return quoted, clean
