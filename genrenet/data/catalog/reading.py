"""Read a collection into one table: detect the format, read it, check the result."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrenet.data.catalog.artist_folders import check_folders
from genrenet.data.catalog.base import (
    CatalogError,
    Problem,
    Reader,
    Reading,
    SourceNotFoundError,
    clean,
)
from genrenet.data.catalog.folders import GTZAN_FOLDERS
from genrenet.data.catalog.segments import SEGMENTS, find_segments
from genrenet.data.catalog.settling import frame_of, settle, stratify
from genrenet.data.catalog.several_genres import all_names, names_in
from genrenet.data.catalog.tables import write_table
from genrenet.data.catalog.tags import fill_from_tags, label_by_tags
from genrenet.plugins.manager import BUILT_IN, contributions
from genrenet.utils.errors import GenrenetError, printable

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("auto", "folders", "tags")
ARTISTS_KNOWN = 0.9


def artists_known(table: pd.DataFrame) -> bool:
    """Return whether at least 90 % of a table's songs name their artist."""
    if "artist" not in table or not len(table):
        return False
    named = sum(isinstance(name, str) and bool(name.strip()) for name in table["artist"].tolist())
    return named >= ARTISTS_KNOWN * len(table)


@dataclass(frozen=True, eq=False)
class Catalog:
    """A collection that was read.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per song, index 0..n-1; `genrenet.data.catalog` names the columns.
    problems : tuple of Problem
        All songs that were left out, and other facts the user should know.
    root : str
        The folder that the default identifiers are relative to.
    name : str
        A short name for reports: the folder's, or the table's.
    format : str
        Its format; see `read_catalog`.
    notes : tuple of str
        Assumptions that are not problems.
    check : callable, optional
        See `genrenet.data.catalog.Reading`.
    """

    table: pd.DataFrame
    problems: tuple[Problem, ...]
    root: str
    name: str
    format: str
    notes: tuple[str, ...] = ()
    check: Callable[[], list[Problem]] | None = None

    @property
    def multi_label(self) -> bool:
        """Whether songs have several genres each, in the column `genres`."""
        return "genres" in self.table

    @property
    def genres(self) -> list[str]:
        """The genres, sorted."""
        if self.multi_label:
            return all_names(self.table["genres"])
        return sorted(self.table["genre"].unique())

    @property
    def counts(self) -> Counter[str]:
        """Songs of each genre."""
        if self.multi_label:
            return Counter(name for cell in self.table["genres"] for name in names_in(cell))
        return Counter(self.table["genre"])

    @property
    def artists_known(self) -> bool:
        """Whether at least 90 % of the songs name their artist."""
        return artists_known(self.table)

    def __len__(self) -> int:
        return len(self.table)

    def report(self, limit: int = 5) -> str:
        """Return a summary of songs and problems, as text for a terminal.

        Parameters
        ----------
        limit : int >= 0
            Number of problems of each kind to list; the rest are counted.
        """
        counts = ", ".join(f"{genre} {n}" for genre, n in sorted(self.counts.items()))
        lines = [f"{self.name} ({self.format}): {len(self)} songs in {len(self.genres)} genres"]
        lines += [f"  {counts}", *(f"  {note}" for note in self.notes)]
        for kind, number in Counter(problem.kind for problem in self.problems).items():
            shown = [problem for problem in self.problems if problem.kind == kind][:limit]
            lines += [f"  {problem}" for problem in shown]
            if number > len(shown):
                lines.append(f"  {kind}: and {number - len(shown)} more")
        return "\n".join(lines)


