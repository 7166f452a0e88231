"""Columns of few different texts, such as the artists of songs, as integer codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from genrenet.web.song_names import folded


class Names:
    """A column of few different texts: ``codes`` of shape (songs,), -1 for none, into ``names``.

    Texts that differ only in case and accents are one; its name is the most frequent spelling.
    """

    def __init__(self, values: Sequence[str | None], keys: Sequence[str] | None = None) -> None:
        found: dict[str, Counter[str]] = {}
        keyed = [folded(value or "") for value in values] if keys is None else keys
        for key, value in zip(keyed, values, strict=True):
            if value:
                found.setdefault(key, Counter())[value] += 1
        self.keys = sorted(found)
        self.names = [found[key].most_common(1)[0][0] for key in self.keys]
        self.code = {key: code for code, key in enumerate(self.keys)}
        codes = (self.code[key] if value else -1 for key, value in zip(keyed, values, strict=True))
        self.codes = np.fromiter(codes, np.int32, len(values))

    def of(self, name: str) -> int:
        """Return the code of a name, -2 if it does not occur."""
        return self.code.get(folded(name), -2)

    def at(self, row: int) -> str | None:
        """Return the name of a song, None if it has none."""
        code = self.codes[row]
        return self.names[code] if code >= 0 else None

    def put(self, row: int, name: str) -> None:
        """Change the name of a song; a new name is appended."""
        if name and name not in self.names:
            self.names.append(name)
        self.codes[row] = self.names.index(name) if name else -1


def artists_of(albums: Names, artists: Names) -> NDArray[np.int32]:
    """Return the artist of at least half the songs of each album, -1 if there is none."""
    found = np.full(len(albums.names), -1, np.int32)
    known = albums.codes >= 0
    if not known.any() or not artists.names:
        return found
    sizes = np.bincount(albums.codes[known], minlength=len(found))
    both = known & (artists.codes >= 0)
    pairs = albums.codes[both].astype(np.int64) * len(artists.names) + artists.codes[both]
    unique, counts = np.unique(pairs, return_counts=True)
    album, artist = np.divmod(unique, len(artists.names))
    enough = counts * 2 >= sizes[album]
    order = np.argsort(counts[enough], kind="stable")
    found[album[enough][order]] = artist[enough][order]
    return found


def joined(column: pa.ChunkedArray) -> Names:
    """Return a column of lists from texts with semicolons."""
    texts = column.to_pylist()
    return Names(texts, [text or "" for text in texts])
