"""Exclude songs from a playlist: those that the user excludes, and duplicates."""

from __future__ import annotations

import filecmp
import fnmatch
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from genrenet.playlists.base import ListedSong, PlaylistError, PlaylistSong
from genrenet.utils.cache import digest
from genrenet.utils.errors import printable

ARTIST = "artist:"
_SAMPLE = 1 << 16
_LONE = re.compile("[\udc80-\udcff]")


def same_text(*texts: str) -> str:
    """Return texts normalised for comparison: without case, spaces and differences of Unicode form.

    Examples
    --------
    >>> same_text("Bad  Religion") == same_text("bad religion")
    True
    """
    joined = unicodedata.normalize("NFKC", "\n".join(texts)).casefold()
    return "\n".join("".join(line.split()) for line in joined.split("\n"))


def same_path(path: str) -> str:
    r"""Return a path normalised for comparison: "/" as separator, composed letters, decoded bytes.

    Letters are composed on Linux and Windows, decomposed on macOS, and single bytes (code page
    1252) in older playlists.

    Examples
    --------
    >>> same_path("cafe\u0301/caf\udce9.mp3") == "caf\u00e9/caf\u00e9.mp3"
    True
    """
    raw = (
        # Parts of a path may have different encodings.
        os.fsencode(part).decode("cp1252", "replace") if _LONE.search(part) else part
        for part in unicodedata.normalize("NFC", path).replace(os.sep, "/").split("/")
    )
    return unicodedata.normalize("NFC", "/".join(raw))


def _ways(path: str) -> set[str]:
    """Return the forms in which `same_path` may compare a listed path."""
    return {
        same_path(find(way))
        for way in {path, os.path.abspath(path.replace("\\", "/"))}
        for find in (str, os.path.realpath)
    }


class Exclusions:
    """Songs that the user excludes.

    Parameters
    ----------
    patterns : iterable of str
        Globs, ignoring case. ``artist:NAME`` is matched with artists (each of several); any other
        with a path, the end of a path, or a folder in it. ``*`` matches any text, including ``/``.
    listed : iterable of ListedSong
        Songs of other playlists: the same files, and the same artist with the same title.

    Raises
    ------
    PlaylistError
        A pattern is empty.
    """

    def __init__(self, patterns: Iterable[str] = (), listed: Iterable[ListedSong] = ()) -> None:
        artists = []
        self._globs: dict[str, re.Pattern[str]] = {}
        for pattern in patterns:
            artist = pattern[: len(ARTIST)].casefold() == ARTIST
            text = pattern[len(ARTIST) :] if artist else pattern.rstrip("/")
            if not text.strip():
                raise PlaylistError(
                    "--exclude", found=f"'{pattern}'", wanted="a glob, or 'artist:NAME'"
                )
            if artist:
                artists.append(fnmatch.translate(same_text(text)))
            else:
                self._globs[pattern] = _glob(text)
        self._artists = re.compile("|".join(artists)) if artists else None
        # The lists that contain a file, or a song, by its normalised name.
        self._files, self._names = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        self._unused = {*self._globs}
        for song in listed:
            self._unused.add(song.source)
            for way in _ways(song.path) if song.path else ():
                self._files[way].add(song.source)
            if song.title:
                self._names[same_text(song.artist, song.title)].add(song.source)

    def by_path(self, path: str) -> bool:
        """Return whether a file is excluded, without opening it."""
        key = same_path(path)
        found = {name for name, glob in self._globs.items() if glob.match(key.casefold())}
        if self._files and not found:
            found |= self._files.get(key) or self._files.get(
                same_path(os.path.realpath(path)), set()
            )
        self._unused -= found
        return bool(found)

    def by_tags(self, song: PlaylistSong) -> bool:
        """Return whether a song is excluded by its tags."""
        name = same_text(song.artist, song.title) if song.artist and song.title else ""
        if name in self._names:
            self._unused -= self._names[name]
            return True
        if self._artists is None:
            return False
        names = {song.artist, *song.artist.split(", ")} - {""}
        return any(self._artists.match(same_text(name)) for name in names)

    def unused(self, paths: Iterable[str]) -> list[str]:
        """Return lists and globs that exclude nothing, and match none of a library's files."""
        globs = self._unused & {*self._globs}
        lists = self._unused - globs
        for path in paths if self._unused else ():
            key = same_path(path)
            lists -= self._files.get(key, set())
            globs -= {name for name in globs if self._globs[name].match(key.casefold())}
        told = [f"--exclude '{name}' fits no file of the library" for name in sorted(globs)]
        return told + [
            f"no song of the list '{printable(name)}' was found in the library: nothing was "
            "excluded by it; does it name the same folders?"
            for name in sorted(lists)
            if name
        ]


def _glob(text: str) -> re.Pattern[str]:
    """Return the normalised regular expression of a glob for paths from `same_path`."""
    ways = dict.fromkeys(same_path(way).casefold() for way in (text, text.replace("\\", "/")))
    parts = []
    for way in ways:
        way = way.rstrip("/")
        for start in ["", "*/"] if not way.startswith(("*", "/")) else [""]:
            parts += [fnmatch.translate(f"{start}{way}{end}") for end in ("", "/*")]
    return re.compile("|".join(parts))


class Seen:
    """Songs that are in a playlist already.

    Two songs are the same if they have the same artist and title (see `same_text`), or if their
    files have the same bytes. For the latter, only files of the same size with the same 64 KiB at
    their middle are read.
    """

    def __init__(self) -> None:
        self._rows: set[int] = set()
        self._names: set[str] = set()
        self._files: dict[tuple[int, str], list[str]] = {}
        self._sizes: dict[int, list[str]] = {}

    def __contains__(self, song: PlaylistSong) -> bool:
        """Return whether this row of the library was checked."""
        return song.row in self._rows

    def again(self, song: PlaylistSong) -> bool:
        """Return whether a song is included already, and include it."""
        if song in self:
            return True
        self._rows.add(song.row)
        name = same_text(song.artist, song.title) if song.artist and song.title else ""
        if name in self._names or self._same_file(song.path):
            return True
        if name:
            self._names.add(name)
        return False

    def _same_file(self, path: str) -> bool:
        try:
            size = os.path.getsize(path)
            others = self._sizes.setdefault(size, [])
            # The first file of a size is opened when there is a second one.
            if len(others) == 1:
                self._files.setdefault((size, _sample(others[0], size)), []).append(others[0])
            others.append(path)
            if len(others) == 1:
                return False
            alike = self._files.setdefault((size, _sample(path, size)), [])
            if any(filecmp.cmp(path, other, shallow=False) for other in alike):
                return True
            alike.append(path)
        except OSError:
            # It cannot be read at the moment: left to the player.
            return False
        return False


def _sample(path: str, size: int) -> str:
    with open(path, "rb") as held:
        held.seek(max(0, size - _SAMPLE) // 2)
        return digest(held.read(_SAMPLE))
