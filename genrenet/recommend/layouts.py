"""Which column of a table of listening is what: by its header, or by the shape of its first row.

Layouts
-------
With a header, names say it, whatever their case and punctuation: a user (``user``, ``userID``,
``username``, ``listener``), an item (``item``, ``path``, ``file``), an artist (``artist``,
``artistID``, ``artist-name``), a track (``track``, ``song``, ``title``), how often (``plays``,
``weight``, ``count``, ``playcount``, ``listens``). Where a name and an identifier of the same thing
are there, the name is used, and the identifier only where a row has no name. HetRec's
``user_artists.dat`` (userID, artistID, weight) is such a table, and so are the CSV files that
exporters of Last.fm scrobbles write (``uts,utc_time,artist,artist_mbid,album,...``).

Without one:

==================================================  ================================================
user, item                                          each row is one play
user, item, plays                                   HetRec's ``.dat`` without its header
user, artist's identifier, artist, plays            Last.fm 360K
  (tabs)                                            (O. Celma, "Music recommendation", 2010)
user, time, artist's identifier, artist, track's    Last.fm 1K (same source); each row is one play
  identifier, track (tabs)
artist, album, track, date                          scrobbles of one user, as CSV; each row is one
                                                    play, and the user is called like the file
==================================================  ================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from genrenet.errors import printable
from genrenet.recommend.errors import HistoryError

ROLES = {
    "user": "user username listener login account userid",
    "item": "item itemname path file filename itemid",
    "artist": "artist artistname artistid artistmbid musicbrainzartistid",
    "track": "track trackname song songname title recording recordingname trackid songid "
    "recordingid trackmbid recordingmbid musicbrainztrackid",
    "plays": "plays play weight count playcount numplays listens listeningcount",
}
"""Names of columns, the ones that are preferred first."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_DATE = re.compile(r"\d{1,2} \w{3} \d{4},? \d{1,2}:\d\d|\d{4}-\d\d-\d\d")


class Layout(NamedTuple):
    """Columns by what they hold.

    Attributes
    ----------
    title : str
        What the layout is called.
    header : bool
        Whether the first row is one.
    user, artist, track, item : tuple of int
        Columns, the preferred one first; empty where there is none.
    plays : int or None
    """

    title: str
    header: bool
    user: tuple[int, ...] = ()
    item: tuple[int, ...] = ()
    artist: tuple[int, ...] = ()
    track: tuple[int, ...] = ()
    plays: int | None = None


def by_header(names: Sequence[str]) -> Layout | None:
    """The layout that a header tells; None where it names no item."""
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
    found: dict[str, tuple[int, ...]] = {}
    for role, known in ROLES.items():
        order = known.split()
        places = [(order.index(name), at) for at, name in enumerate(plain) if name in order]
        found[role] = tuple(at for _, at in sorted(places))
    if not (found["item"] or found["artist"] or found["track"]):
        return None
    plays = found.pop("plays")
    return Layout("table with a header", True, **found, plays=plays[0] if plays else None)


def layout_of(rows: Sequence[Sequence[str]], tabs: bool, file: str) -> Layout:
    """The layout of a table.

    Parameters
    ----------
    rows : sequence of sequence of str
        Its first rows, one at least.
    tabs : bool
        Whether tabs part its columns.
    file : str
        What it is called in errors.

    Raises
    ------
    HistoryError
        It has none of the known ones.
    """
    first = rows[0]
    by_name = by_header(first)
    # A value such as "Artist" in a table without header is rarer than a header.
    if by_name is not None and not any(map(is_number, first)):
        return by_name
    width = len(first)
    wordy = width == 3 and not is_number(first[2]) and any(is_number(row[2]) for row in rows[1:])
    if tabs and width == 6 and _TIME.match(first[1]):
        return Layout("Last.fm 1K", False, (0,), (), (3, 2), (5, 4))
    if tabs and width == 4 and is_number(first[3]):
        return Layout("Last.fm 360K", False, (0,), (), (2, 1), (), 3)
    if width == 4 and _DATE.search(first[3]):
        return Layout("scrobbles of one user", False, (), (), (0,), (2,))
    if width in (2, 3) and not wordy and not _names_columns(first):
        return Layout("table without a header", False, (0,), (1,), plays=2 if width == 3 else None)
    raise HistoryError(
        f"cannot tell what the columns of '{file}' are",
        found=", ".join(printable(cell[:40]) for cell in first) or "an empty line",
        wanted="a header that names a user, an item (or artist, track, path) and, where they are "
        "counted, plays; or user, item and plays without a header",
    )


def _names_columns(cells: Sequence[str]) -> bool:
    """Whether a row is a header of which a part is missing, such as ``user,plays``."""
    known = {name for names in ROLES.values() for name in names.split()}
    plain = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in cells]
    # Nobody is called "user": a table that begins so has a header.
    return plain[0] in ROLES["user"].split() or all(name in known for name in plain)


def is_number(text: str) -> bool:
    """Whether a text is a number, NaN and infinity included."""
    try:
        float(text)
    except ValueError:
        return False
    return True