def read_catalog(
    source: str | os.PathLike[str],
    format: str = "auto",
    *,
    min_songs: int = 2,
    tags: bool = True,
    subset: str = "small",
    segments: str = "auto",
    labels: str = "auto",
    labelled: bool = True,
    multi_label: bool | None = None,
) -> Catalog:
    """Read a collection.

    Parameters
    ----------
    source : path
        A folder or a table, or a source with the scheme of a reader, such as "mirdata:gtzan_genre".
    format : str
        Format of the collection: "folder", "gtzan", "fma", "csv", "parquet", or the name of a
        plugin's format. "auto" tries the formats of third-party plugins first, and reads a file as
        a table; a folder with FMA's tracks.csv (or fma_metadata/tracks.csv) as FMA; one with a
        tracks.csv that has the columns path and genre as that table; one whose genre folders (or
        those in genres/ or genres_original/ within it) hold GTZAN's names as GTZAN; and any other
        as a folder of genre folders.
    min_songs : int >= 1
        Genres with fewer songs are left out and reported.
    tags : bool
        Read tags and headers for fields that the format itself does not have: artist, album, title
        and duration for folders, the duration for GTZAN, the absent columns for tables. Without it
        these are '' and NaN.
    subset : {"small", "medium", "large", "full"}
        FMA only.
    segments : {"auto", "off"}
        Whether files may be segments that were cut from songs, and belong together: by the column
        `song` of a table, by identifiers that most rows share with others, or by their names
        (`genrenet.data.catalog.segments`). A note reports the result; "off" takes every file as a
        song.
    labels : {"auto", "folders", "tags"}
        Where the genres are taken from: "tags" uses the files' own tags, whatever the folders or
        the table contain (the first of several; spellings that differ in case, spacing or hyphens
        are one genre; songs without one are left out and counted). "auto" uses the folders or the
        table, and raises an error for folders that are artists; "folders" takes folders as they
        are.
    labelled : bool
        Whether songs must have genres, and the collection two of them. Otherwise songs in no
        genre's folder and rows without one are taken too, with the genre ''.
    multi_label : bool, optional
        Whether songs have several genres each: those that a table names in its column `genres`, or
        in `genre` where there is none. By default they have if the table has a column `genres` with
        several names in some rows, and no column `genre`. See
        `genrenet.data.catalog.several_genres`.

    Returns
    -------
    Catalog

    Raises
    ------
    SourceNotFoundError
        If there is nothing at `source`.
    EmptyCatalogError
        If no song is left.
    ArtistFoldersError
        If the folders are artists; see `labels`.
    OneGenreError
        If fewer than two genres are left.
    UnreadableTableError, MissingColumnsError
        If a table cannot be used.
    CatalogError
        If the format, the subset, `segments`, `labels` or `min_songs` is none of the above, or
        several genres per song are asked for where no table names them.
    """
    if format != "auto" and format not in contributions("register_catalogs"):
        known = ", ".join(("auto", *contributions("register_catalogs")))
        raise CatalogError("unknown format", found=repr(format), wanted=known)
    if segments not in SEGMENTS:
        raise CatalogError("unknown segments", found=repr(segments), wanted=", ".join(SEGMENTS))
    if labels not in LABELS:
        raise CatalogError("unknown labels", found=repr(labels), wanted=", ".join(LABELS))
    if min_songs < 1:
        raise CatalogError("min_songs is too small", found=str(min_songs), wanted="at least 1")
    path, layout = os.fspath(source), _by_scheme(os.fspath(source))
    if not layout:
        path = os.path.abspath(os.path.expanduser(path))
        if not os.path.exists(path):
            raise SourceNotFoundError(f"no such folder or table: {printable(path)!r}")
    try:
        layout = layout or (_detect(path) if format == "auto" else format)
        if labels == "tags":
            layout = "folder" if layout == "gtzan" else layout
        reading = _read(path, layout, subset, labelled and labels != "tags", multi_label)
    except OSError as error:
        raise CatalogError(f"cannot read {printable(path)!r}", found=str(error)) from None
    if multi_label and labelled and not reading.multi_label:
        raise CatalogError(
            f"no songs with several genres in {printable(path)!r}",
            found="genres from tags"
            if labels == "tags"
            else f"a collection of the format {layout}",
            wanted="a table with a column genres, of names between semicolons",
            remedy="omit multi_label",
        )
    if labels == "tags":
        label_by_tags(reading, labelled=labelled)
    shared = settle(reading, min_songs if labelled else 0)
    if labels != "tags" and tags and reading.from_tags:
        found = fill_from_tags(reading)
        if labelled and (layout, format, labels) == ("folder", "auto", "auto"):
            check_folders(reading, Counter(filter(None, found)))
    if reading.multi_label:
        stratify(reading)
    if segments == "auto":
        find_segments(reading, shared)
    return Catalog(
        table=frame_of(reading.songs),
        problems=tuple(reading.problems),
        root=reading.root,
        name=reading.name or _name(path, reading.root),
        format=reading.format,
        notes=tuple(reading.notes),
        check=reading.check,
    )


def _by_scheme(source: str) -> str:
    """Return the layout whose scheme a source begins with; '' for none."""
    scheme, colon, _ = source.partition(":")
    entries = contributions("register_catalogs") if colon and scheme else {}
    return next((name for name, entry in entries.items() if entry.item.scheme == scheme), "")


def _detect(path: str) -> str:
    """Return the layout of an existing folder or file."""
    known = contributions("register_catalogs")
    for name in sorted(known, key=lambda name: known[name].plugin in BUILT_IN):
        with _naming(name):
            if known[name].item.detects(path):
                return name
    raise CatalogError(
        f"{printable(path)!r} is not a collection",
        found=f"a file with suffix {os.path.splitext(path)[1].lower()!r}",
        wanted="a folder, or a .csv, .tsv or .parquet table",
    )


def _read(path: str, layout: str, subset: str, labelled: bool, multi_label: bool | None) -> Reading:
    reader: Reader = contributions("register_catalogs")[layout].item
    with _naming(layout):
        return reader.read_with(path, subset=subset, labelled=labelled, multi_label=multi_label)


@contextmanager
def _naming(layout: str) -> Iterator[None]:
    """Name the plugin whose reader fails."""
    entry = contributions("register_catalogs")[layout]
    try:
        yield
    except (GenrenetError, OSError):
        raise
    except Exception as error:  # a third-party reader may raise anything
        if entry.plugin in BUILT_IN:
            raise
        raise CatalogError(
            f"the reader '{layout}' of {entry.package} failed",
            found=f"{type(error).__name__}: {error}",
            remedy=f"fix the plugin '{entry.plugin}', or exclude it with GENRENET_LOAD_PLUGINS",
        ) from error


def _name(path: str, root: str) -> str:
    stem, suffix = os.path.splitext(os.path.basename(path))
    if os.path.isfile(path) and suffix and stem != "tracks":
        return clean(printable(stem))
    folder = os.path.dirname(root) if os.path.basename(root) in GTZAN_FOLDERS else root
    return clean(printable(os.path.basename(folder))) or "collection"


def write_catalog(catalog: Catalog, path: str | os.PathLike[str]) -> None:
    """Write a catalog's table as CSV, TSV or Parquet (by the suffix), to be read by `read_catalog`.

    Paths are written relative to the table's folder (absolute on another drive), percent-encoded
    after "file:" where the name is not UTF-8 or holds control characters. The file takes the old
    one's place only once it is complete.

    Parameters
    ----------
    catalog : Catalog
    path : path
        Where to; its folder is made if need be.

    Raises
    ------
    CatalogError
        If the suffix is unknown or the file cannot be written.
    """
    write_table(catalog.table, os.path.abspath(os.path.expanduser(os.fspath(path))))
