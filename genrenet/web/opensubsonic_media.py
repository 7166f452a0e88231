"""Songs, albums and artists in the format of the OpenSubsonic API.

Ids contain what they refer to, so that they stay the same over restarts and scans: the kind, and
the path or name in URL-safe base 64.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import os
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np

from genrenet.library.table import file_of
from genrenet.web.library_index import VARIOUS, LibraryIndex, Rows
from genrenet.web.library_queries import Wanted, select

Item = dict[str, Any]

SONG, ALBUM, ARTIST = "so-", "al-", "ar-"


def id_of(kind: str, name: str) -> str:
    """Return the id of a song's path, an album's key or an artist's name.

    Examples
    --------
    >>> id_of(SONG, "a/b.mp3"), name_of(SONG, "so-YS9iLm1wMw")
    ('so-YS9iLm1wMw', 'a/b.mp3')
    """
    return kind + base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def name_of(kind: str, given: str) -> str | None:
    """Return what an id of a kind refers to, None if it is not such an id."""
    if not given.startswith(kind):
        return None
    code = given[len(kind) :]
    try:
        return base64.b64decode(code + "=" * (-len(code) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None


class Media:
    """The songs of a library as items of the API.

    Parameters
    ----------
    root : str
        The served folder.
    index : LibraryIndex
    """

    def __init__(self, root: str, index: LibraryIndex) -> None:
        self.root, self.index = root, index

    def song_row(self, given: str) -> int | None:
        """Return the row of a song's id, None if there is no such song."""
        path = name_of(SONG, given)
        return None if path is None else self.index.row_of(path)

    def songs(self, rows: Rows | Sequence[int]) -> list[Item]:
        """Return songs: the API's `Child`."""
        index = self.index
        rows = np.asarray(rows, np.int32)
        found = []
        for row, track in zip(rows.tolist(), index.tracks(rows), strict=True):
            path, suffix = track["path"], track["path"].rpartition(".")[2].lower()
            artist, album = track["artist"], track["album"]
            names = [*track["genres"], *track["subgenres"]]
            item = {
                "id": id_of(SONG, path),
                "isDir": False,
                "title": track["title"],
                "album": album,
                "artist": artist,
                "displayArtist": artist,
                "genre": track["genre"],
                "genres": [{"name": name} for name in dict.fromkeys(names)],
                "size": int(index.size[row]),
                "suffix": suffix,
                "contentType": mimetypes.guess_type(f"song.{suffix}")[0]
                or "application/octet-stream",
                "duration": round(track["duration"]) if track["duration"] else None,
                "path": path,
                "type": "music",
                "mediaType": "song",
                "isVideo": False,
            }
            if artist:
                item["artistId"] = id_of(ARTIST, artist)
                item["artists"] = [{"id": item["artistId"], "name": artist}]
            if album:
                code = int(index.albums.codes[row])
                item["albumId"] = item["parent"] = id_of(ALBUM, index.albums.keys[code])
            found.append({key: value for key, value in item.items() if value is not None})
        return found

    def album_code(self, given: str) -> int | None:
        """Return the code of an album's id."""
        key = name_of(ALBUM, given)
        return None if key is None else self.index.albums.code.get(key)

    def albums(self, codes: Iterable[int]) -> list[Item]:
        """Return albums: the API's `AlbumID3`."""
        index, found = self.index, []
        for code in codes:
            rows = index.album_rows(code)
            artist_code = int(index.album_artists[code])
            artist = index.artists.names[artist_code] if artist_code >= 0 else VARIOUS
            genres = index.genre[rows]
            counts = np.bincount(genres[genres >= 0], minlength=1)
            item = {
                "id": id_of(ALBUM, index.albums.keys[code]),
                "name": index.albums.names[code],
                "artist": artist,
                "displayArtist": artist,
                "songCount": len(rows),
                "duration": round(float(np.nansum(index.duration[rows]))),
                "created": self._created(int(rows[0])),
                "isCompilation": artist_code < 0,
            }
            if artist_code >= 0:
                item["artistId"] = id_of(ARTIST, artist)
            if counts.any():
                item["genre"] = index.genres[int(counts.argmax())]
                item["genres"] = [{"name": index.genres[n]} for n in np.flatnonzero(counts)]
            found.append(item)
        return found

    def artists(self, codes: Iterable[int]) -> list[Item]:
        """Return artists: the API's `ArtistID3`."""
        counts = np.bincount(
            self.index.album_artists[self.index.album_artists >= 0],
            minlength=len(self.index.artists.names),
        )
        names = self.index.artists.names
        return [
            {"id": id_of(ARTIST, names[code]), "name": names[code], "albumCount": int(counts[code])}
            for code in codes
        ]

    def artist_code(self, given: str) -> int | None:
        """Return the code of an artist's id."""
        name = name_of(ARTIST, given)
        code = -1 if name is None else self.index.artists.of(name)
        return code if code >= 0 else None

    def genres(self) -> list[Item]:
        """Return the first genres of songs: the API's `Genre`."""
        index, rows = self.index, select(self.index, Wanted())
        found = []
        for code, genre in enumerate(index.genres):
            own = rows[index.genre[rows] == code]
            if len(own):
                albums = np.unique(index.albums.codes[own])
                count = int((albums >= 0).sum())
                found.append({"value": genre, "songCount": len(own), "albumCount": count})
        return found

    def _created(self, row: int) -> str:
        path = os.path.join(self.root, *self.index.paths[row].as_py().split("/"))
        try:
            changed = os.stat(file_of(path)).st_mtime
        except OSError:
            changed = 0.0
        return datetime.fromtimestamp(changed, timezone.utc).isoformat(timespec="seconds")
