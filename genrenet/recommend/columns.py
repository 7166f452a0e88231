"""Identify the columns of a listening table: by its header, or by their content.

Layouts
-------
With a header, columns are identified by names, ignoring case and punctuation: a user (``user``,
``userID``, ``username``, ``listener``), an item (``item``, ``path``, ``file``), an artist
(``artist``, ``artistID``, ``artist-name``), a track (``track``, ``song``, ``title``), the number of
plays (``plays``, ``weight``, ``count``, ``playcount``, ``listens``, ``rating``), and the same in
German, French, Spanish, Italian and Portuguese. If there are both a name and an identifier, the
name is used, and the identifier only for rows without a name. HetRec's ``user_artists.dat``
(userID, artistID, weight) is such a table, and so are the CSV files of exporters of Last.fm
scrobbles (``uts,utc_time,artist,artist_mbid,album,...``).

Without one:

==================================================  ================================================
user, item                                          each row is one play
user, item, plays                                   HetRec's ``.dat`` without its header
user, item, rating                                  MovieLens: ratings are weights, as plays are
user, artist's identifier (MBID), artist, plays     Last.fm 360K
  (tabs)                                            (O. Celma, "Music recommendation", 2010)
user, time, artist's identifier, artist, track's    Last.fm 1K (same source); each row is one play
  identifier, track (tabs)
artist, album, track, date                          scrobbles of one user, as CSV; each row is one
                                                    play, and the user is called like the file
==================================================  ================================================

A column of times (Unix times in seconds to microseconds, or dates) may be at any position among the
first three, and a first column may number the rows. Nothing else is inferred: `named` takes names
from the user.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from genrenet.recommend.errors import HistoryError
from genrenet.utils.errors import printable

ROLES = {
    "user": "user username listener login account userid nutzer benutzer nutzername benutzername "
    "horer utilisateur auditeur usuario oyente utente ascoltatore utilizador",
    "item": "item itemname path file filename itemid pfad datei dateiname fichier chemin archivo "
    "ruta percorso arquivo",
    "artist": "artist artistname artistid artistmbid musicbrainzartistid kunstler interpret "
    "artiste artista",
    "track": "track trackname song songname title recording recordingname trackid songid "
    "recordingid trackmbid recordingmbid musicbrainztrackid titel lied stuck titre morceau chanson "
    "titulo cancion pista titolo brano canzone musica faixa",
    "plays": "plays play weight count playcount numplays listens listeningcount rating ratings "
    "wiedergaben anzahl abspielungen bewertung ecoutes lectures nombre note reproducciones "
    "escuchas ascolti riproduzioni reproducoes",
}
"""Names of columns, preferred ones first."""

NAMES = ("user", "item", "artist", "track", "plays", "rating", "time", "-")
"""Names of columns that a user may give; ``rating`` is a weight like ``plays``."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)|\d{1,2} \w{3,} \d{4},? \d{1,2}:\d\d")
_DATE = re.compile(r"\d{1,2} \w{3} \d{4},? \d{1,2}:\d\d|\d{4}-\d\d-\d\d")
_MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EPOCH = (6e8, 4.2e9)  # 1989 to 2103, in seconds
MOST = 0.9  # share of a column's values of one type that determines its type


class Layout(NamedTuple):
    """The meaning of columns.

    Attributes
    ----------
    title : str
        Name of the layout.
    header : bool
        Whether the first row is a header.
    user, artist, track, item : tuple of int
        Columns in order of preference; empty if there is none.
    plays : int or None
    assumed : tuple of str
        The meaning of each column that neither a header nor the user gives.
    """

    title: str
    header: bool
    user: tuple[int, ...] = ()
    item: tuple[int, ...] = ()
    artist: tuple[int, ...] = ()
    track: tuple[int, ...] = ()
    plays: int | None = None
    assumed: tuple[str, ...] = ()

    def told(self, file: str) -> str:
        """Return the assumptions, in one line, and how to override them."""
        columns = ", ".join(f"{place} {name}" for place, name in enumerate(self.assumed, 1))
        return (
            f"'{file}' was taken for a {self.title}: columns {columns}; say otherwise with "
            "--columns, such as --columns " + ",".join(name.split()[0] for name in self.assumed)
        )


