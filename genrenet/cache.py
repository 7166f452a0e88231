"""The folder of what can be made again: ``$GENRENET_CACHE``, or the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder(*parts: str) -> Path:
    """A folder below the cache's root, made if it is missing.

    Parameters
    ----------
    *parts : str
        Names of folders below the root.
    """
    root = os.environ.get("GENRENET_CACHE")
    folder = (Path(root) if root else user_cache_path("genrenet")).joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
