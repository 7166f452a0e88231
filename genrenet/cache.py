"""The folder of what can be made again: ``$GENRENET_CACHE``, or the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from genrenet.errors import GenrenetError, printable


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
