"""Corrections by the user: the right genre of a song, stored in the library's table.

A correction is stored in the column ``correction`` next to the model's own prediction, which is
kept. All readers of a table use it as the genre, with confidence 1 (see `answered`). A scan keeps
it as long as the song's content is the same, wherever the file is and whichever model scores it,
and also if another program has only changed the song's tags.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from genrenet.inference.answers import NOT_MUSIC
from genrenet.library.table import (
    Row,
    file_of,
    read_about,
    read_rows,
    table_lock,
    write_rows,
)
from genrenet.utils.errors import GenrenetError, printable

LONGEST = 100


class CorrectionError(GenrenetError):
    """A correction that cannot be stored."""


def answered(row: Mapping[str, Any]) -> Row:
    """Return a table's row with its correction, if there is one, instead of the prediction.

    Examples
    --------
    >>> row = {"genre": "rock", "confidence": 0.6, "correction": "blues"}
    >>> answered(row)["genre"], answered(row)["confidence"]
    ('blues', 1.0)
    """
    genre = row.get("correction")
    if not genre or row["genre"] is None:
        return {**row}
    named = "" if genre == NOT_MUSIC else genre
    return {**row, "genre": genre, "confidence": 1.0, "genres": named, "unsure": 0}


def spelled(genre: str, labels: Iterable[str]) -> str:
    """Return a genre in the model's spelling, or a new one as it is given.

    Raises
    ------
    CorrectionError
        It is not the name of one genre.

    Examples
    --------
    >>> spelled("Jazz ", ["blues", "jazz"])
    'jazz'
    """
    name = " ".join(genre.split())
    if not name or len(name) > LONGEST or ";" in name or not name.isprintable():
        raise CorrectionError(
            "the right genre",
            found=repr(genre[: LONGEST + 1]),
            wanted=f"one name of at most {LONGEST} characters, without ';'",
        )
    known = {label.casefold(): label for label in (NOT_MUSIC, *labels)}
    return known.get(name.casefold(), name)


def correct(table: str | os.PathLike[str], genres: Mapping[str, str | None]) -> list[Row]:
    """Store the right genres of songs in a library's table, or remove them.

    Parameters
    ----------
    table : path
        Table from ``genrenet scan``.
    genres : mapping of str to str or None
        By the song's file; None removes its correction.

    Returns
    -------
    list of dict
        The songs' new rows, in the table's order.

    Raises
    ------
    CorrectionError
        An invalid name of a genre, or a song that is not in the table or was never scored; the
        table is then unchanged.
    TableError
        The table cannot be read or written, or another command is using it.
    """
    file = Path(table).resolve()
    with table_lock(file):
        return correct_held(file, genres)


def correct_held(file: Path, genres: Mapping[str, str | None]) -> list[Row]:
    """Do the same as `correct`, for a caller that holds the table's lock.

    Parameters
    ----------
    file : Path
        The table, free of links.
    genres
        See `correct`.

    Returns
    -------
    list of dict
        See `correct`.

    Raises
    ------
    CorrectionError, TableError
        See `correct`.
    """
    about = read_about(file)
    wanted = {
        song: genre if genre is None else spelled(genre, about.labels)
        for song, genre in genres.items()
    }
    places = _places(file, wanted)
    changed: list[Row] = []

    def rows() -> Iterable[Row]:
        for row in read_rows(file):
            if row["path"] in places:
                row["correction"] = places[row["path"]]
                changed.append(row)
            yield row

    write_rows(file, rows(), about)
    return changed


def corrected_rows(table: str | os.PathLike[str]) -> list[Row]:
    """Return the rows of a table that have a correction, with the model's prediction.

    Raises
    ------
    TableError
        The table cannot be read.
    """
    with closing(read_rows(table)) as rows:
        return [row for row in rows if row["correction"]]


def genres_of(labels: Sequence[str], corrections: Iterable[str]) -> list[str]:
    """Return a model's genres, followed by those that only occur in corrections."""
    return list(dict.fromkeys([*labels, *sorted({*corrections})]))


class Remembered:
    """Corrections by the content of songs.

    Parameters
    ----------
    rows : iterable of dict
        Of a table, of any model.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._genres: dict[object, str] = {}
        for row in rows:
            if row.get("correction"):
                for key in self._keys(row):
                    self._genres[key] = row["correction"]

    def of(self, row: Row) -> str | None:
        """Return the correction of a song that was scored again; None if there is none."""
        return next((self._genres[key] for key in self._keys(row) if key in self._genres), None)

    COLUMNS = (
        *("path", "size", "mtime", "sample", "correction"),
        *("duration", "frames", "genre", "confidence", "checkpoint"),
    )
    """Columns that are needed."""

    @staticmethod
    def _keys(row: Row) -> list[object]:
        """Return keys of a song's content: a sample of it, its file's state, or exactly the same
        scores for a file of the same name and length, of which only the tags have changed.
        """
        keys: list[object] = [(row["path"], row["size"], row["mtime"])]
        if row.get("sample"):
            keys.insert(0, row["sample"])
        if row.get("confidence") is not None:
            heard = ("path", "duration", "frames", "genre", "confidence", "checkpoint")
            keys.append(tuple(row.get(name) for name in heard))
        return keys


def _places(file: Path, wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the corrections by the paths of the table's rows."""
    by_name = {printable(os.path.abspath(song)): song for song in wanted}
    by_file: dict[str, str] = {}
    found: dict[str, str] = {}
    for links_followed in (False, True):  # only if needed: it queries every file of the table
        if links_followed:
            left = wanted.keys() - found.values()
            if not left:
                break
            by_file = {os.path.realpath(song): song for song in left}
        with closing(read_rows(file)) as rows:
            for row in rows:
                path = row["path"]
                song = by_name.get(path)
                if links_followed:
                    song = by_file.get(os.path.realpath(file_of(path)))
                if song is None:
                    continue
                if row["genre"] is None:
                    raise CorrectionError(
                        f"'{path}' was not classified: there is no genre to correct",
                        found=row["error"] or "no genre",
                    )
                found[path] = song
    if missing := sorted(wanted.keys() - found.values()):
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise CorrectionError(
            f"'{printable(missing[0])}'{more} not in the table '{printable(file)}'",
            remedy="name songs of the library; 'genrenet scan' adds new ones",
        )
    return {path: wanted[song] for path, song in found.items()}
