"""Songs that must not be in a playlist: excluded by the user, or there already."""

from __future__ import annotations

import filecmp
import fnmatch
import os
import re
import unicodedata
from collections.abc import Iterable

from genrenet.cache import digest
from genrenet.playlists.base import PlaylistError, PlaylistSong
from genrenet.playlists.reading import ListedSong

ARTIST = "artist:"
_SAMPLE = 1 << 16


def same_text(*texts: str) -> str:
    """Texts as they are compared: without case, spaces and ways of composing letters.

    Examples
    --------
    >>> same_text("Bad  Religion") == same_text("bad religion")
    True
    """
    joined = unicodedata.normalize("NFKC", "\n".join(texts)).casefold()
    return "\n".join("".join(line.split()) for line in joined.split("\n"))


class Exclusions:
    """Songs the user does not want.

    Parameters
    ----------
    patterns : iterable of str
        Globs, without regard to case. ``artist:NAME`` is compared with artists (each of several);
        any other with a path, the end of a path, or a folder in it. ``*`` stands for any text,
        ``/`` included.
    listed : iterable of ListedSong
        Songs of other playlists: the same files, and the same artist with the same title.

    Raises
    ------
    PlaylistError
        A pattern is empty.
    """

    def __init__(self, patterns: Iterable[str] = (), listed: Iterable[ListedSong] = ()) -> None:
        paths, artists = [], []
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
                ends = ["", "*/"] if not text.startswith(("*", "/")) else [""]
                globs = [f"{start}{text}{end}" for start in ends for end in ("", "/*")]
                paths += [fnmatch.translate(glob.casefold()) for glob in globs]
        self._paths = re.compile("|".join(paths)) if paths else None
        self._artists = re.compile("|".join(artists)) if artists else None
        songs = list(listed)
        self._files = {os.path.realpath(song.path) for song in songs if song.path}
        self._names = {same_text(song.artist, song.title) for song in songs if song.title}

    def by_path(self, path: str) -> bool:
        """Whether a file is excluded, without looking into it."""
        if self._paths and self._paths.match(path.replace(os.sep, "/").casefold()):
            return True
        return bool(self._files) and os.path.realpath(path) in self._files

    def by_tags(self, song: PlaylistSong) -> bool:
        """Whether a song is excluded for what its tags say."""
        if song.artist and song.title and same_text(song.artist, song.title) in self._names:
            return True
        if self._artists is None:
            return False
        names = {song.artist, *song.artist.split(", ")} - {""}
        return any(self._artists.match(same_text(name)) for name in names)


class Seen:
    """Songs that are in a playlist already.

    Two songs are the same if they have the same artist and title (see `same_text`), or if their
    files hold the same bytes. Of the latter, only files of one size that agree in the 64 KiB at
    their middle are read.
    """

    def __init__(self) -> None:
        self._rows: set[int] = set()
        self._names: set[str] = set()
        self._files: dict[tuple[int, str], list[str]] = {}
        self._sizes: dict[int, list[str]] = {}

    def __contains__(self, song: PlaylistSong) -> bool:
        """Whether this very row of the library was looked at."""
        return song.row in self._rows

    def again(self, song: PlaylistSong) -> bool:
        """Whether a song is there; it is from now on."""
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
            # The first of a size is looked into when the second comes.
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
            # It cannot be read just now: that is for the player to say.
            return False
        return False


def _sample(path: str, size: int) -> str:
    with open(path, "rb") as held:
        held.seek(max(0, size - _SAMPLE) // 2)
        return digest(held.read(_SAMPLE))
