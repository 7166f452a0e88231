"""A disk cache of results for songs: a song is identified by the content of its file.

Layout: ``<kind>/<settings>/<two digits>/<song>.npz`` below the cache's root. The second name
represents all inputs besides the song; the last one is the `content_sample` of the song's file, so
that a file that was moved, copied or renamed is found again, and one that was changed is not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.utils.cache import cache_folder, make_room, read_arrays, write_about, write_arrays
from genrenet.utils.errors import printable
from genrenet.utils.file_stamp import FileState, content_sample


@dataclass(frozen=True)
class Kept:
    """The cached results of a song.

    Attributes
    ----------
    arrays : dict of str to ndarray
    error : str or None
        The error in reading the file, if any.
    notes : list of str
        Remarks for the reader.
    """

    arrays: dict[str, NDArray[Any]]
    error: str | None
    notes: list[str]


@dataclass(frozen=True)
class Entry:
    """A song in its state when the cache was queried; see `SongCache.entry`."""

    path: str
    file: Path | None
    state: FileState

    def read(self) -> Kept | None:
        """Return the cached results of the song; None if there are none.

        Raises
        ------
        One of `genrenet.utils.cache.DAMAGE`
            The file in the cache is not as it was written.
        """
        if self.file is None or not self.file.exists():
            return None
        arrays = read_arrays(self.file)
        about = json.loads(arrays.pop("about").item())
        was, now = about["path"], printable(self.path)  # of a copy, for example
        error, *notes = (
            text and text.replace(was, now) for text in (about["error"], *about["notes"])
        )
        return Kept(arrays, error, notes)

    def write(
        self, error: str | None = None, notes: list[str] | None = None, **arrays: NDArray[Any]
    ) -> None:
        """Cache results of the song, unless its file cannot be read or has changed in the meantime.

        Raises
        ------
        CacheError
            It cannot be written.
        """
        if self.file is not None and FileState.find(self.path)[:2] == self.state[:2]:
            about = {"path": printable(self.path), "error": error, "notes": notes or []}
            write_arrays(self.file, **arrays, about=np.array(json.dumps(about)))


class SongCache:
    """A folder of the cache for one kind of results and one choice of settings.

    Parameters
    ----------
    kind : str
        Folder below the cache's root, such as ``embeddings``.
    settings : str
        A name for all inputs besides the song.
    about : str
        Description for people who look into the folder.

    Raises
    ------
    CacheError
        The folder cannot be written.
    """

    def __init__(self, kind: str, settings: str, about: str) -> None:
        make_room(kind)
        self.folder = cache_folder(kind, settings)
        write_about(self.folder, about)

    def entry(self, path: str) -> Entry:
        """Read a song's file state, before it is read for anything else."""
        state = FileState.find(path)
        try:
            name = content_sample(path)
        except OSError:
            return Entry(path, None, state)
        return Entry(path, self.folder / name[:2] / f"{name}.npz", state)
