"""Common steps for all formats of collections: duplicates, small genres, identifiers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from genrenet.data.catalog.base import (
    COLUMNS,
    EmptyCatalogError,
    OneGenreError,
    Reading,
    Song,
    clean,
    relative,
)
from genrenet.data.catalog.genre_names import report_names
from genrenet.data.catalog.several_genres import joined, note_of, strata
from genrenet.utils.errors import printable

if TYPE_CHECKING:
    import pandas as pd


def settle(reading: Reading, min_songs: int) -> list[str]:
    """Leave out duplicates and genres that are too small, and give every song its identifier.

    Returns the identifiers as the collection has them, which segments of a song may share. With a
    ``min_songs`` of 0 one song is enough.
    """
    seen: dict[str, Song] = {}
    for song in reading.songs:
        first = seen.setdefault(os.path.realpath(song.path), song)
        if first is not song:
            message = f"the same file as {printable(first.path)}, which is kept"
            if first.names != song.names:
                message += f" as {joined(first.names)!r}, not {joined(song.names)!r}"
            reading.report(song.path, "duplicate-path", message)
    counts = Counter(name for song in seen.values() for name in song.names)
    small = {genre: n for genre, n in counts.items() if n < min_songs}
    for genre, n in sorted(small.items()):
        message = f"genre {genre!r} is left out: songs: {n}, wanted at least {min_songs}"
        reading.report("", "too-few-songs", message)
    if reading.multi_label:
        for song in seen.values():
            song.genres = tuple(name for name in song.genres if name not in small)
            song.genre = song.genres[0] if song.genres else ""
        reading.songs = [song for song in seen.values() if song.genres]
        if bare := [song.path for song in seen.values() if not song.genres]:
            message = f"{len(bare)} songs have no other genres and are left out, this one first"
            reading.report(bare[0], "no-genre", message)
    else:
        reading.songs = [song for song in seen.values() if song.genre not in small]
    if min_songs or not reading.songs:
        _require_two_genres(reading)
        report_names(reading)
    given = [song.track_id for song in reading.songs]
    _identify(reading)
    return given


def _require_two_genres(reading: Reading) -> None:
    genres = sorted({name for song in reading.songs for name in song.names})
    if len(genres) >= 2:
        return
    where, counts = printable(reading.root), Counter(p.kind for p in reading.problems)
    # One example of each kind of problem explains why so few songs are left.
    first = {problem.kind: problem for problem in reversed(reading.problems)}
    shown = (
        f"{first[kind]}" + (f" (and {n - 1} more)" if n > 1 else "") for kind, n in counts.items()
    )
    left_out = "; ".join(shown)
    if not genres:
        raise EmptyCatalogError(
            f"no songs in {where!r}",
            found=left_out or "an empty folder",
            wanted="audio files in one sub-folder per genre, or a table with path and genre",
        )
    raise OneGenreError(
        f"only one genre in {where!r}",
        found=f"{genres[0]!r} with {len(reading.songs)} songs"
        + (f", and left out: {left_out}" if left_out else ""),
        wanted="at least two genres",
        remedy="make one sub-folder (or one value of the column genre) per genre",
    )


def stratify(reading: Reading) -> None:
    """Set the genre that splits are stratified by for songs with several, and add a note."""
    songs = reading.songs
    groups = [song.artist.casefold() or (song.track_id,) for song in songs]
    balanced = strata([song.genres for song in songs], groups)
    for song, genre in zip(songs, balanced, strict=True):
        song.genre = genre
    reading.notes.append(note_of([song.genres for song in songs], balanced))


def _identify(reading: Reading) -> None:
    """Make `track_id` unique: the collection's own identifier, else the relative path."""
    given = Counter(song.track_id for song in reading.songs if song.track_id)
    for song in reading.songs:
        if given[song.track_id] > 1:
            message = f"track_id {song.track_id!r} occurs more than once; the path takes its place"
            reading.report(song.path, "duplicate-id", message)
            song.track_id = ""
    used = {song.track_id for song in reading.songs if song.track_id}
    unnamed = [song for song in reading.songs if not song.track_id]
    full = [relative(song.path, reading.root) for song in unnamed]
    short = [os.path.splitext(name)[0] for name in full]
    times = Counter(short)
    for song, name, shorter in zip(unnamed, full, short, strict=True):
        # Two files may differ only in the suffix: then both keep it.
        wanted = clean(printable(shorter if times[shorter] == 1 else name))
        number, song.track_id = 2, wanted
        while song.track_id in used:
            song.track_id, number = f"{wanted} ({number})", number + 1
        used.add(song.track_id)


def frame_of(songs: Sequence[Song]) -> pd.DataFrame:
    """Return the catalog's table of songs."""
    import pandas as pd

    paths = pd.Series([song.path for song in songs], dtype=object)
    names = [*COLUMNS[1:], *(n for n in ("split", "song") if any(getattr(s, n) for s in songs))]
    columns = {name: [getattr(song, name) for song in songs] for name in names}
    if any(song.genres for song in songs):
        columns["genres"] = [joined(song.genres) for song in songs]
    return pd.DataFrame({"path": paths, **columns})
