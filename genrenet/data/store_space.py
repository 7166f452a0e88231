"""Stores in the cache folder: one for each rate and type, with a limit on their total size.

Where songs would exceed the limit (`genrenet.utils.cache.limit`), those of the least recently used
collections are removed. Songs that a running process uses are never removed.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from genrenet.data.decoded_audio import DType
from genrenet.data.store_index import VERSION, Collection, StoreError, StoreIndex
from genrenet.utils.cache import cache_folder, limit
from genrenet.utils.errors import printable

logger = logging.getLogger(__name__)

SAMPLE_BYTES = 2
"""Bytes of a stored sample, of either type."""


def usual_folder(
    paths: Sequence[str], seconds: float, sample_rate: int, dtype: DType
) -> Path | None:
    """Return the folder of the default store, with space for songs that are not in it yet.

    Parameters
    ----------
    paths : sequence of str
        The songs' files.
    seconds : float
        Their total duration.
    sample_rate : int > 0
        In Hz.
    dtype : {"int16", "float16"}

    Returns
    -------
    Path or None
        A folder in the cache folder; None, with a warning, if they would exceed the limit.

    Raises
    ------
    CacheError
        The cache folder cannot be made, or the limit is not a number.
    """
    root = cache_folder("stores")
    folder = root / f"v{VERSION}-{sample_rate}-{dtype}"
    held: set[str] = set()
    with contextlib.suppress(StoreError):  # none exists yet, or `prepare` reports the error
        held.update(map(os.fsdecode, StoreIndex(folder).paths()))
    missing = sum(os.path.abspath(path) not in held for path in paths)
    wanted = round(SAMPLE_BYTES * seconds * sample_rate * missing / max(1, len(paths)))
    if not wanted:
        return folder
    held_now = held_collections(root)
    taken = sum(bytes_of(one) for _, one in held_now)
    idle = sum(bytes_of(one) for index, one in held_now if one.used < index.in_use_since())
    most = limit(root, taken)
    over = taken + wanted - most
    if over > idle or make_room(root, over, keep=paths) > 0:
        logger.warning(
            "no prepared store: %d songs would take %.1f GB, and stores may take %.1f GB in '%s'; "
            "files are decoded in every epoch (set GENRENET_CACHE_GB to allow more, or pass "
            "--data.store FOLDER)",
            missing,
            wanted / 1e9,
            most / 1e9,
            printable(root),
        )
        return None
    return folder


def bytes_of(collection: Collection) -> int:
    """Return the size of a collection's samples on disk, in bytes."""
    return SAMPLE_BYTES * collection.samples


def held_collections(root: Path) -> list[tuple[StoreIndex, Collection]]:
    """Return the collections of all stores in a folder, the least recently used first."""
    found = []
    for file in root.glob("*/index.sqlite"):
        try:
            index = StoreIndex(file.parent)
            found += [(index, collection) for collection in index.collections()]
        except StoreError:
            continue  # of another version, or damaged: 'genrenet cache' lists and removes those
    return sorted(found, key=lambda pair: pair[1].used)


def make_room(root: Path, wanted: int, keep: Iterable[str] = ()) -> int:
    """Remove songs of the least recently used collections.

    Parameters
    ----------
    root : Path
        Folder of the stores.
    wanted : int
        Number of bytes to free.
    keep : iterable of str
        Songs that are not removed.

    Returns
    -------
    int
        Number of bytes that could not be freed; 0 or less if all could.
    """
    stay = set(map(os.path.abspath, keep)) if wanted > 0 else set()
    for index, collection in held_collections(root):
        if wanted <= 0:
            break
        wanted -= remove_songs(index, collection, wanted, stay)
        index.sweep()
    return wanted


def remove_songs(
    index: StoreIndex, collection: Collection, wanted: int, stay: Iterable[str] = ()
) -> int:
    """Remove songs of a collection that no running process uses.

    Parameters
    ----------
    index : StoreIndex
    collection : Collection
    wanted : int
        Stop when this number of bytes has been freed.
    stay : set of str
        Songs that are not removed.

    Returns
    -------
    int
        Number of bytes freed.
    """
    had, names = 0, []
    with index.lock():  # no process begins to use it in the meantime
        found = index.rows("SELECT used FROM collections WHERE number=?", (collection.number,))
        if not found or found[0][0] >= index.in_use_since():
            return 0
        query = "SELECT path, length FROM songs WHERE collection=?"
        for path, length in index.rows(query, (collection.number,)):
            if had >= wanted:
                break
            if os.fsdecode(path) not in stay:
                names.append(os.fsdecode(path))
                had += SAMPLE_BYTES * length
        index.drop(names)
    return had
