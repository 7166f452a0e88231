"""The built-in formats of playlist files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl
from genrenet.utils.lazy import Lazy

if TYPE_CHECKING:
    from genrenet.playlists import PlaylistFormat

FORMATS, READING = "genrenet.playlists.formats", "genrenet.playlists.reading"


@hookimpl
def register_playlist_formats(register: Callable[[PlaylistFormat], None]) -> None:
    """Add the built-in formats."""
    from genrenet.playlists.base import PlaylistFormat

    as_json, m3u8, xspf = (Lazy(FORMATS, name) for name in ("as_json", "m3u8", "xspf"))
    read_json, read_m3u, read_xspf = (
        Lazy(READING, name) for name in ("read_json", "read_m3u", "read_xspf")
    )

    register(PlaylistFormat(".m3u8", "M3U in UTF-8", m3u8, read_m3u))
    register(PlaylistFormat(".m3u", "M3U", m3u8, read_m3u))
    register(PlaylistFormat(".xspf", "XSPF, version 1", xspf, read_xspf))
    register(PlaylistFormat(".json", "JSON with all that is known", as_json, read_json))
