"""Find songs that have moved or been copied: their content has been scored already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from genrenet.library.journal import Unfinished
from genrenet.library.lookup import Wanted
from genrenet.library.table import Row, read_rows
from genrenet.utils.errors import printable
from genrenet.utils.file_stamp import FileStamp, content_sample

_KEYS = ("path", "size", "sample", "error")


@dataclass(frozen=True)
class Move:
    """A file with the same content as a row of the table or of a journal.

    Attributes
    ----------
    path : str
        The file.
    known : bool
        Whether the table also has a row of this file, of other content.
    origin : str
        The path of the row.
    stamp : FileStamp
        The present state of the file.
    """

    path: str
    known: bool
    origin: str
    stamp: FileStamp


def find_moves(
    todo: Iterable[tuple[str, bool]], table: Path | None, unfinished: Unfinished
) -> list[Move]:
    """Find files whose content has been scored already.

    Only files of the same size as another song of the table are opened.

    Parameters
    ----------
    todo : iterable of (str, bool)
        Files, and whether the table has them.
    table : Path or None
    unfinished : Unfinished
        The table's journals.
    """
    if table is None and not unfinished.keys:
        return []
    by_size: dict[int, list[tuple[str, bool, FileStamp]]] = defaultdict(list)
    for path, known in todo:
        try:
            stamp = FileStamp.now(path)
        except OSError:  # reported when it is scored
            continue
        by_size[stamp.size].append((path, known, stamp))
    contents: dict[int, dict[str, list[tuple[str, bool, FileStamp]]]] = {}
    found: dict[str, Move] = {}
    for origin, size, sample in _scored(table, unfinished, by_size):
        if size not in contents:
            contents[size] = _by_content(by_size[size])
        for path, known, stamp in contents[size].pop(sample, ()):
            found[path] = Move(path, known, origin, stamp)
    return [*found.values()]


def _scored(
    table: Path | None, unfinished: Unfinished, sizes: Iterable[int]
) -> Iterator[tuple[str, int, str]]:
    """Yield path, size and sample of scored songs of some sizes, those of the journals first."""
    wanted = {*sizes}
    for path, stamp in unfinished.keys.items():
        if stamp.sample and stamp.size in wanted and path not in unfinished.failed:
            yield path, stamp.size, stamp.sample
    if table is not None and wanted:
        for row in read_rows(table, Wanted(sizes=wanted), _KEYS):
            if row["sample"] and row["error"] is None:
                yield row["path"], row["size"], row["sample"]


def _by_content(
    files: Iterable[tuple[str, bool, FileStamp]],
) -> dict[str, list[tuple[str, bool, FileStamp]]]:
    found = defaultdict(list)
    for path, known, stamp in files:
        try:
            sample = content_sample(path)
        except OSError:
            continue
        found[sample].append((path, known, stamp._replace(sample=sample)))
    return found


def moved_rows(moves: Sequence[Move], table: Path | None, unfinished: Unfinished) -> Iterator[Row]:
    """Yield the rows of moved files at their new paths."""
    by_origin: dict[str, list[Move]] = defaultdict(list)
    for move in moves:
        by_origin[move.origin].append(move)
    if not by_origin:
        return
    former = read_rows(table, Wanted(paths=by_origin.keys())) if table is not None else iter(())
    for row in chain(unfinished.rows(by_origin.keys()), former):
        # A journal may have another row of the same file than the table, or record its deletion.
        waiting = by_origin[row["path"]]
        by_origin[row["path"]] = []
        for move in waiting:
            if move.stamp.sample == row.get("sample"):
                yield {**row, "path": printable(move.path), **move.stamp._asdict()}
            else:
                by_origin[row["path"]].append(move)
