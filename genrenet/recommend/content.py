"""Content of songs: embeddings or genre scores, as rows for cosine similarity.

Conventions
-----------
Content has a row of float32 per item: of length one, such that the inner product of two rows is
their similarity (see `genrenet.library.similarity`), or zeros if nothing is known about the item.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrenet.library.similarity import SongSpace
from genrenet.library.song_vectors import read_song_vectors
from genrenet.library.songs import scanned_songs
from genrenet.library.table import read_about
from genrenet.recommend.errors import RecommendError
from genrenet.recommend.history import History, counted
from genrenet.recommend.query_songs import embedded, scored
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.suggest import did_you_mean

DEPTH = 6  # maximum number of path parts that are compared


def _nothing_known(path: str) -> NDArray[np.float32]:
    raise RecommendError(
        f"'{printable(path)}' is not among the songs, and its features cannot be computed"
    )


class SongContent(NamedTuple):
    """Songs of a library and their content.

    Attributes
    ----------
    paths : list of str
    rows : ndarray of float32, shape (songs, features)
        Of length one.
    what : str
        Source of the rows, in a few words.
    describe : callable
        Returns the row, of shape (1, features), of any other audio file.
    """

    paths: list[str]
    rows: NDArray[np.float32]
    what: str
    describe: Callable[[str], NDArray[np.float32]] = _nothing_known


def is_library(file: str | os.PathLike[str]) -> bool:
    """Return whether a file has embeddings or is a scan's table, and so not a listening history."""
    path = Path(file)
    suffix = path.suffix.lower()
    if suffix != ".parquet":
        return suffix in {".npz", ".sqlite", ".sqlite3", ".db"}
    import pyarrow as pa
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(path)
    except (OSError, pa.ArrowException):
        return False
    return bool({b"backbone", b"genrenet"} & {*(schema.metadata or {})})


def read_content(file: str | os.PathLike[str]) -> SongContent:
    """Return the content of the songs of a file.

    Parameters
    ----------
    file : path
        File from ``genrenet embed`` or ``genrenet scan``.

    Raises
    ------
    TableError, EmbeddingFileError, LibraryError
        There is no such file, it is damaged, or it has no songs.
    RecommendError
        It is of another kind.
    """
    path = Path(file)
    if path.is_file() and not is_library(path):
        raise RecommendError(
            f"'{printable(path)}' contains no audio features of songs",
            wanted="a file that 'genrenet embed' or 'genrenet scan' wrote",
        )
    if path.suffix.lower() == ".npz" or (path.suffix.lower() == ".parquet" and _embeds(path)):
        songs = read_song_vectors(path)
        keep: NDArray[np.bool_] = np.isfinite(songs.vectors.sum(axis=1))
        space = SongSpace(songs.vectors[keep], "embeddings")
        paths = [name for name, kept in zip(songs.paths, keep, strict=True) if kept]
        found = SongContent(
            paths,
            space.vectors,
            f"embeddings of {songs.backbone}, {songs.layer}",
            lambda other: space.place(embedded(other, songs)),
        )
    else:
        scanned = scanned_songs(path)
        space, about = SongSpace(scanned.scores, "scores"), read_about(path)
        found = SongContent(
            scanned.paths,
            space.vectors,
            f"genre scores of {scanned.checkpoint}",
            lambda other: space.place(scored(other, about)),
        )
    if not len(found.paths):
        raise RecommendError(f"no songs in '{printable(path)}'", wanted="at least one song")
    return found


def _embeds(path: Path) -> bool:
    import pyarrow.parquet

    try:
        return b"backbone" in (pyarrow.parquet.read_schema(path).metadata or {})
    except OSError:
        return False


def match_paths(wanted: Sequence[str], known: Sequence[str]) -> list[int]:
    """Return the indices of files in another list, for lists with different path prefixes.

    Two paths refer to one file if they are equal, also as absolute paths; or if both end in the
    same name and folder, and in as many more folders as needed to distinguish the known files. A
    bare name, on either side, has no folder that could differ.

    Parameters
    ----------
    wanted, known : sequence of str

    Returns
    -------
    list of int
        An index in ``known`` for each of ``wanted``; -1 if there is none, or several.

    Examples
    --------
    >>> match_paths(["rock/1.mp3", "2.mp3"], ["/a/pop/1.mp3", "/a/rock/1.mp3", "/a/rock/3.mp3"])
    [1, -1]
    """
    exact = {path: place for place, path in enumerate(known)}
    whole = {os.path.abspath(path): place for place, path in enumerate(known)}
    found = [exact.get(path, whole.get(os.path.abspath(path), -1)) for path in wanted]
    parts = [Path(path).parts for path in known]
    for length in range(1, DEPTH + 1):
        left = [row for row, place in enumerate(found) if place < 0]
        if not left:
            break
        every = _tails(parts, length)
        bare = _tails([part if len(part) == 1 else () for part in parts], 1)
        for row in left:
            own = Path(wanted[row]).parts
            index = bare if length == 1 < len(own) else every
            if len(own) >= length:
                found[row] = index.get(own[-length:], -1)
    return found


