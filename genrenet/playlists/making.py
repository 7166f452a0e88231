"""Make a playlist from the songs of a library: choose songs, order them, add notes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from genrenet.library.similarity import SongSpace
from genrenet.library.songs import LibrarySongs
from genrenet.playlists.base import ListedSong, Playlist, PlaylistError, PlaylistSong
from genrenet.playlists.candidates import Supply, fits, fitting
from genrenet.playlists.excluding import Exclusions
from genrenet.playlists.ordering import by_confidence, shuffled
from genrenet.playlists.requests import find_song, parse_mix
from genrenet.playlists.selection import choose
from genrenet.playlists.smooth import Floats, short_path
from genrenet.utils.errors import printable

if TYPE_CHECKING:
    # It imports torch, which a playlist from a scan does not need.
    from genrenet.library.song_vectors import SongVectors

Order = Literal["confidence", "shuffle", "smooth"]
ORDERS: tuple[str, ...] = get_args(Order)


def playlist(
    songs: LibrarySongs,
    genres: Iterable[str] = (),
    *,
    min_confidence: float = 0.5,
    by_score: bool = False,
    length: float | None = None,
    count: int | None = None,
    exclude: Iterable[str] = (),
    listed: Iterable[ListedSong] = (),
    order: Order = "confidence",
    choice: Literal["best", "random"] | None = None,
    seed: int = 0,
    vectors: SongVectors | None = None,
    start: str | None = None,
    title: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Playlist:
    """Make a playlist.

    Parameters
    ----------
    songs : LibrarySongs
        From `genrenet.library.songs.library_songs`.
    genres : iterable of str
        With shares, such as ``jazz:2`` and ``blues``: of the duration if there is a ``length``, of
        the number of songs otherwise. None: songs of any genre.
    min_confidence : float
        Minimum confidence of the genre, from 0 to 1.
    by_score : bool
        Use the score of the genre as the confidence, whatever a song's predicted genre.
    length : float, optional
        Target duration in seconds; see `genrenet.playlists.selection`.
    count : int, optional
        Number of songs. With neither this nor ``length``: all matching songs.
    exclude : iterable of str
        Globs on paths, and ``artist:NAME``: see `genrenet.playlists.excluding.Exclusions`.
    listed : iterable of ListedSong
        Songs of other playlists to exclude.
    order : {"confidence", "shuffle", "smooth"}
        By descending confidence, shuffled with artists spread out, or each song similar to the
        previous.
    choice : {"best", "random"}, optional
        How songs are chosen if there are more than enough; by default random for a shuffle and by
        confidence otherwise.
    seed : int >= 0
        Seed of all random choices.
    vectors : SongVectors, optional
        Embeddings for a smooth order; by default the scores of the genres. Songs without any come
        last.
    start : str, optional
        The first song of a smooth order, whatever its genre: see `find_song`.
    title : str, optional
    progress : callable, optional
        Called with the number of songs chosen and the total number, or 0 if unknown.

    Raises
    ------
    PlaylistError
        An invalid request, or no matching song.
    """
    _check(min_confidence, length, count, order, seed, start, vectors)
    shares = parse_mix(genres, songs.labels) or {"": 1.0}
    rng = np.random.default_rng(seed)
    by_chance = (choice or ("random" if order == "shuffle" else "best")) == "random"
    exclude, listed = list(exclude), list(listed)
    exclusions = Exclusions(exclude, listed)
    supplies, notes = [], list[str]()
    for genre in shares:
        rows = fitting(songs, genre, min_confidence, by_score=by_score)
        if not len(rows):
            notes.append(_nothing(songs, genre, min_confidence, by_score=by_score))
        supplies.append(
            Supply(
                songs,
                genre,
                rng.permutation(rows) if by_chance else rows,
                exclusions,
                timed=length is not None,
                by_score=by_score,
            )
        )
    first = None
    if start is not None:
        first = supplies[0].song(find_song(start, songs.paths))
        if first.genre in shares:
            first = supplies[list(shares).index(first.genre)].song(first.row)
    chosen = choose(supplies, shares, length=length, count=count, first=first, progress=progress)
    notes += exclusions.unused(songs.paths)
    groups = [group for group in chosen.groups.values() if group]
    if not groups:
        raise PlaylistError(
            "no song fits",
            found="; ".join(notes + chosen.notes),
            remedy=_remedy(songs, shares, bool(exclude or listed), by_score=by_score),
        )
    notes += chosen.notes
    if order == "confidence":
        ordered = by_confidence(groups)
    elif order == "shuffle":
        ordered = shuffled(groups, rng)
    else:
        ordered = _smooth(songs, by_confidence(groups), vectors, first, notes)
    name = title or ", ".join(filter(None, shares)) or "all genres"
    return Playlist(ordered, name, order, songs.checkpoint, chosen.short, notes)


def _check(
    min_confidence: float,
    length: float | None,
    count: int | None,
    order: str,
    seed: int,
    start: str | None,
    vectors: SongVectors | None,
) -> None:
    if not 0 <= min_confidence <= 1:
        found = f"{min_confidence:g}"
        raise PlaylistError("--min-confidence", found=found, wanted="a number from 0 to 1")
    if length is not None and count is not None:
        raise PlaylistError("both a length and a number of songs", wanted="one of them")
    for name, number in (("length", length), ("number of songs", count)):
        if number is not None and not number > 0:
            raise PlaylistError(name, found=f"{number:g}", wanted="above 0")
    if order not in ORDERS:
        raise PlaylistError("order", found=f"'{order}'", wanted=" or ".join(ORDERS))
    if seed < 0:
        raise PlaylistError("--seed", found=str(seed), wanted="0 or more")
    if order != "smooth" and (start is not None or vectors is not None):
        name = "--embeddings" if start is None else "--start"
        raise PlaylistError(f"{name} cannot be used with the order '{order}'", wanted="smooth")


def _nothing(songs: LibrarySongs, genre: str, least: float, *, by_score: bool) -> str:
    """Return the reason why there is no song of a genre."""
    anyhow = fitting(songs, genre, 0.0, by_score=by_score)
    kind = f"songs of '{genre}'" if genre else "songs"
    if not len(anyhow):
        return f"no {kind}: none was decided to be {genre}"
    surest = fits(songs, genre, by_score=by_score)[anyhow[0]]
    return f"no {kind} at --min-confidence {least:g}: the surest of {len(anyhow)} has {surest:.2f}"


def _remedy(songs: LibrarySongs, genres: Iterable[str], excluded: bool, *, by_score: bool) -> str:
    """Return what could give songs: only what would change something for these genres."""
    unsure = any(len(fitting(songs, genre, 0.0, by_score=by_score)) for genre in genres)
    ways = ["lower --min-confidence"] * unsure + ["exclude less"] * excluded
    return " or ".join([*ways, "name other genres" if any(genres) else "scan more songs"])


def _smooth(
    songs: LibrarySongs,
    chosen: list[PlaylistSong],
    vectors: SongVectors | None,
    first: PlaylistSong | None,
    notes: list[str],
) -> list[PlaylistSong]:
    """Return songs in the order of a short path; those without an embedding last."""
    if vectors is None:
        place = SongSpace(songs.scores, "scores").vectors
        placed, unplaced = chosen, list[PlaylistSong]()
        held: Floats = place[[song.row for song in placed]]
    else:
        rows = _rows_of(vectors.paths, chosen)
        placed = [song for song in chosen if song.row in rows]
        unplaced = [song for song in chosen if song.row not in rows]
        if not placed:
            raise PlaylistError(
                "the file of embeddings has none of the songs",
                found=f"such as '{vectors.paths[0]}'" if vectors.paths else "no songs",
                wanted=f"such as '{printable(chosen[0].path)}'",
                remedy="embed this library; a file with relative paths can be used only in the "
                "folder where 'genrenet embed' was run",
            )
        if unplaced:
            notes.append(f"{len(unplaced)} songs have no embedding and come last")
        # Standardised over all songs in the file, so that common properties have no weight.
        space = SongSpace(vectors.vectors, "embeddings")
        held = space.vectors[[rows[song.row] for song in placed]]
    begin = placed.index(first) if first in placed else None
    ordered = [placed[at] for at in short_path(held, begin)] + unplaced
    if first is not None and ordered[0] != first:
        ordered.remove(first)
        ordered.insert(0, first)
    return ordered


def _rows_of(paths: Sequence[str], chosen: Sequence[PlaylistSong]) -> Mapping[int, int]:
    """Return the rows of songs in a file of embeddings, by their row in the library."""
    from genrenet.library.table import file_of

    wanted = {song.path: song.row for song in chosen}
    wanted |= {os.path.realpath(song.path): song.row for song in chosen}
    rows: dict[int, int] = {}
    for at, stored in enumerate(paths):
        path = os.path.abspath(file_of(stored))
        row = wanted.get(path)
        if row is None and os.path.islink(path):
            row = wanted.get(os.path.realpath(path))
        if row is not None:
            rows.setdefault(row, at)
    return rows
