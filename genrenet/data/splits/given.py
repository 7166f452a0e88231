"""Published splits, splits in columns and files, and `make_split` for all kinds."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING

from genrenet.data.catalog import PART_NAMES, artists_known
from genrenet.data.splits.base import (
    FRACTIONS,
    PARTS,
    Split,
    SplitError,
    require_columns,
    some,
    split_of,
)
from genrenet.data.splits.making import artist_disjoint, k_fold, seventy_thirty, stratified
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import printable

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("auto", "stratified", "artist", "fault-filtered", "70-30", "column")
_COMMENT = "# genrenet split: "


def fault_filtered(table: pd.DataFrame) -> Split:
    """Return GTZAN's fault-filtered split: 443 songs to train, 197 to validate, 290 to test.

    The lists (Kereliuk, Sturm and Larsen 2015; ``gtzan_fault_filtered.csv``) leave out repeated and
    distorted excerpts and keep each known artist in one part. Songs are recognised by file name
    (blues.00029); songs in no list are left out. If not all 930 are present, the name says so.

    Parameters
    ----------
    table : pandas.DataFrame
        With `track_id` and `path`.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        If no song is in any list.
    """
    require_columns(table, "track_id", "path")
    lists = resources.files("genrenet.data.splits") / "gtzan_fault_filtered.csv"
    lines = lists.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    part_of = {row["song"]: row["split"] for row in rows}
    if "song" in table:
        names = [os.path.basename(song) for song in table["song"]]
    else:
        names = [os.path.splitext(os.path.basename(path))[0] for path in table["path"]]
    listed = [
        (i, part_of[n]) for i, n in zip(table["track_id"], names, strict=True) if n in part_of
    ]
    if not listed:
        raise SplitError(
            "no song of the fault-filtered lists is in the table",
            found=f"songs such as {some(names)}",
            wanted="GTZAN's file names, such as 'blues.00029'",
        )
    there = len({name for name in names if name in part_of})
    partial = f", {there} of its {len(part_of)} songs" if there < len(part_of) else ""
    ids, parts = zip(*listed, strict=True)
    return split_of(f"fault-filtered{partial}", ids, parts)


def by_column(table: pd.DataFrame, column: str = "split") -> Split:
    """Return the split in a column of the table.

    Parameters
    ----------
    table : pandas.DataFrame
        With `track_id` and the column.
    column : str
        Holds "train", "validation" or "test" (or "training", "valid", "val", "dev"); songs with ''
        or no value are left out.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        If the column is missing, holds other values, or has no training songs.
    """
    require_columns(table, "track_id", column)
    rows = [
        (track, str(value).strip())
        for track, value in zip(table["track_id"], table[column], strict=True)
        if value is not None and value == value and str(value).strip()
    ]
    if wrong := {value for _, value in rows if value.lower() not in PART_NAMES}:
        raise SplitError(f"column {column!r} is not a split", found=some(wrong), wanted=some(PARTS))
    parts = [PART_NAMES[value.lower()] for _, value in rows]
    if "train" not in parts:
        raise SplitError(f"column {column!r} is not a split", found="no song in 'train'")
    return split_of(f"column {column!r}", [track for track, _ in rows], parts)


def make_split(
    table: pd.DataFrame,
    kind: str = "auto",
    seed: int = 0,
    fractions: Sequence[float] = FRACTIONS,
    fold: int | None = None,
    n_folds: int = 5,
) -> Split:
    """Make a split of a kind given by name.

    Parameters
    ----------
    table : pandas.DataFrame
        A catalog's table.
    kind : {"auto", "stratified", "artist", "fault-filtered", "70-30", "column"}
        "auto" is the table's column `split` if it has training and test songs; else by artist if at
        least 90 % of the songs have one; else stratified.
    seed : int >= 0
        Seed of the split.
    fractions : (float, float, float)
        For train, validation and test; not used with folds, nor by the last three kinds.
    fold : int in [0, n_folds), optional
        Take this fold of a `k_fold` instead of one split ("auto", "stratified" and "artist" only;
        "auto" ignores the column then).
    n_folds : int >= 2
        Number of folds.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        If the kind is unknown, has no folds, or cannot be made of these songs.
    """
    if kind not in KINDS:
        raise SplitError("unknown kind of split", found=repr(kind), wanted=some(KINDS))
    if kind == "auto":
        kind = "artist" if artists_known(table) else "stratified"
        if fold is None and _usable(table):
            kind = "column"
    if fold is not None:
        if kind not in ("stratified", "artist"):
            raise SplitError(f"the {kind} split has no folds", found=f"fold {fold}")
        if not 0 <= fold < n_folds:
            raise SplitError("no such fold", found=str(fold), wanted=f"0 to {n_folds - 1}")
        return k_fold(table, n_folds, seed, "artist" if kind == "artist" else "genre")[fold]
    if kind in ("stratified", "artist"):
        return (stratified if kind == "stratified" else artist_disjoint)(table, fractions, seed)
    if kind == "70-30":
        return seventy_thirty(table, seed)
    return fault_filtered(table) if kind == "fault-filtered" else by_column(table)


def _usable(table: pd.DataFrame) -> bool:
    """Return whether a table's own split has training and test songs."""
    if "split" not in table:
        return False
    found = {PART_NAMES.get(str(value).strip().lower()) for value in table["split"].unique()}
    return {"train", "test"} <= found


