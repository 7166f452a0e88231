"""A music collection as a table: one row per song, and one report of everything left out.

Columns of a catalog's table
----------------------------
path : object (str)
    Absolute path. A file name that is not UTF-8 is held as Python holds it, with lone surrogates,
    so the column has dtype object (Arrow strings refuse surrogates); print it through
    `genrenet.utils.errors.printable`.
genre : str
    Never empty.
artist, album, title : str
    '' when unknown.
duration : float
    Length of the file in s, NaN when unknown; from a header or a table, so not exact for MP3s.
track_id : str
    Unique and printable: the path relative to the collection's root, without suffix and with "/"
    ("rock/song-1"), unless the collection has identifiers of its own.
split : str
    Only where the collection comes with a split: "train", "validation", "test", or '' for neither.
genres : str
    Only where songs have several genres each: their names, between semicolons. `genre` is then the
    stratum that splits are balanced by; see `genrenet.data.catalog.several_genres`.
song : str
    Only where files are segments that were cut from songs: the song of each; files that are whole
    songs have their own `track_id` there.

Tables on disk (CSV, TSV, Parquet) have the same columns; `path` and `genre` (or `genres`)
are required. CSV is UTF-8 with a header row; "," ";" or tab separate. Paths are relative to the
table's folder, or absolute, or, for names that are not UTF-8 or hold control characters,
percent-encoded after "file:" ("file:rock/caf%E9.mp3", "file:///music/caf%E9.mp3").

Faults of single songs become a `Problem` each, and songs that cannot be used are left out; an
exception means that the collection cannot be used at all.
"""

from __future__ import annotations

from genrenet.data.catalog.artist_folders import ArtistFoldersError
from genrenet.data.catalog.base import (
    COLUMNS,
    PART_NAMES,
    CatalogError,
    EmptyCatalogError,
    MissingColumnsError,
    OneGenreError,
    Problem,
    Reader,
    Reading,
    Song,
    SourceNotFoundError,
    UnreadableTableError,
    in_threads,
)
from genrenet.data.catalog.checking import check_catalog
from genrenet.data.catalog.reading import (
    Catalog,
    artists_known,
    read_catalog,
    write_catalog,
)

__all__ = [
    "COLUMNS",
    "PART_NAMES",
    "ArtistFoldersError",
    "Catalog",
    "CatalogError",
    "EmptyCatalogError",
    "MissingColumnsError",
    "OneGenreError",
    "Problem",
    "Reader",
    "Reading",
    "Song",
    "SourceNotFoundError",
    "UnreadableTableError",
    "artists_known",
    "check_catalog",
    "in_threads",
    "read_catalog",
    "write_catalog",
]
