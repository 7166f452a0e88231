"""Detect folders that are artists instead of genres, as players and rippers arrange a library.

Such a library (Artist/Album/01 - Title) looks like one of genre folders, and a network would be
trained to recognise artists without any warning.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Mapping

from genrenet.data.catalog.base import CatalogError, Reading, relative
from genrenet.data.catalog.genre_names import spelling_key
from genrenet.utils.errors import printable

_NUMBERED = re.compile(r"\d{1,3}(-\d{1,3})?[\s._-]")
REMEDY = (
    "take the genres of the files' own tags (--labels tags, for training --data.labels tags), or "
    "move the songs to one folder a genre; with 'folders' in the place of 'tags' the folders count "
    "as genres all the same"
)


class ArtistFoldersError(CatalogError):
    """Folders that are artists where genres are expected."""


def check_folders(reading: Reading, tag_genres: Mapping[str, int]) -> None:
    """Raise an error for folders that the songs' tags name as artists; warn about likely ones.

    Parameters
    ----------
    reading : Reading
        Of folders, with the artists from the songs' tags.
    tag_genres : mapping of str to int
        Genres in the songs' tags, and how often each occurs.

    Raises
    ------
    ArtistFoldersError
        At least half of the folders, and two, have the name of the artist of most of their songs.
    """
    artists: dict[str, list[str]] = defaultdict(list)
    for song in reading.songs:
        artists[song.genre].append(spelling_key(song.artist))
    own = [
        folder
        for folder, names in artists.items()
        if Counter(names).most_common(1)[0][0] == spelling_key(folder)
    ]
    where, examples = printable(reading.root), ", ".join(map(repr, own[:3]))
    if len(own) >= max(2, len(artists) / 2):
        common = ", ".join(f"{name} {n}" for name, n in Counter(tag_genres).most_common(5))
        raise ArtistFoldersError(
            f"the folders of {where!r} are artists, not genres",
            found=f"{len(own)} of {len(artists)} folders ({examples}) that are called like their "
            f"songs' artist; genres in the tags: {common or 'none'}",
            wanted="one folder per genre",
            remedy=REMEDY,
        )
    if not any(map("".join, artists.values())) and _albums(reading):
        message = f"the folders look like artists with albums, and the songs have no tags; {REMEDY}"
        reading.report(reading.root, "artist-folders", message)


def _albums(reading: Reading) -> bool:
    """Return whether files are numbered, two folders deep, and no folder has a genre's name."""
    from mutagen.id3 import TCON

    known = set(map(spelling_key, TCON.GENRES))
    folders = {spelling_key(song.genre) for song in reading.songs}
    names = [relative(song.path, reading.root).split("/") for song in reading.songs]
    albums = sum(
        len(parts) > 2 and _NUMBERED.match(os.path.basename(parts[-1])) is not None
        for parts in names
    )
    return len(folders) > 2 and not folders & known and albums >= 0.8 * len(names)
