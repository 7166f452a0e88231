"""Stores in the cache folder: one for each rate and type, with a limit to what they take together.

Where songs would go over the limit (`genrenet.utils.cache.limit`), those of the collections that
were used longest ago are removed. What a running process uses is never removed.
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
    """Return where songs are kept unless a folder is named, with space for those that are not there
    yet.

    Parameters
    ----------
    paths : sequence of str
        The songs' files.
    seconds : float
        How long they take together.
    sample_rate : int > 0
        In Hz.
    dtype : {"int16", "float16"}

    Returns
    -------
    Path or None
        A folder in the cache folder; None, and a warning, where they would go over the limit.

    Raises
    ------
    CacheError
        The cache folder cannot be made, or the limit is no number.
    """
    root = cache_folder("stores")
    folder = root / f"v{VERSION}-{sample_rate}-{dtype}"
    held: set[str] = set()
    with contextlib.suppress(StoreError):  # none is there yet, or `prepare` says what is wrong
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
    """Return what a collection's samples take on disk."""
    return SAMPLE_BYTES * collection.samples


def held_collections(root: Path) -> list[tuple[StoreIndex, Collection]]:
    """Return the collections of all stores in a folder, the one used longest ago first."""
    found = []
    for file in root.glob("*/index.sqlite"):
        try:
            index = StoreIndex(file.parent)
            found += [(index, collection) for collection in index.collections()]
        except StoreError:
            continue  # of another version, or damaged: 'genrenet cache' lists and removes those
    return sorted(found, key=lambda pair: pair[1].used)


def make_room(root: Path, wanted: int, keep: Iterable[str] = ()) -> int:
    """Remove songs of the collections that were used longest ago.

    Parameters
    ----------
    root : Path
        Folder of the stores.
    wanted : int
        How many bytes.
    keep : iterable of str
        Songs that stay.

    Returns
    -------
    int
        How many of the bytes could not be freed; 0 or less where all could.
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
        Stop where so many bytes have been had.
    stay : set of str
        Songs that are left alone.

    Returns
    -------
    int
        Bytes that have been had.
    """
    had, names = 0, []
    with index.lock():  # nobody begins to use it meanwhile
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