def _tails(parts: Sequence[tuple[str, ...]], length: int) -> dict[tuple[str, ...], int]:
    """Return the indices of paths by their last parts, if these are unique."""
    found: dict[tuple[str, ...], int] = {}
    for place, part in enumerate(parts):
        if len(part) >= length:
            found[part[-length:]] = -1 if part[-length:] in found else place
    return found


def with_content(history: History, songs: SongContent) -> tuple[History, NDArray[np.float32], int]:
    """Return a history and the content of its items; songs without plays become items of it.

    Returns
    -------
    history : History
    content : ndarray of float32, shape (items, features)
    matched : int
        Number of items of the given history with a song.
    """
    places = match_paths(history.items, songs.paths)
    named = {place: item for item, place in zip(history.items, places, strict=True) if place >= 0}
    items = [named.get(place, path) for place, path in enumerate(songs.paths)]
    more = history.with_items(items)
    content = np.zeros((len(more.items), songs.rows.shape[1]), np.float32)
    columns = {name: column for column, name in enumerate(more.items)}
    content[[columns[name] for name in items]] = songs.rows
    # Several items may be one song: all get its content.
    for column, place in enumerate(places):
        if place >= 0:
            content[column] = songs.rows[place]
    return more, content, sum(place >= 0 for place in places)


def library_history(songs: SongContent) -> History:
    """Return the history of a library, which has no plays."""
    nothing = np.zeros(0, np.int64)
    plays = counted(nothing, nothing, np.zeros(0), (0, len(songs.paths)))
    return History([], list(songs.paths), plays)


def song_of(history: History, song: str) -> int:
    """Return the column of a song, by its path, a part of it, or its displayed name.

    Raises
    ------
    GenrenetError
        There is none, or there are several; similar names are listed.
    """
    try:
        return history.item(song)
    except GenrenetError:
        name = os.path.basename(song)
        places = [match_paths([path], history.items)[0] for path in (song, name)]
        if max(places) >= 0:
            return next(place for place in places if place >= 0)
    same = [item for item in history.items if os.path.basename(item) == name]
    if len(same) > 1:
        raise RecommendError(
            f"several items are called '{printable(name)}'",
            found=", ".join(printable(item) for item in same[:3]),
            remedy="name one by its path",
        )
    raise RecommendError(
        f"no item '{printable(song)}'",
        found=f"{len(history.items)} items",
        remedy=did_you_mean(song, [*history.items, *history.names.values()], 3)
        or did_you_mean(name, map(os.path.basename, history.items), 3)
        or "name one of them",
    )


def start_from(
    likes: Sequence[str],
    history: History,
    content: NDArray[np.float32] | None,
    songs: SongContent | None,
) -> tuple[History, NDArray[np.float32] | None, list[int]]:
    """Find the items to start from; files that are not items are added.

    Parameters
    ----------
    likes : sequence of str
        Items by their name, path or a part of it; or audio files.
    history : History
    content : ndarray of float32, shape (items, features), optional
        Of the history's items.
    songs : SongContent, optional
        Source of the content.

    Returns
    -------
    history, content
        With the new items appended.
    columns : list of int
        One for each of ``likes``.

    Raises
    ------
    GenrenetError
        There is no such item or file, or its content cannot be computed.
    """
    columns = []
    for like in likes:
        path = os.path.abspath(like)
        try:
            column = song_of(history, like)
            # A name in another folder is another song, unless the library has been moved since.
            known = not os.path.isfile(path) or _same(history.items[column], path)
        except GenrenetError as error:
            if not os.path.isfile(path):
                raise
            if songs is None or content is None:
                raise RecommendError(
                    error.what,
                    found=error.found,
                    remedy="to start from a file, pass --content FILE: what 'genrenet embed' or "
                    "'genrenet scan' wrote",
                ) from error
            known = False
        if not known and songs is not None and content is not None:
            column = len(history.items)
            history = history.with_items([path])
            content = np.concatenate([content, songs.describe(path)])
        columns.append(column)
    return history, content, columns


def _same(item: str, path: str) -> bool:
    return not os.path.isfile(item) or os.path.samefile(item, path)
