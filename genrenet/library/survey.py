"""Survey a folder of music: its size, layout and tags."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genrenet.audio.names import find_songs
from genrenet.data.catalog.genre_names import spelling_key
from genrenet.data.catalog.genre_tree import is_known
from genrenet.data.catalog.tags import named_genres, read_tags
from genrenet.library.genre_tags import GenreTagError, read_genre
from genrenet.utils.errors import GenrenetError, printable

SAMPLE = 200
"""Number of songs whose tags are read: shares are exact to 7 % (95 % interval)."""

SECONDS = 5.0
"""Maximum seconds for listing the songs, and for reading tags."""

_TELLING = 0.5
"""Minimum share of the songs for a layout, or a property of tags, to be reported as typical."""


class SurveyError(GenrenetError):
    """A folder that cannot be surveyed."""


@dataclass
class Survey:
    """The properties of a folder of music.

    Attributes
    ----------
    folder : str
    songs : int
        Number found within the time limit.
    complete : bool
        Whether these are all.
    formats : dict of str to int
        Songs by suffix, without its dot.
    unreadable : list of str
        Folders that cannot be read.
    layout : str
        "Artist/Album", "one folder a genre", "one folder" or "folders".
    sampled : int
        Number of songs whose tags were read, spread evenly over all.
    with_genre, placeholders : int
        Numbers of those whose tags have a genre, or only "Other", "Unknown" and the like.
    genres : dict of str to int
        Genres in their tags.
    hours : float or None
        Total duration of all songs, by the mean of the sample; None if no length is known.
    writable : bool
        Whether files can be written into the folder, and changed.
    """

    folder: str
    songs: int = 0
    complete: bool = True
    formats: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    layout: str = "one folder"
    sampled: int = 0
    with_genre: int = 0
    placeholders: int = 0
    genres: dict[str, int] = field(default_factory=dict)
    hours: float | None = None
    writable: bool = True


def survey(
    folder: str | os.PathLike[str],
    *,
    seconds: float = SECONDS,
    sample: int = SAMPLE,
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Survey a folder of music, within limits of time.

    Parameters
    ----------
    folder : path
    seconds : float > 0
        Maximum time for listing the songs, and again for reading tags.
    sample : int > 0
        Maximum number of songs whose tags are read.
    progress : callable, optional
        Called with (songs read, number of songs to read).

    Raises
    ------
    SurveyError
        There is no such folder, or no music in it.
    """
    root = os.path.abspath(folder)
    if not os.path.isdir(root):
        kind = "a file" if os.path.exists(root) else "nothing there"
        raise SurveyError(
            f"'{printable(folder)}' is not a folder", found=kind, wanted="a folder of music"
        )
    found = Survey(root, writable=os.access(root, os.W_OK | os.X_OK))
    songs: list[str] = []
    until = time.monotonic() + seconds
    for song in find_songs([root], unreadable=found.unreadable):
        songs.append(song)
        if time.monotonic() > until:
            found.complete = False
            break
    if not songs:
        closed = f"{len(found.unreadable)} folders that cannot be looked into"
        raise SurveyError(
            f"no music in '{printable(root)}'",
            found=closed if found.unreadable else "",
            wanted="songs in it or in its sub-folders",
            remedy="is its drive connected?",
        )
    found.songs = len(songs)
    suffixes = Counter(Path(song).suffix.lower().lstrip(".") for song in songs)
    found.formats = dict(suffixes.most_common())
    _read(found, songs[:: max(1, len(songs) // sample)][:sample], seconds, progress)
    return found


def _read(
    found: Survey,
    songs: Sequence[str],
    seconds: float,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Read the tags of some songs, and summarise them."""
    until = time.monotonic() + seconds
    genres: Counter[str] = Counter()
    lengths: list[float] = []
    by_artist = by_genre = deep = 0
    for song in songs:
        fields, _ = read_tags(song)
        stored = _stored(song)
        named = [*named_genres(stored)]
        found.sampled += 1
        found.with_genre += bool(named)
        found.placeholders += bool(stored) and not named
        genres.update(named)
        if isinstance(length := fields.get("duration"), float):
            lengths.append(length)
        above = os.path.relpath(song, found.folder).split(os.sep)[:-1]
        deep += len(above) > 0
        names = {spelling_key(name) for name in above}
        by_artist += spelling_key(str(fields.get("artist", ""))) in names
        by_genre += bool(above) and is_known(above[0])
        found.writable = found.writable and os.access(song, os.W_OK)
        if progress is not None:
            progress(found.sampled, len(songs))
        if time.monotonic() > until:
            break
    enough = _TELLING * found.sampled
    kinds = (("one folder a genre", by_genre), ("Artist/Album", by_artist), ("folders", deep))
    found.layout = next((name for name, n in kinds if n >= enough), "one folder")
    found.genres = dict(genres.most_common())
    found.hours = found.songs * sum(lengths) / len(lengths) / 3600 if lengths else None


def _stored(song: str) -> list[str]:
    """Return the genres in a song's tags as they are stored; none if they cannot be read."""
    try:
        return [value for value in read_genre(song) or () if value.strip()]
    except GenreTagError:
        return []
