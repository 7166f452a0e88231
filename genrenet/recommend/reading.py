"""Read listening histories from files: tables (see `layouts`) and ListenBrainz's JSON.

Rows that cannot be used are skipped and counted: a user or an item without a name, plays that are
not a number or negative. A file of which more than a half cannot be used is an error: it is
probably of another format. Rows of one user and item are summed; rows with zero plays are ignored.
Assumptions (columns without a header, another encoding, thousands separators, fields over several
lines) are in the history's notes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from genrenet.recommend.columns import Layout, by_header, layout_of, named, without_times
from genrenet.recommend.errors import HistoryError
from genrenet.recommend.history import History, counted
from genrenet.recommend.listenbrainz import is_listens, read_listens
from genrenet.recommend.tables import SNIFFED, first_rows, read_parquet, read_text
from genrenet.utils.errors import printable

Unit = Literal["artist", "track"]
SHOWN = 5  # bad rows that are listed individually
ENCODINGS = {
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
}


class Rows(NamedTuple):
    """Usable rows of a file: users and items as text, plays as float64."""

    users: pa.Array
    items: pa.Array
    plays: NDArray[np.float64]
    skipped: list[str]
    notes: list[str]


def read_history(
    *files: str | os.PathLike[str],
    unit: Unit | None = None,
    columns: Sequence[str] | None = None,
) -> History:
    """Return the listening history in one or several files.

    Parameters
    ----------
    *files : path
        Tables, or exports of Last.fm or ListenBrainz; see `layouts` and `listens`.
    unit : {"artist", "track"}, optional
        Meaning of an item if a file has both; artists by default.
    columns : sequence of str, optional
        Meaning of the columns of tables, from the first to the last: see `layouts.NAMES`.

    Raises
    ------
    HistoryError
        A file that is missing, empty, mostly unusable, without required columns or with ambiguous
        ones, or with a quote that merges several rows to one field.
    """
    parts = [_read(Path(file), unit, columns) for file in files]
    users = pa.chunked_array([part.users for part in parts], pa.string()).combine_chunks()
    items = pa.chunked_array([part.items for part in parts], pa.string()).combine_chunks()
    users, items = (column.dictionary_encode() for column in (users, items))
    plays = counted(
        users.indices.to_numpy().astype(np.int64),
        items.indices.to_numpy().astype(np.int64),
        np.concatenate([part.plays for part in parts]),
        (len(users.dictionary), len(items.dictionary)),
    )
    return History(
        users.dictionary.to_pylist(),
        items.dictionary.to_pylist(),
        plays,
        skipped=[line for part in parts for line in part.skipped],
        notes=[line for part in parts for line in part.notes],
    )


def _read(file: Path, unit: Unit | None, names: Sequence[str] | None) -> Rows:
    if is_listens(file):
        return _from_listens(file, unit)
    if file.suffix.lower() == ".parquet":
        table = read_parquet(file)
        columns = [_text(table.column(place)) for place in range(table.num_columns)]
        start = pa.table(columns, table.column_names).slice(0, SNIFFED).to_pydict().values()
        rows = [table.column_names, *map(list, zip(*start, strict=True))]
        layout = named(names, rows, printable(file)) if names else by_header(table.column_names)
        if layout is None or not (layout.user or names):
            raise _missing(file, "user" if layout else "item", ", ".join(table.column_names))
        layout = without_times(layout, rows[0], rows[1:], printable(file))
        return _usable(file, layout, columns, unit, np.arange(1, len(table) + 1), [], [])
    rows, form = first_rows(file)
    if names:
        layout = named(names, rows, printable(file))
    else:
        layout = layout_of(rows, form.separator == "\t", printable(file))
    if layout.header and not layout.user and not names and not (layout.artist and layout.track):
        raise _missing(file, "user", ", ".join(rows[0]))
    text = read_text(file, len(rows[0]), form, layout.header)
    # Lines that could not be parsed lie between those that could.
    every = np.arange(1 + layout.header, 1 + layout.header + len(text.columns) + len(text.lines))
    lines = np.setdiff1d(every, text.lines)[: len(text.columns)]
    bad = [f"line {text.line(row)}: another number of columns" for row in text.lines]
    notes = [layout.told(printable(file))] if layout.assumed else []
    if not text.encoding.startswith("utf-8"):
        notes.append(f"'{printable(file)}' is not UTF-8: read as {ENCODINGS[text.encoding]}")
    notes += [
        f"'{printable(file)}': a field goes over lines {span.first} to {span.last}"
        for span in text.spans[:SHOWN]
    ]
    if len(text.spans) > SHOWN:
        notes.append(f"and {len(text.spans) - SHOWN} fields more over several lines")
    lines = np.array([text.line(row) for row in lines.tolist()]) if text.spans else lines
    columns = [_text(column) for column in text.columns.columns]
    # Empty lines are not reported.
    there = np.logical_or.reduce([_named(column) for column in columns])
    columns = [column.filter(pa.array(there)) for column in columns]
    return _usable(file, layout, columns, unit, lines[there], bad, notes)


def _from_listens(file: Path, unit: Unit | None) -> Rows:
    listens = read_listens(file)
    layout = Layout("ListenBrainz", False, (0,), (), (1,), (2,))
    columns = [pa.array(part, pa.string()) for part in listens[:3]]
    places = np.arange(1, len(listens.users) + 1)
    return _usable(file, layout, columns, unit, places, listens.bad, [])


def _usable(
    file: Path,
    layout: Layout,
    columns: Sequence[pa.Array],
    unit: Unit | None,
    lines: NDArray[np.int64],
    bad: list[str],
    notes: list[str],
) -> Rows:
    """Return the usable rows, and a line for each of the others."""
    count = len(lines)
    items = _items(file, layout, columns, unit)
    users = _first_named(columns, layout.user) if layout.user else pa.repeat(file.stem, count)
    nameless = ~_named(users) | ~_named(items)
    plays = np.ones(count)
    wrong = np.zeros(count, bool)
    if layout.plays is not None:
        column = columns[layout.plays]
        plays, marks = _numbers(column)
        notes = [*notes, *(f"'{printable(file)}': {mark}" for mark in marks)]
        wrong = ~(np.isfinite(plays) & (plays >= 0)) & ~nameless
        reasons = {
            int(row): f"line {lines[row]}: plays '{column[int(row)].as_py()[:40]}', "
            "wanted a number of 0 or more"
            for row in np.flatnonzero(wrong)[:SHOWN]
        }
    else:
        reasons = {}
    reasons |= {
        int(row): f"line {lines[row]}: a user or an item without a name"
        for row in np.flatnonzero(nameless)[:SHOWN]
    }
    kept = ~(nameless | wrong)
    skipped = len(bad) + int((~kept).sum())
    told = sorted([*bad[:SHOWN], *(reasons[row] for row in sorted(reasons))], key=_line)[:SHOWN]
    if skipped > (count + len(bad)) / 2 or not kept.any():
        raise HistoryError(
            f"most of '{printable(file)}', taken for a {layout.title}, cannot be used",
            found=f"{skipped} bad rows of {count + len(bad)}; {'; '.join(told)}",
            wanted="users, items and numbers of plays",
        )
    if skipped > len(told):
        told.append(f"and {skipped - len(told)} more")
    if silent := int((plays[kept] == 0).sum()):
        notes = [*notes, f"{silent} rows of '{printable(file)}' have 0 plays and say nothing"]
    head = f"'{printable(file)}': {skipped} rows of {count + len(bad)} skipped: "
    mask = pa.array(kept)
    if layout.plays is not None and (twice := _repeated(users, items, plays, kept)):
        said = f"{twice} rows of '{printable(file)}' say the same as a row before: added up"
        notes = [*notes, said]
    return Rows(
        users.filter(mask),
        items.filter(mask),
        plays[kept],
        [head + "; ".join(told)] if skipped else [],
        notes,
    )


def _line(text: str) -> int:
    """Return the line number at the beginning of a bad row's reason; 0 if there is none."""
    found = re.match(r"line (\d+):", text)
    return int(found[1]) if found else 0