def plain(name: str) -> str:
    """Return a column's name in lower case, without accents and punctuation."""
    letters = unicodedata.normalize("NFKD", name.lower())
    return re.sub(r"[^a-z0-9]", "", letters)


def by_header(names: Sequence[str]) -> Layout | None:
    """Return the layout of a header; None if it has no item."""
    found: dict[str, Any] = {}
    for role, known in ROLES.items():
        order = known.split()
        places = [
            (order.index(plain(name)), at) for at, name in enumerate(names) if plain(name) in order
        ]
        found[role] = tuple(at for _, at in sorted(places))
    if not (found["item"] or found["artist"] or found["track"]):
        return None
    plays = found.pop("plays")
    return Layout("table with a header", True, **found, plays=plays[0] if plays else None)


def named(columns: Sequence[str], rows: Sequence[Sequence[str]], file: str) -> Layout:
    """Return the layout given by the user.

    Parameters
    ----------
    columns : sequence of str
        One of `NAMES` for each column.
    rows : sequence of sequence of str
        The table's first rows.
    file : str
        Name of the file in error messages.

    Raises
    ------
    HistoryError
        Unknown names, a number that differs from the table's columns, or no item.
    """
    words = [column.strip().lower() for column in columns]
    wanted = f"one of {', '.join(NAMES)} for each column, and an item, artist or track"
    unknown = [word for word in words if word not in NAMES]
    places = {name: tuple(at for at, word in enumerate(words) if word == name) for name in NAMES}
    plays = places["plays"] + places["rating"]
    if unknown or len(plays) > 1 or not (places["item"] + places["artist"] + places["track"]):
        raise HistoryError("--columns", found=",".join(words), wanted=wanted)
    if len(words) != len(rows[0]):
        raise HistoryError(
            f"--columns names {len(words)} columns",
            found=f"{len(rows[0])} in '{file}': {_shown(rows[0])}",
            wanted=wanted,
        )
    first = rows[0]
    header = by_header(first) is not None or _names_columns(first)
    if plays and not is_number(first[plays[0]]):
        header = header or any(is_number(row[plays[0]]) for row in rows[1:] if _as_wide(row, first))
    roles: dict[str, Any] = {role: places[role] for role in ("user", "item", "artist", "track")}
    return Layout("table", header, **roles, plays=plays[0] if plays else None)


def layout_of(rows: Sequence[Sequence[str]], tabs: bool, file: str) -> Layout:
    """Return the layout of a table.

    Parameters
    ----------
    rows : sequence of sequence of str
        Its first rows, at least one; more rows give more reliable results.
    tabs : bool
        Whether columns are separated by tabs.
    file : str
        Name of the file in error messages.

    Raises
    ------
    HistoryError
        No known layout, or columns that may have several meanings.
    """
    first = rows[0]
    # A value such as "Artist" in a table without header is less common than a header.
    by_name = by_header(first)
    if by_name is not None and not any(map(is_number, first)):
        return without_times(by_name, first, rows[1:], file)
    width = len(first)
    assumed: tuple[str, ...]
    columns = list(zip(*(row for row in rows if len(row) == width), strict=True))
    if tabs and width == 6 and _mostly(is_date, columns[1]):
        assumed = ("user", "time", "artist (identifier)", "artist", "track (identifier)", "track")
        return Layout("Last.fm 1K", False, (0,), (), (3, 2), (5, 4), None, assumed)
    if tabs and width == 4 and _mostly(_is_mbid, columns[1]) and _mostly(is_number, columns[3]):
        assumed = ("user", "artist (identifier)", "artist", "plays")
        return Layout("Last.fm 360K", False, (0,), (), (2, 1), (), 3, assumed)
    if width == 4 and _mostly(_DATE.search, columns[3]) and not any(map(is_number, first)):
        assumed = ("artist", "album", "track", "time")
        title = "list of scrobbles of one user"
        return Layout(title, False, (), (), (0,), (2,), None, assumed)
    if width > 1 and not _names_columns(first):
        found = _headerless(columns, file)
        if found is not None:
            return found
    raise _unclear(file, first)


