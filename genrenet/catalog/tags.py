"""Artist, album, title and duration from a file's tags, through mutagen."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genrenet.catalog.base import clean

# What taggers write where they know no artist.
_NO_ARTIST = {"unknown artist", "unknown", "<unknown>", "[unknown]", "no artist"}


def read_tags(path: str) -> tuple[dict[str, str | float], str]:
    """Read a file's artist, album, title and duration (s) from its tags and header.

    Parameters
    ----------
    path : str
        An audio file.

    Returns
    -------
    fields : dict
        What was found, of "artist", "album", "title" (str, never empty) and "duration" (float).
        Place-holders such as "Unknown Artist" count as nothing; several artists are joined by ", ".
    fault : str
        Why the tags could not be read, '' if they could. Tags are a help, never a condition:
        damaged ones must not stop a collection from being read.
    """
    import mutagen

    try:
        file = mutagen.File(path, easy=True)
        tags = dict(file.tags or {}) if file is not None else {}
        length = getattr(getattr(file, "info", None), "length", None)
    except Exception as error:  # mutagen lets IndexError, struct.error and others through
        return {}, f"tags not read: {clean(error) or type(error).__name__}"
    fields: dict[str, str | float] = {}
    for name, keys in (("artist", ("artist", "albumartist")), ("album", ()), ("title", ())):
        for key in keys or (name,):
            text = ", ".join(filter(None, map(clean, _texts(tags.get(key)))))
            if text and not (name == "artist" and text.casefold() in _NO_ARTIST):
                fields.setdefault(name, text)
    if isinstance(length, (int, float)) and math.isfinite(length) and length > 0:
        fields["duration"] = float(length)
    return fields, ""


def _texts(value: object) -> Sequence[object]:
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)