def _items(file: Path, layout: Layout, columns: Sequence[pa.Array], unit: Unit | None) -> pa.Array:
    """Return the names of the items: those in the files if any, else of artists or of tracks."""
    if layout.item:
        return _first_named(columns, layout.item)
    if unit is None:
        unit = "artist" if layout.artist else "track"
    if not getattr(layout, unit):
        raise HistoryError(f"--unit {unit}", found=f"no column of {unit}s in '{printable(file)}'")
    if unit == "artist":
        return _first_named(columns, layout.artist)
    tracks = _first_named(columns, layout.track)
    if not layout.artist:
        return tracks
    # Titles are not unique.
    both = pc.binary_join_element_wise(_first_named(columns, layout.artist), tracks, " - ")
    return pc.if_else(pc.equal(tracks, ""), "", both)


def _first_named(columns: Sequence[pa.Array], places: Sequence[int]) -> pa.Array:
    """Return, row by row, the first of several columns that is not empty."""
    found = columns[places[0]]
    for place in places[1:]:
        found = pc.if_else(pc.equal(found, ""), columns[place], found)
    return found


def _named(column: pa.Array) -> NDArray[np.bool_]:
    named: NDArray[np.bool_] = pc.not_equal(column, "").to_numpy(zero_copy_only=False)
    return named


