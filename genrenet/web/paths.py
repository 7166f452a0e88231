r"""Paths in requests: inside the served folder, or rejected.

A song is named by its path relative to the folder, with "/" between the parts, on every system;
bytes that are not UTF-8 are written as ``\xNN`` (see `genrenet.library.table.file_of`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from genrenet.audio import is_audio_path
from genrenet.library.table import file_of
from genrenet.utils.errors import printable
from genrenet.utils.paths import RealPaths, within
from genrenet.web.errors import NoSuchSong, RequestError


def real_paths(paths: Iterable[str]) -> list[str]:
    """Resolves links in paths, like `os.path.realpath`; each folder is queried once."""
    real = RealPaths()
    return [real.of(path) for path in paths]


def shown(root: str, path: str) -> bool:
    """Return whether a path is in the folder, and neither it nor its link target is hidden."""
    real = os.path.realpath(path)
    for way in (path, real):
        parts = os.path.relpath(way, root).split(os.sep)
        if any(part.startswith(".") and part != "." for part in parts):
            return False
    return within(real, root)


def relative_name(root: str, path: str) -> str:
    """Return the name of a folder's file in the API."""
    return printable(os.path.relpath(path, root)).replace(os.sep, "/")


def song_file(root: str, name: str) -> str:
    """Return the file in a request.

    Parameters
    ----------
    root : str
        The served folder, absolute and free of links.
    name : str
        Path relative to it.

    Returns
    -------
    str
        A regular file with an audio file's suffix, in the folder even when links are followed.

    Raises
    ------
    RequestError
        The name is not a relative path.
    NoSuchSong
        There is no such song, or the path leads out of the folder: the answer is the same, so that
        nothing is revealed about other files.
    """
    path = place(root, name)
    if not shown(root, path) or not _is_regular(path) or not is_audio_path(path):
        raise NoSuchSong(
            f"no song '{printable(name)}' in the served folder",
            remedy="choose one that the completion offers",
        )
    return path


def place(root: str, name: str) -> str:
    """Return the position of a relative path below the folder, before links are followed.

    Raises
    ------
    RequestError
        It is absolute, contains ``..``, or an invalid character.
    """
    parts = name.split("/")
    # Separators, or drive letters, of this system that must not occur here.
    alien = [c for c in (os.sep, os.altsep, ":" if os.name == "nt" else None) if c and c != "/"]
    if (
        "\0" in name
        or any("\ud800" <= character <= "\udfff" for character in name)
        or name.startswith("/")
        or ".." in parts
        or any(c in name for c in alien)
    ):
        raise RequestError(
            "the path cannot be used",
            found=repr(name[:200]),
            wanted="a path relative to the served folder, without '..'",
        )
    try:
        path = file_of(os.path.join(root, *parts))
    except (ValueError, OSError) as error:
        raise RequestError("the path cannot be used", found=repr(name[:200])) from error
    if "\0" in path:  # written as an escape
        raise RequestError("the path cannot be used", found=repr(name[:200]))
    return path


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False