def write_split(split: Split, path: str | os.PathLike[str]) -> None:
    """Write a split as CSV: its name in a comment on the first line, then `track_id,split`.

    Parameters
    ----------
    split : Split
    path : path
        Target file; an existing one is replaced.

    Raises
    ------
    SplitError
        If the file cannot be written.
    """
    try:
        with replacing(path) as part, open(part, "w", encoding="utf-8", newline="") as file:
            file.write(f"{_COMMENT}{' '.join(split.name.split())}\n")
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("track_id", "split"))
            writer.writerows(sorted(split.parts.items()))
    except (OSError, UnicodeEncodeError) as error:
        raise SplitError(f"cannot write {printable(path)!r}", found=str(error)) from None


def read_split(path: str | os.PathLike[str], table: pd.DataFrame) -> Split:
    """Read a split that `write_split` wrote, or any CSV with the columns `track_id` and `split`.

    Parameters
    ----------
    path : path
        Without the comment on its first line, the split is named after the file.
    table : pandas.DataFrame
        The songs it must fit: all identifiers of the split must be in its column `track_id`. Songs
        of the table that are not in the split are in no part.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        If the file cannot be read, is not such a CSV, lists songs twice or songs that are not in
        the table, or holds other parts than train, validation and test.
    """
    where = printable(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = file.read().splitlines(keepends=True)
        name = f"file {os.path.basename(where)!r}"
        if lines and lines[0].startswith("#"):
            first = lines.pop(0)
            name = first.removeprefix(_COMMENT).lstrip("#").strip() or name
        rows = [row for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SplitError(f"cannot read {where!r}", found=str(error)) from None
    header = [column.strip().lower() for column in rows[0]] if rows else []
    if not {"track_id", "split"} <= set(header):
        raise SplitError(
            f"{where!r} is not a split",
            found=some(header) or "an empty file",
            wanted="the columns track_id and split",
        )
    if uneven := [number for number, row in enumerate(rows, 1) if len(row) != len(header)]:
        raise SplitError(f"{where!r} is not a split", found=f"other columns in row {uneven[0]}")
    ids = [row[header.index("track_id")] for row in rows[1:]]
    parts = [row[header.index("split")].strip() for row in rows[1:]]
    if wrong := {part for part in parts if part.lower() not in PART_NAMES}:
        raise SplitError(f"unknown parts in {where!r}", found=some(wrong), wanted=some(PARTS))
    require_columns(table, "track_id")
    if strange := sorted(set(ids) - set(table["track_id"])):
        raise SplitError(
            f"{where!r} names songs that are not in the table",
            found=f"{len(strange)} of {len(ids)}: {some(strange)}",
            wanted=f"identifiers such as {some(table['track_id'][:3])}",
            remedy="was it made for another collection?",
        )
    return split_of(name, ids, [PART_NAMES[part.lower()] for part in parts])
