"""Detect files or rows that are segments cut from one song, by their names.

Segments of one song sound alike. If they counted as separate songs, they would be in both training
and test set, and the accuracy would measure how well a method recognises training songs. So they
are kept together in splits, and get one prediction.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median

from genrenet.data.catalog.base import Reading, Song, clean, relative
from genrenet.utils.errors import printable

SEGMENTS = ("auto", "off")
SEGMENT_SECONDS = 90.0
"""Longer files are never segments, whatever their names."""
NUMBERED_SECONDS = 15.0
"""The same limit for names with only a second number."""

# Words that precede numbers of segments only, and words that also occur in titles ("Suite, Pt. 2").
_CUT = r"segment|seg|chunk|slice|split|snippet|fragment|window|frame|crop"
_PERHAPS = r"part|pt|clip|piece|excerpt|cut"
_MARKED = re.compile(rf"(.*\w)[\W_]+(?:({_CUT})|{_PERHAPS})[\W_]*(\d+)", re.IGNORECASE)
# A number after a song's own number: "blues.00012.3", "track_7-2".
_NUMBERED = re.compile(r"(.*\d)[._-](\d+)")

Groups = dict[tuple[str, str], list[int]]


def find_segments(reading: Reading, shared: Sequence[str]) -> None:
    """Set the song of every file, if files are segments.

    Parameters
    ----------
    reading : Reading
        The field `song` of its songs is filled, unless every file is a song; a note reports the
        result.
    shared : sequence of str
        Identifiers as the collection has them; '' for none.
    """
    songs = reading.songs
    genres = [song.genre for song in songs]
    if any(song.song for song in songs):
        found = unique_by_genre([song.song for song in songs], genres)
    else:
        named = segments_by_value(shared, genres)
        if named is not None:
            # Identifiers shared by segments are not duplicates.
            reading.problems[:] = [p for p in reading.problems if p.kind != "duplicate-id"]
        else:
            named = segments_by_name(
                [os.path.splitext(relative(song.path, reading.root))[0] for song in songs],
                genres,
                alike=lambda groups: _short_and_even(songs, groups),
                usable=lambda row: not songs[row].duration > SEGMENT_SECONDS,
            )
        if named is None:
            return
        found = named
    for song, name in zip(songs, found, strict=True):
        song.song = clean(printable(name)) or song.track_id
    if len({song.song for song in songs}) < len(songs):
        reading.notes.append(described([song.song for song in songs]))


def _short_and_even(songs: Sequence[Song], groups: Sequence[Sequence[int]]) -> bool:
    """Return whether files of groups are as short as segments, and equally long except the last."""
    even = 0
    for group in groups:
        lengths = sorted(songs[row].duration for row in group)
        middle = lengths[len(lengths) // 2]
        even += lengths[-1] <= NUMBERED_SECONDS and lengths[-1] - middle <= 0.05 * middle
    return even >= 0.9 * len(groups) and max(map(len, groups)) > 2


def segments_by_name(
    names: Sequence[str],
    genres: Sequence[str],
    *,
    alike: Callable[[list[list[int]]], bool],
    usable: Callable[[int], bool] = lambda row: True,
) -> list[str] | None:
    """Find segments by file names.

    Names are segments' if several are equal up to the last number and have different numbers, and:
    a word such as "seg" or "chunk" precedes the number; or a word that also occurs in titles, such
    as "part", and the numbers are consecutive from 0 or 1; or another number, as in "artist1-2",
    and `alike` is true for these rows, since the last number may be a song's. Rows of different
    genres are never grouped, and a genre of which only one song would be left ("rock_part_1" to
    "rock_part_99") has no segments.

    Parameters
    ----------
    names : sequence of str
        Names without suffixes, with folders if there are any.
    genres : sequence of str
        The genre of each.
    alike : callable
        Receives groups of at least two rows each, by their positions; returns whether rows of a
        group are as similar as segments of one song.
    usable : callable
        Whether a row may be a segment at all; a file of several minutes may not.

    Returns
    -------
    list of str or None
        The name of each row's song, unique by genre; None where there are no segments.
    """
    marked, perhaps, numbered = Groups(), Groups(), Groups()
    numbers: dict[int, int] = {}
    for row, (name, genre) in enumerate(zip(names, genres, strict=True)):
        match = _MARKED.fullmatch(name) or _NUMBERED.fullmatch(name)
        if match is None or not usable(row):
            continue
        numbers[row] = int(match[match.lastindex or 0])
        if match.re is _NUMBERED:
            numbered.setdefault((match[1], genre), []).append(row)
        else:
            (marked if match[2] else perhaps).setdefault((match[1], genre), []).append(row)

    def distinct(rows: list[int]) -> bool:
        return len(rows) > 1 and len({numbers[row] for row in rows}) == len(rows)

    def consecutive(rows: list[int]) -> bool:
        found = sorted(numbers[row] for row in rows)
        return found[0] in (0, 1) and found == list(range(found[0], found[0] + len(found)))

    kept = {key: rows for key, rows in marked.items() if distinct(rows)}
    kept |= {key: rows for key, rows in perhaps.items() if distinct(rows) and consecutive(rows)}
    several = {key: rows for key, rows in numbered.items() if distinct(rows)}
    if several and alike(list(several.values())):
        kept |= several
    songs = list(names)
    for (stem, _), rows in _believable(kept, genres).items():
        for row in rows:
            songs[row] = stem
    return None if songs == list(names) else unique_by_genre(songs, genres)


def _believable(groups: Groups, genres: Sequence[str]) -> Groups:
    """Leave out the groups of genres that would be left with one song."""
    left: dict[str, int] = defaultdict(int)
    for genre in genres:
        left[genre] += 1
    for (_, genre), rows in groups.items():
        left[genre] -= len(rows) - 1
    return {key: rows for key, rows in groups.items() if left[key[1]] > 1}


def segments_by_value(values: Sequence[str], genres: Sequence[str]) -> list[str] | None:
    """Find segments by a column that names the song of each row.

    Parameters
    ----------
    values : sequence of str
        '' for a row that is a song of its own.
    genres : sequence of str

    Returns
    -------
    list of str or None
        The song of each row, unique by genre; '' stays ''. None if most songs have one row (a title
        that occurs twice makes no segments), if values are shared across genres, as fold numbers
        are, or if a genre would be left with one song.
    """
    rows: dict[str, int] = defaultdict(int)
    across: dict[str, set[str]] = defaultdict(set)
    songs: dict[str, set[str | int]] = defaultdict(set)
    for row, (value, genre) in enumerate(zip(values, genres, strict=True)):
        songs[genre].add(value or row)
        if value:
            rows[value] += 1
            across[value].add(genre)
    if not rows or median(rows.values()) < 2 or min(map(len, songs.values())) < 2:
        return None
    if sum(len(found) > 1 for found in across.values()) > 0.05 * len(rows):
        return None
    return unique_by_genre(values, genres)


def unique_by_genre(songs: Sequence[str], genres: Sequence[str]) -> list[str]:
    """Return the names of songs, including the genre where several genres share a name."""
    found: dict[str, set[str]] = defaultdict(set)
    for song, genre in zip(songs, genres, strict=True):
        found[song].add(genre)
    return [
        f"{song} ({genre})" if song and len(found[song]) > 1 else song
        for song, genre in zip(songs, genres, strict=True)
    ]


def described(songs: Sequence[str]) -> str:
    """Return the numbers of segments and songs, as text.

    Examples
    --------
    >>> described(["a", "a", "b", "b"])
    '4 rows are segments of 2 songs (2 a song): a song is learnt from or judged as a whole'
    """
    counts: dict[str, int] = defaultdict(int)
    for song in songs:
        counts[song] += 1
    low, high = min(counts.values()), max(counts.values())
    each = f"{low}" if low == high else f"{low} to {high}, mostly {median(counts.values()):g}"
    return (
        f"{len(songs)} rows are segments of {len(counts)} songs ({each} a song): a song is learnt "
        "from or judged as a whole"
    )
