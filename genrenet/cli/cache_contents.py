"""The content of the cache, for listing it and for freeing space.

Kinds are the folders below the cache's root: ``stores`` (songs decoded for training), ``features``,
``embeddings``, ``deformed`` (songs of a robustness study), ``checkpoints`` (imported models),
``downloads``, ``streamed`` (chunks of remote collections), ``trunks`` (hidden values of a running
training), and any others.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from genrenet.data.store_index import Collection, StoreError, StoreIndex
from genrenet.data.store_space import bytes_of, remove_songs
from genrenet.utils.cache import ABOUT, cache_root, changed
from genrenet.utils.errors import printable

SINGLE = ("features", "embeddings", "deformed")
"""Kinds whose files are removed individually; others are removed as a whole."""

AT_WORK = ("downloads", "streamed", "trunks")
"""Kinds that are in use while they are written."""

MOMENT = 600.0  # seconds


@dataclass(frozen=True)
class Item:
    """An entry of the cache.

    Attributes
    ----------
    kind, what : str
        The kind of entry, and its description.
    count : int
        Number of songs or files.
    size : int
        Size in bytes.
    used, oldest : float
        Time of last use, and that of the least recently used individual file, in seconds since
        1970.
    in_use : bool
        Whether a running process uses it.
    remove : callable
        Frees the space, and returns the number of bytes. Its argument is a time: only files last
        used before it are removed.
    """

    kind: str
    what: str
    count: int
    size: int
    used: float
    oldest: float
    in_use: bool
    remove: Callable[[float], int]


def contents() -> list[Item]:
    """Return all entries of the cache, by kind; the largest entries of a kind come first."""
    root = cache_root()
    found: list[Item] = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if folder.name == "stores" and folder.is_dir():
            items = [item for store in sorted(folder.iterdir()) for item in _store(store)]
        elif folder.is_dir() and folder.name not in ("corpus", *SINGLE) and any(folder.iterdir()):
            items = [_whole(folder.name, part) for part in sorted(folder.iterdir())]
        elif folder.name in SINGLE:
            items = [_single(part) for part in sorted(folder.iterdir()) if part.is_dir()]
        else:
            items = [_whole("other" if folder.is_file() else folder.name, folder)]
        found += sorted((item for item in items if item.count), key=lambda item: -item.size)
    return found


def _store(folder: Path) -> Iterator[Item]:
    try:
        index = StoreIndex(folder)
        since, collections = index.in_use_since(), index.collections()
    except StoreError:
        yield _whole("stores", folder, "of another version, or damaged")
        return
    rate, kind = index.about["sample_rate"], index.about["dtype"]
    for one in collections:
        yield Item(
            "stores",
            f"{printable(one.folder)} ({rate} Hz {kind})",
            one.songs,
            bytes_of(one),
            one.used / 1e9,
            one.used / 1e9,
            one.used >= since,
            _remover(index, one),
        )


def _remover(index: StoreIndex, collection: Collection) -> Callable[[float], int]:
    def remove(before: float) -> int:
        if collection.used / 1e9 >= before:
            return 0
        had = remove_songs(index, collection, bytes_of(collection) + 1)
        index.sweep()
        return had

    return remove


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    files = (Path(folder, name) for folder, _, names in os.walk(place) for name in names)
    return [file for file in files if not file.name.endswith((".lock", ".looked"))]


def _item(kind: str, what: str, files: list[Path], remove: Callable[[float], int]) -> Item:
    used = max(map(changed, files), default=0.0)
    in_use = kind in AT_WORK and time.time() - used < MOMENT
    oldest = min(map(changed, files), default=0.0) if kind in SINGLE else used
    return Item(kind, what, len(files), sum(map(_size, files)), used, oldest, in_use, remove)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _whole(kind: str, place: Path, what: str = "") -> Item:
    """Return the entry of a file or folder that is removed as a whole."""
    files = _files(place)

    def remove(before: float) -> int:
        if max(map(changed, files), default=0.0) >= before:
            return 0
        size = sum(map(_size, files))
        if place.is_file():
            place.unlink(missing_ok=True)
        else:
            shutil.rmtree(place)
        return size

    return _item(kind, what or printable(place.name), files, remove)


def _single(folder: Path) -> Item:
    """Return the entry of a folder whose files are removed individually."""
    about = folder / ABOUT
    what = about.read_text("utf-8") if about.is_file() else f"settings {printable(folder.name)}"
    files = [file for file in _files(folder) if file != about]

    def remove(before: float) -> int:
        size = 0
        for file in files:
            if changed(file) < before:
                size += _size(file)
                file.unlink(missing_ok=True)
        if not any(file != about for file in _files(folder)):
            shutil.rmtree(folder)
        return size

    return _item(folder.parent.name, what, files, remove)
