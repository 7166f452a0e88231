"""The cache folder: ``$GENRENET_CACHE``, or the user's cache folder.

Results for songs are stored as archives of arrays: `write_arrays` writes them atomically,
`read_arrays` detects damaged ones.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from genrenet.utils.atomic import replacing
from genrenet.utils.errors import GenrenetError, printable

CHUNK = 1 << 18
ABOUT = "about.txt"
DAY = 86_400.0  # seconds

DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""Exceptions when reading a damaged file of the cache."""


class CacheError(GenrenetError):
    """A cache folder that cannot be written."""


def cache_root() -> Path:
    """Return the cache's folder, whether it exists or not."""
    named = os.environ.get("GENRENET_CACHE")
    return Path(named) if named else user_cache_path("genrenet")


def offline() -> bool:
    """Return whether downloads are forbidden: ``$GENRENET_OFFLINE``, which ``--offline`` sets."""
    return os.environ.get("GENRENET_OFFLINE", "0") not in ("", "0")


def cache_folder(*parts: str) -> Path:
    """Return a folder below the cache's root, created if missing.

    Parameters
    ----------
    *parts : str
        Names of folders below the root.

    Raises
    ------
    CacheError
        It cannot be created.
    """
    folder = cache_root().joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(
            f"cannot make the cache folder '{printable(folder)}'",
            found=str(error),
            remedy="set GENRENET_CACHE to a writable folder",
        ) from error
    return folder


def limit(folder: Path, held: int) -> int:
    """Return the maximum size of one kind of files in the cache, in bytes.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    held : int >= 0
        Their present size in bytes.

    Returns
    -------
    int
        ``$GENRENET_CACHE_GB``, or a quarter of the sum of their size and the free space.

    Raises
    ------
    CacheError
        The variable is not a number of gigabytes.
    """
    named = os.environ.get("GENRENET_CACHE_GB")
    if not named:
        return (held + shutil.disk_usage(folder).free) // 4
    try:
        return round(1e9 * float(named))
    except (ValueError, OverflowError):
        raise CacheError(
            "GENRENET_CACHE_GB",
            found=repr(named),
            wanted="a number of gigabytes",
            remedy="correct it, or unset it for a quarter of the free disk",
        ) from None


def make_room(kind: str) -> int:
    """Remove the least recently used files of a kind if they exceed the `limit`.

    This is checked once a day, as there may be very many files.

    Parameters
    ----------
    kind : str
        Folder below the cache's root whose files are independent, such as ``embeddings``.

    Returns
    -------
    int
        Number of bytes removed.

    Raises
    ------
    CacheError
        The folder cannot be created or written.
    """
    folder = cache_folder(kind)
    looked = folder / ".looked"
    if time.time() - changed(looked) < DAY:
        return 0
    try:
        looked.touch()
    except OSError as error:
        raise unwritable(folder, error) from error
    files = sorted(
        (changed(file), file.stat().st_size, file)
        for file in folder.rglob("*")
        if file.is_file() and file.name not in (looked.name, ABOUT)
    )
    held = sum(size for _, size, _ in files)
    over, removed = held - limit(folder, held), 0
    for _, size, file in files:
        if removed >= over:
            break
        file.unlink(missing_ok=True)
        removed += size
    return removed


def changed(file: Path) -> float:
    """Return when a file was written or used, in seconds since 1970; 0 if there is none."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def unwritable(folder: Path, error: OSError) -> CacheError:
    """Return the error for a folder of the cache that cannot be written."""
    return CacheError(
        f"cannot write to the cache folder '{printable(folder)}'",
        found=str(error),
        remedy="free some space, or set GENRENET_CACHE to another folder; finished work is kept",
    )


def digest(data: bytes) -> str:
    """Return a short name for data: the first 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:32]


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(CHUNK):
            found.update(block)
    return found.hexdigest()


def write_about(folder: Path, text: str) -> None:
    """Write the description of a folder of the cache, for people who look into it."""
    file = folder / ABOUT
    try:
        if not file.exists():
            file.write_text(text, "utf-8")
    except OSError as error:
        raise unwritable(folder, error) from error


def read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Return arrays stored by `write_arrays`, and update the file's time of use.

    Raises
    ------
    One of `DAMAGE`
        There is no such file, or it is damaged: archives have checksums.
    """
    with open(file, "rb") as data, np.load(data, allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    if time.time() - changed(file) > DAY:
        with contextlib.suppress(OSError):  # the files of other users may be read too
            os.utime(file)
    return arrays


def write_arrays(file: Path, **arrays: NDArray[Any]) -> None:
    """Store arrays in a file of the cache, atomically; its folder is created.

    Raises
    ------
    CacheError
        It cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file, sync=False) as part, open(part, "wb") as out:
            np.savez(out, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise unwritable(file.parent, error) from error
