"""The folder of what can be made again: ``$GENRENET_CACHE``, or the user's cache folder.

What is kept for a song is an archive of arrays: `write_arrays` puts it there in one step,
`read_arrays` notices when it is not what was written.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import threading
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from genrenet.errors import GenrenetError, printable

CHUNK = 1 << 18

DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""How reading a file of the cache fails that is not what was written."""


class CacheError(GenrenetError):
    """A cache folder that cannot be written."""


def cache_root() -> Path:
    """The cache's folder, whether it exists or not."""
    named = os.environ.get("GENRENET_CACHE")
    return Path(named) if named else user_cache_path("genrenet")


def cache_folder(*parts: str) -> Path:
    """A folder below the cache's root, made if it is missing.

    Parameters
    ----------
    *parts : str
        Names of folders below the root.

    Raises
    ------
    CacheError
        It cannot be made.
    """
    folder = cache_root().joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(
            f"cannot make the cache folder '{printable(folder)}'",
            found=str(error),
            remedy="set GENRENET_CACHE to a folder that can be written",
        ) from error
    return folder


def digest(data: bytes) -> str:
    """Short name for data: the first 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:32]


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(CHUNK):
            found.update(block)
    return found.hexdigest()


def content_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes; one that looks unchanged is read once in a process.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    status = os.stat(path)
    return _content(os.path.abspath(path), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=1 << 17)
def _content(path: str, size: int, changed: int) -> str:
    return sha256_of(path)


def read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Arrays that `write_arrays` has kept.

    Raises
    ------
    One of `DAMAGE`
        There is no such file, or it is not what was written: archives carry checksums.
    """
    with open(file, "rb") as data, np.load(data, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def write_arrays(file: Path, **arrays: NDArray[Any]) -> None:
    """Keep arrays in a file of the cache, whole or not at all; its folder is made.

    Raises
    ------
    CacheError
        It cannot be written.
    """
    # Two processes may keep the same song: each writes a file of its own, and the last one stays.
    part = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as out:
            np.savez(out, **arrays)  # type: ignore[arg-type]
        os.replace(part, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise CacheError(
            f"cannot write to the cache folder '{printable(file.parent)}'",
            found=str(error),
            remedy="free some space, or set GENRENET_CACHE to another folder; what is done is kept",
        ) from error
