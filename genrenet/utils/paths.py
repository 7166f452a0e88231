"""Paths of songs."""

from __future__ import annotations

import os
from collections.abc import Iterable


def common_folder(paths: Iterable[str]) -> str:
    """Return the common parent folder of all paths, '' if there is none.

    Examples
    --------
    >>> common_folder(["/music/b/1.mp3", "/music/a/2.mp3", "/music/a/c/3.mp3"])
    '/music'
    """
    first = last = None
    for path in paths:
        first = path if first is None or path < first else first
        last = path if last is None or path > last else last
    if first is None or last is None:
        return ""
    try:
        return os.path.commonpath([os.path.dirname(first), os.path.dirname(last)])
    except ValueError:  # several drives
        return ""


def within(path: str, folder: str) -> bool:
    """Return whether a path is a folder, or below it; both with the same case, and free of links.

    Examples
    --------
    >>> within("/music/a/1.mp3", "/music/a"), within("/music/ab/1.mp3", "/music/a")
    (True, False)
    """
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


class RealPaths:
    """Resolves links in paths, like `os.path.realpath`; each folder is queried once."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def of(self, path: str) -> str:
        """Return a path with links resolved."""
        folder, name = os.path.split(path)
        if name in ("", ".", "..") or os.path.islink(path):
            return os.path.realpath(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)
