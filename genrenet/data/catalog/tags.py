"""Read artist, album, title, genre and duration from a file's tags with mutagen."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from genrenet.data.catalog.base import Reading, clean, in_threads
from genrenet.data.catalog.genre_names import merged
from genrenet.data.catalog.genre_tree import is_known

# Placeholders that taggers write for an unknown artist.
_NO_ARTIST = {"unknown artist", "unknown", "<unknown>", "[unknown]", "no artist"}
# The same for genres; 12 is in ID3v1 tags that never had one set.
_NO_GENRE = {
    "unknown", "<unknown>", "[unknown]", "unknown genre", "none", "no genre", "other", "others",
    "misc", "misc.", "miscellaneous", "undefined", "unclassifiable", "uncategorized", "n/a",
    "default", "genre", "various", "null",
}  # fmt: skip
# Names of fields in lower case: mutagen's easy ones, which Vorbis comments and APEv2 have too, then
# ID3's (WAV, AIFF, DSD) and ASF's.
_FIELDS = {
    "artist": ("artist", "albumartist", "album artist", "tpe1", "tpe2", "author", "wm/albumartist"),
    "album": ("album", "talb", "wm/albumtitle"),
    "title": ("title", "tit2"),
    "genre": ("genre", "tcon", "wm/genre"),
}
_READ = {key for keys in _FIELDS.values() for key in keys}


def read_tags(path: str) -> tuple[dict[str, str | float], str]:
    """Read a file's artist, album, title, genre and duration (s) from its tags and header.

    Parameters
    ----------
    path : str
        An audio file.

    Returns
    -------
    fields : dict
        The values found of "artist", "album", "title", "genre" (str, never empty) and "duration"
        (float). Placeholders such as "Unknown Artist" are ignored; several artists are joined by ",
        "; of several genres it is the first, and ID3v1's numbers become names.
    fault : str
        Why the tags could not be read, '' if they could. Tags are optional: damaged ones must not
        stop a collection from being read.
    """
    import mutagen
    from mutagen.id3 import ID3FileType

    try:
        # mutagen reads ADTS with an ID3 tag as MP3, and its frames as none.
        adts = path.lower().endswith((".aac", ".adts"))
        file = mutagen.File(path, options=[ID3FileType] if adts else None, easy=not adts)
        tags = _texts(file.tags) if file is not None and file.tags is not None else {}
        if file is not None and not tags:
            tags = _ape(path)
        length = getattr(getattr(file, "info", None), "length", None)
    except Exception as error:  # mutagen does not catch IndexError, struct.error and others
        return {}, f"tags not read: {clean(error) or type(error).__name__}"
    fields: dict[str, str | float] = {}
    for name, keys in _FIELDS.items():
        for key in keys:
            # Some programs write a field twice, as ASF has two fields for it.
            values = [*dict.fromkeys(text for text in map(clean, tags.get(key, [])) if text)]
            text = first_genre(values) if name == "genre" else ", ".join(values)
            if text and not (name == "artist" and text.casefold() in _NO_ARTIST):
                fields.setdefault(name, text)
    if isinstance(length, (int, float)) and math.isfinite(length) and length > 0:
        fields["duration"] = float(length)
    return fields, ""


def first_genre(values: Iterable[str]) -> str:
    """Return the first genre in a tag's values, '' for none.

    Examples
    --------
    >>> first_genre(["(17)", "Pop"]), first_genre(["Jazz; Funk"]), first_genre(["Unknown", "Soul"])
    ('Rock', 'Jazz', 'Soul')
    """
    return next(named_genres(values), "")


def named_genres(values: Iterable[str]) -> Iterator[str]:
    """Yield the genres in a tag's values.

    A value may hold several, between semicolons, or between slashes or commas if each is the name
    of a genre. Numbers that are not genres, and placeholders such as "Other", are ignored.

    Examples
    --------
    >>> list(named_genres(["Rock/Pop", "R&B/Soul", "My/Own", "(255)", "147?", "Other", "1999"]))
    ['Rock', 'Pop', 'R&B/Soul', 'My/Own']
    """
    from mutagen.id3 import TCON

    for value in values:
        for part in value.split(";"):
            for genre in map(clean, TCON(encoding=3, text=[part.strip()]).genres):
                for name in _apart(genre):
                    if re.search(r"[^\W\d_]", name) and name.casefold() not in _NO_GENRE:
                        yield name


def _apart(genre: str) -> list[str]:
    """Return the genres in a text with slashes or commas; the text itself if not all are known."""
    parts = [part.strip() for part in re.split("[/,]", genre)]
    return parts if not is_known(genre) and all(map(is_known, parts)) else [genre]


def _texts(tags: Any) -> dict[str, list[str]]:
    """Return the texts of the fields that are read, by their names in lower case, for any kind of
    tags.
    """
    found: dict[str, list[str]] = {}
    for key, value in dict(tags).items():
        name = str(key).lower()
        if name in _READ:
            values: Any = getattr(value, "text", value)  # of ID3's frames
            several = isinstance(values, Sequence) and not isinstance(values, str | bytes)
            found.setdefault(name, []).extend(map(str, values if several else [values]))
    return found


def _ape(path: str) -> dict[str, list[str]]:
    """Return the APEv2 tags at the end of a file of another format, such as an MP3."""
    from mutagen.apev2 import APEv2, error

    try:
        return _texts(APEv2(path))
    except error:
        return {}


def label_by_tags(reading: Reading, *, labelled: bool = True) -> None:
    """Take genres from the songs' tags; where songs must have one, the others are left out."""
    genres = fill_from_tags(reading)
    names = merged(filter(None, genres))
    bare = []
    for song, genre in zip(reading.songs, genres, strict=True):
        song.genre = names.get(genre, "")
        if not song.genre:
            bare.append(song.path)
    if bare and labelled:
        message = f"{len(bare)} of {len(genres)} songs have no genre in their tags and are left out"
        reading.report(bare[0], "no-genre", f"{message}, this one first")
        reading.songs = [song for song in reading.songs if song.genre]


def fill_from_tags(reading: Reading) -> list[str]:
    """Fill the remaining fields from tags; return the genres found, '' for none."""
    found = in_threads(lambda song: read_tags(song.path), reading.songs, workers=8)
    for song, (fields, fault) in zip(reading.songs, found, strict=True):
        for name in reading.from_tags & fields.keys():
            setattr(song, name, fields[name])
        if fault:
            reading.report(song.path, "unreadable-tags", fault)
    return [str(fields.get("genre", "")) for fields, _ in found]