def _headerless(columns: Sequence[Sequence[str]], file: str) -> Layout | None:
    """Return user, item and possibly plays, in a table with times and row numbers."""
    times = [at for at, values in enumerate(columns) if _mostly(is_time, values)]
    for at in times:
        values = columns[at]
        # Numbers of ten digits may also be identifiers; those of users and items repeat.
        distinct = len(set(values)) > MOST * len(values)
        if at < 2 < len(columns) and distinct and _mostly(is_number, values):
            raise _unclear(file, [column[0] for column in columns])
    times = [at for at in times if at >= 2 or not _mostly(is_number, columns[at])]
    left = [at for at in range(len(columns)) if at not in times]
    if len(left) == 4 and _counts_rows(columns[left[0]]):
        left = left[1:]
    if len(left) not in (2, 3):
        return None
    plays = left[2] if len(left) == 3 else None
    names = ["unused"] * len(columns)
    for at in times:
        names[at] = "time"
    names[left[0]], names[left[1]] = "user", "item"
    if plays is not None:
        values = columns[plays]
        # A non-numeric first row above numbers is a header in an unknown language.
        if not is_number(values[0]) or not _mostly(is_number, values, 0.5):
            return None
        names[plays] = "rating (as a weight)" if times and _are_ratings(values) else "plays"
    spare = tuple("-" if name == "unused" else name for name in names)
    title = "table without a header"
    return Layout(title, False, (left[0],), (left[1],), plays=plays, assumed=spare)


def without_times(
    layout: Layout, names: Sequence[str], rows: Sequence[Sequence[str]], file: str
) -> Layout:
    """Return a layout by a header, unless its plays are times.

    Raises
    ------
    HistoryError
        They are.
    """
    if layout.plays is not None:
        values = [row[layout.plays] for row in rows if len(row) == len(names)]
        if values and _mostly(is_time, values):
            raise HistoryError(
                f"the column '{printable(names[layout.plays])}' of '{file}'",
                found=f"times, such as {printable(values[0][:40])}",
                wanted="numbers of plays",
                remedy="name the columns, such as --columns user,item,time",
            )
    return layout


def _unclear(file: str, first: Sequence[str]) -> HistoryError:
    return HistoryError(
        f"cannot detect the columns of '{file}'",
        found=_shown(first),
        wanted="a header that names a user, an item (or artist, track, path) and, where they are "
        "counted, plays; or user, item and plays without a header",
        remedy="name them, such as --columns user,item,plays,time",
    )


def _shown(cells: Sequence[str]) -> str:
    return ", ".join(printable(cell[:40]) for cell in cells) or "an empty line"


def _as_wide(row: Sequence[str], other: Sequence[str]) -> bool:
    return len(row) == len(other)


def _mostly(test: Callable[[str], object], values: Sequence[str], share: float = MOST) -> bool:
    """Return whether a test holds for most of the values that are not empty, or all are empty."""
    there = [value for value in values if value]
    return sum(bool(test(value)) for value in there) >= share * len(there)


def _names_columns(cells: Sequence[str]) -> bool:
    """Return whether a row is part of a known header, such as ``user,plays``."""
    known = {name for names in ROLES.values() for name in names.split()}
    words = [plain(cell) for cell in cells]
    # No user is called "user": a table that begins so has a header.
    return words[0] in ROLES["user"].split() or all(word in known for word in words)


def _counts_rows(values: Sequence[str]) -> bool:
    """Return whether values are 0, 1, 2 ... or 1, 2, 3 ..."""
    return len(values) > 2 and list(values) in (
        [str(number) for number in range(start, start + len(values))] for start in (0, 1)
    )


def _are_ratings(values: Sequence[str]) -> bool:
    """Return whether values are 0.5, 1, 1.5 ... 5."""
    numbers = [float(value) for value in values if is_number(value)]
    return all(0 < number <= 5 and number * 2 == int(number * 2) for number in numbers)


def _is_mbid(text: str) -> bool:
    return _MBID.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """Return whether a text begins with a date."""
    return _TIME.match(text) is not None


def is_time(text: str) -> bool:
    """Return whether a text is a date, or a Unix time in seconds, milliseconds or microseconds."""
    if is_date(text):
        return True
    try:
        number = float(text)
    except ValueError:
        return False
    return any(_EPOCH[0] <= number / unit <= _EPOCH[1] for unit in (1, 1e3, 1e6))


def is_number(text: str) -> bool:
    """Return whether a text is a number, including NaN and infinity; thousands separators are
    ignored.
    """
    try:
        float(re.sub(r"(?<=\d)[,.'\s\u2019](?=\d)", "", text))
    except ValueError:
        return False
    return True
