"""Common parts of the readers of collections: errors, problems, songs, clean text, threads."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import signature
from typing import TypeVar

from genrenet.utils.errors import GenrenetError, printable

COLUMNS = ("path", "genre", "artist", "album", "title", "duration", "track_id")
# Names of the three parts in published tables -> the package's own.
PART_NAMES = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip

T = TypeVar("T")
R = TypeVar("R")


class CatalogError(GenrenetError):
    """A collection that cannot be used; the other errors of this package derive from it."""


class SourceNotFoundError(CatalogError):
    """The folder or table does not exist."""


class EmptyCatalogError(CatalogError):
    """No song is left: no audio in the folder, or none of the table's files."""


class OneGenreError(CatalogError):
    """A classifier needs at least two genres."""


class UnreadableTableError(CatalogError):
    """The table is not UTF-8 text, or not the CSV, TSV or Parquet file its name promises."""


class MissingColumnsError(CatalogError):
    """The table lacks a column it must have."""


@dataclass(frozen=True)
class Problem:
    """A file that was left out of a collection, or another fact the user should know.

    Parameters
    ----------
    path : str
        The file or folder concerned, '' if none in particular; may contain lone surrogates (print
        it through `genrenet.utils.errors.printable`).
    kind : str
        One word for grouping, for example "duplicate-path", "too-few-songs", "missing-file".
    message : str
        What is wrong, printable.
    """

    path: str
    kind: str
    message: str

    def __str__(self) -> str:
        name = printable(self.path)
        # Errors of `genrenet.audio` begin with the file's name.
        where = f"{name}: " if name and name not in self.message else ""
        return f"{self.kind}: {where}{self.message}"


@dataclass
class Song:
    """One song while a collection is being read; the fields are the catalog's columns."""

    path: str
    genre: str
    artist: str = ""
    album: str = ""
    title: str = ""
    duration: float = math.nan
    track_id: str = ""
    split: str = ""
    song: str = ""
    genres: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its genres, one or several."""
        return self.genres or (self.genre,)


@dataclass
class Reading:
    """The songs and problems that a reader found.

    Parameters
    ----------
    format : str
        Name of the `Reader`.
    root : str
        The folder that identifiers are relative to (absolute).
    songs : list of Song
        In the collection's own order (tables) or sorted by path (folders).
    problems : list of Problem
        What was left out, and why.
    from_tags : frozenset of str
        The fields that may be filled from the songs' tags.
    notes : list of str
        Assumptions that are not problems.
    name : str
        A short name for reports; '' for that of the folder or table.
    check : callable, optional
        Returns the files that differ from the collection's own record, such as checksums.
    multi_label : bool
        Whether songs have several genres, in their field `genres`.
    """

    format: str
    root: str
    songs: list[Song] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    from_tags: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)
    name: str = ""
    check: Callable[[], list[Problem]] | None = None
    multi_label: bool = False

    def report(self, path: str, kind: str, message: str) -> None:
        """Record a problem."""
        self.problems.append(Problem(path, kind, message))


@dataclass(frozen=True)
class Reader:
    """A format of collections; plugins may add some.

    Parameters
    ----------
    name : str
        Name of the format.
    summary : str
        Description in one line.
    detects : callable
        Whether an existing path (absolute) has this format; called before the built-in ones.
    read : callable
        Returns the `Reading` of such a path. A parameter ``subset``, ``labelled`` or
        ``multi_label`` receives the argument of `read_catalog`.
    scheme : str
        Sources that begin with it and a colon ("mirdata:gtzan_genre") are not paths, and are
        interpreted by `read`.

    Examples
    --------
    >>> def is_jams(path: str) -> bool:
    ...     return path.endswith(".jams")
    >>> def read_jams(path: str) -> Reading:
    ...     return Reading("jams", os.path.dirname(path), [Song("a.wav", "jazz")])
    >>> Reader("jams", "JAMS annotations", is_jams, read_jams).detects("songs.jams")
    True
    """

    name: str
    summary: str
    detects: Callable[[str], bool]
    read: Callable[..., Reading]
    scheme: str = ""

    def read_with(self, path: str, **options: object) -> Reading:
        """Read a path with those options that `read` accepts."""
        taken = signature(self.read).parameters
        return self.read(path, **{key: value for key, value in options.items() if key in taken})


def clean(value: object) -> str:
    """Return text that is valid in any table or JSON file: without control characters and lone
    surrogates.
    """
    text = str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def stem(path: str) -> str:
    """Return a path's last part without its suffix: 'blues/blues.00000.wav' -> 'blues.00000'."""
    return os.path.splitext(os.path.basename(path))[0]


def relative(path: str, folder: str) -> str:
    """Return `path` relative to `folder` with "/" on every system, absolute on another drive."""
    with suppress(ValueError):
        path = os.path.relpath(path, folder)
    return path.replace(os.sep, "/")


def in_threads(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[R]:
    """Apply a function to items in a small thread pool.

    Parameters
    ----------
    function : callable
        Called with one item; decoding and reading release the GIL.
    items : sequence
    workers : int >= 1, optional
        Threads; by default one per core, at most 4.
    progress : callable, optional
        Called in the caller's thread with (done, total) after every item.

    Returns
    -------
    list
        The results, in the items' order.
    """
    results = []
    with ThreadPoolExecutor(workers or min(4, os.cpu_count() or 1)) as pool:
        for result in pool.map(function, items):
            results.append(result)
            if progress is not None:
                progress(len(results), len(items))
    return results