def _text(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as text without surrounding blanks; missing or complex values are empty."""
    try:
        plain = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        plain = pa.chunked_array([pa.nulls(len(column), pa.string())])
    whole = plain.combine_chunks() if isinstance(plain, pa.ChunkedArray) else plain
    return pc.utf8_trim_whitespace(pc.fill_null(whole, ""))


def _numbers(column: pa.Array) -> tuple[NDArray[np.float64], list[str]]:
    """Return the numbers in texts, NaN for invalid ones; and the assumed number format.

    Points and commas between groups of three digits are thousands separators if all points (or
    commas) of the column can be; otherwise a comma is a decimal separator.
    """
    notes = []
    for mark, name in ((r"\.", "points"), (",", "commas"), (r"['\x{2019}\s\x{a0}\x{202f}]", "")):
        there = pc.match_substring_regex(column, r"[0-9]" + mark + r"[0-9]")
        if not pc.any(there).as_py():
            continue
        grouped = pc.match_substring_regex(column, rf"^[+-]?[0-9]{{1,3}}({mark}[0-9]{{3}})+$")
        marked = column.filter(there)
        all_grouped = pc.all(grouped.filter(there)).as_py()
        if all_grouped or not name:
            bare = pc.replace_substring_regex(column, mark, "")
            column = pc.if_else(grouped, bare, column)
        elif name == "commas":
            bare = pc.replace_substring(pc.replace_substring(column, ".", ""), ",", ".")
            column = pc.if_else(there, bare, column)
        if (all_grouped and name) or name == "commas":
            kind = "thousands" if all_grouped else "decimals"
            notes.append(f"{name} in numbers such as {marked[0].as_py()[:40]} are taken for {kind}")
    pattern = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
    numeric = pc.match_substring_regex(column, pattern)
    plain = pc.utf8_ltrim(pc.if_else(numeric, column, "nan"), "+")
    numbers: NDArray[np.float64] = plain.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers, notes


def _repeated(
    users: pa.Array, items: pa.Array, plays: NDArray[np.float64], kept: NDArray[np.bool_]
) -> int:
    """Return how many of the kept rows are duplicates in all three values."""
    table = pa.table([users, items, pa.array(plays)], ["user", "item", "plays"])
    table = table.filter(pa.array(kept))
    return len(table) - len(table.group_by(["user", "item", "plays"]).aggregate([]))


def _missing(file: Path, role: str, found: str) -> HistoryError:
    return HistoryError(
        f"'{printable(file)}' has no column of {role}s",
        found=f"the columns {found}",
        wanted="a user, an item (or artist, track, path) and, where they are counted, plays",
    )


def read_names(file: str | os.PathLike[str]) -> dict[str, str]:
    """Return displayed names of items, from a table whose first two columns are an identifier and a
    name.

    HetRec's ``artists.dat`` is one. A header (``id``, ``name``) is skipped.

    Raises
    ------
    HistoryError
        There is no such file, or it has one column only.
    """
    path = Path(file)
    rows, form = first_rows(path)
    if len(rows[0]) < 2:
        raise HistoryError(
            f"'{printable(path)}' names no items", found=rows[0][0][:40], wanted="two columns"
        )
    header = rows[0][0].lower() in {"id", "item", "itemid", "item_id", "artistid", "artist_id"}
    columns = read_text(path, len(rows[0]), form, header).columns
    keys, names = (_text(columns.column(place)).to_pylist() for place in (0, 1))
    return {key: name for key, name in zip(keys, names, strict=True) if name}
