"""The folders of albums and artists in a table, and the genres of their songs."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from genrenet.library.corrections import answered
from genrenet.library.nfo import NAMES, plan_nfo, write_nfo
from genrenet.library.table import Row, read_rows
from genrenet.library.tag_plans import Outcome, Wish, ours_of
from genrenet.library.tag_rules import Rules
from genrenet.library.undo_file import UndoFile
from genrenet.utils.errors import printable
from genrenet.utils.paths import common_folder

_KEYS = ("path", "genre", "confidence", "genres", "subgenres", "correction", "error", "unsure")


@dataclass
class _Folder:
    """Songs in a folder, or in its sub-folders."""

    genres: Counter[str] = field(default_factory=Counter)
    albums: Counter[str] = field(default_factory=Counter)
    artists: Counter[str] = field(default_factory=Counter)
    songs: int = 0


def tag_nfo(
    table: Path, wish: Wish, *, undo: Path | None = None, rules: Rules | None = None
) -> Generator[Outcome, None, None]:
    """Write the genres of albums and artists into ``album.nfo`` and ``artist.nfo``.

    An album is a folder whose songs all have one album in their tags; an artist is a folder of such
    folders whose songs all have one artist. Their genres are those of most of their songs. Tables
    without albums and artists give none.

    Parameters
    ----------
    table : Path
    wish : Wish
    undo : Path, optional
        The undo file, appended to. Without it nothing is written.
    rules : Rules, optional

    Raises
    ------
    TableError, UndoFileError
        The table cannot be read, or the undo file not written.
    """
    rows = read_rows(table, keys=[*_KEYS, "artist", "album"])
    plans = _plans(rows, wish, rules)
    if undo is None:
        yield from plans
        return
    home = printable(table.resolve())
    with closing(UndoFile(undo)) as lines:
        for outcome in plans:
            for one, (old, new) in outcome.changes().items():
                lines.add(outcome.path, old, new, home, one)
            yield write_nfo(outcome) if outcome.kind == "tagged" else outcome


def _plans(rows: Iterable[Row], wish: Wish, rules: Rules | None) -> Generator[Outcome, None, None]:
    folders = _folders(rows, wish, rules)
    artists: dict[str, _Folder] = defaultdict(_Folder)
    albums = {}
    for path, folder in folders.items():
        above = artists[os.path.dirname(path)]
        if len(folder.albums) == 1 and folder.albums.total() == folder.songs:
            albums[path] = folder
            above.genres += folder.genres
            above.artists += folder.artists
        above.songs += folder.songs
    for path, folder in albums.items():
        yield from _plan(path, "album", folder.albums, folder.genres, wish, rules)
    library = common_folder(os.path.join(path, "") for path in folders)
    for path, folder in artists.items():
        if not os.path.join(path, "").startswith(os.path.join(library, "")):
            continue
        whole = len(folder.artists) == 1 and folder.artists.total() == folder.songs
        if whole and path not in folders:
            yield from _plan(path, "artist", folder.artists, folder.genres, wish, rules)


def _plan(
    path: str, root: str, names: Counter[str], genres: Counter[str], wish: Wish, rules: Rules | None
) -> Generator[Outcome, None, None]:
    file = os.path.join(path, NAMES[root])
    wish = rules.wish(file, wish) if rules else wish
    most = [genre for genre, _ in genres.most_common(wish.genres)]
    if most and not wish.skip:
        yield plan_nfo(file, root, next(iter(names)), most, wish)


def _folders(rows: Iterable[Row], wish: Wish, rules: Rules | None) -> dict[str, _Folder]:
    found: dict[str, _Folder] = defaultdict(_Folder)
    for row in rows:
        row, path = answered(row), row["path"]
        own = rules.wish(path, wish) if rules else wish
        folder = found[os.path.dirname(path)]
        folder.songs += 1
        folder.albums.update([row["album"]] if row["album"] else [])
        folder.artists.update([row["artist"]] if row["artist"] else [])
        scored = row["genre"] is not None and not row["error"] and row["genres"] != ""
        if scored and not own.skip and (row["confidence"] or 0) >= own.min_confidence:
            folder.genres.update(ours_of(row, own)[1])
    return dict(sorted(found.items()))
