"""Convert between song paths and the paths and URIs in playlists, relative or absolute.

Paths are written so that any file name is preserved, also one that is not UTF-8, and relative ones
stay valid when a folder is moved with its playlist.
"""

from __future__ import annotations

import os
import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
# Characters that a line of an M3U file cannot contain, or that players read differently.
_IMPOSSIBLE = re.compile("[\x00-\x1f\x7f\udc80-\udcff]|\\s\\Z")
_UNFIT = re.compile(f"{_IMPOSSIBLE.pattern}|[#?]|%[0-9A-Fa-f]{{2}}")


def place_of(path: str, folder: str | None) -> str:
    """Return a song's path as written in a playlist in ``folder``, with "/" on every system.

    Parameters
    ----------
    path : str
        Absolute.
    folder : str, optional
        Folder of the playlist; None for absolute paths.

    Returns
    -------
    str
        Absolute if necessary: on another drive.
    """
    if folder is not None:
        base, real = os.path.abspath(folder), os.path.realpath(folder)
        if base != real:
            # '..' leads out of a linked folder to its real parent, so both must be real paths.
            path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        try:
            path = os.path.relpath(path, real)
        except ValueError:  # another drive
            path = os.path.abspath(path)
    return path.replace(os.sep, "/")


def uri_of(path: str, folder: str | None) -> str:
    """Return a song's path as a URI: percent-encoded bytes, ``file://`` where it is absolute."""
    place = place_of(path, folder)
    encoded = quote(os.fsencode(place), safe="/")
    if not os.path.isabs(place):
        return encoded
    # A drive's colon is not a scheme: file:///C:/Music.
    drive = encoded[1:4] == "%3A"
    return "file:///" + encoded.replace("%3A", ":", 1) if drive else "file://" + encoded


def line_of(path: str, folder: str | None, *, plain: bool = False) -> str:
    """Return a song's path as a line of an M3U file.

    Some players read a relative line as a path, others (VLC) as a URI reference: ``#``, ``?`` and
    ``%41`` have another meaning there. A name that contains one of them, or that no line of UTF-8
    can represent (a line break, bytes of another encoding, a trailing space), is written as an
    absolute ``file://`` URI, which both understand. One that begins with a space or like a scheme
    is preceded by ``./``.

    With ``plain`` only names that no line can represent are URIs: servers that read lines as paths
    (Navidrome, Jellyfin, Lyrion) may access the library by another path.
    """
    place = place_of(path, folder)
    if (_IMPOSSIBLE if plain else _UNFIT).search(place):
        return uri_of(path, None)
    return f"./{place}" if place[0] == "#" or place[0].isspace() or _SCHEME.match(place) else place


def path_at(place: str, folder: str, *, uri: bool) -> str | None:
    """Return the file of an entry in a playlist in ``folder``.

    Parameters
    ----------
    place : str
        A path or a URI; bytes that are not UTF-8 as in Python's paths.
    folder : str
    uri : bool
        Whether a relative one is percent-encoded.

    Returns
    -------
    str or None
        Absolute; None for entries that are not files, such as a radio station.
    """
    if place[:5].lower() == "file:":
        parts = urlsplit(place)
        if parts.netloc not in ("", "localhost"):
            return None
        found = os.fsdecode(unquote_to_bytes(place[5:].removeprefix("//" + parts.netloc)))
        return os.path.abspath(found[1:] if re.match(r"/[A-Za-z]:", found) else found)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", place):
        return None
    if uri:
        place = os.fsdecode(unquote_to_bytes(place))
    return os.path.abspath(os.path.join(folder, place))
