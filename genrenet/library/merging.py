"""Write the table of a scan: its former rows and those of the journals, in one pass."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from pathlib import Path

from genrenet.data.catalog.base import in_threads
from genrenet.library.changes import Counts, Following, tags_of
from genrenet.library.corrections import Remembered
from genrenet.library.journal import Unfinished
from genrenet.library.table import TAGS, About, Row, read_rows, write_rows

_AT_ONCE = 1024


def write_table(
    library: Following, out: Path, about: About, parts: Iterable[Counts] = ()
) -> Counts:
    """Merge the journals' rows into the table, and drop rows of deleted files.

    Parameters
    ----------
    library : Following
        The state of the libraries.
    out : Path
    about : About
    parts : iterable of Counts
        Results of each process.

    Raises
    ------
    TableError
        It cannot be written; the former table and the journals are kept.
    """
    found = Counts(same=library.same, unreadable=library.unreadable)
    elsewhere = {move.origin for move in library.moves}
    unfinished = Unfinished(out)
    former = read_rows(out) if out.exists() and library.fits else iter(())
    again = (
        read_rows(out, keys=Remembered.COLUMNS) if unfinished.keys and out.exists() else iter(())
    )
    corrections = Remembered(again)

    def rows() -> Iterator[Row]:
        # Of two rows of a song, the journal's comes first.
        new = ((row["path"], 0, row) for row in unfinished.rows())
        old = ((row["path"], 1, row) for row in former)
        both = heapq.merge(new, old, key=lambda entry: entry[:2])
        for path, entries in groupby(both, key=lambda entry: entry[0]):
            of_song = list(entries)
            row = of_song[0][2]
            if library.keeps(path) and not row.get("gone"):
                if not of_song[0][1]:
                    row["correction"] = corrections.of(row)
                if path in library.touched:
                    row |= library.touched[path]._asdict() | dict.fromkeys(TAGS)
                found.count(row)
                yield row
            else:
                found.gone += of_song[-1][1] and path not in elsewhere

    if out.exists() and not library.fits:  # another model's table is replaced as a whole
        found.gone = sum(row["path"] not in library.listed for row in read_rows(out))
    found.songs = write_rows(out, _with_tags(rows(), library.listed), about)
    unfinished.clear()
    for part in parts:
        if library.partial:
            found.gone = part.gone
        for name in ("new", "changed", "moved", "left", "failed", "errors"):
            setattr(found, name, getattr(found, name) + getattr(part, name))
    return found


def _with_tags(rows: Iterator[Row], listed: Mapping[str, str]) -> Iterator[Row]:
    """Yield rows with fields from the files' tags: those of an older table lack them."""
    while some := list(islice(rows, _AT_ONCE)):
        bare = [row for row in some if row.get("title") is None and row["path"] in listed]
        tags = in_threads(tags_of, [listed[row["path"]] for row in bare], workers=8)
        for row, found in zip(bare, tags, strict=True):
            row |= found
        yield from some
