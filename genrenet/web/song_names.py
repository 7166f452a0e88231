"""Names of songs: from their tags, or from their folders and files if they have none."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Letters without a Unicode decomposition.
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_APOSTROPHES = re.compile("['`\u00b4\u02bc\u2018\u2019]")
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"^(?:\d{1,2}[-.])?\d{1,3}(?:[ ._-]+|$)")
_DISC = re.compile(r"^(?:cd|disc|disk|volume|vol\.?)[ ._-]*\d+$", re.IGNORECASE)


class SongName(NamedTuple):
    """Artist, album and title, '' if unknown."""

    artist: str
    album: str
    title: str


def folded(text: str) -> str:
    """Return a text without case, accents and apostrophes.

    Examples
    --------
    >>> folded("Björk's Sigur Rós"), folded("MØ"), folded("Straße")
    ('bjorks sigur ros', 'mo', 'strasse')
    """
    if text.isascii():
        return text.lower().replace("'", "").replace("`", "")
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text))
    return _MARKS.sub("", plain).casefold().translate(_LETTERS)


def words(text: str) -> list[str]:
    """Return the words of a text, normalised.

    Examples
    --------
    >>> words("Guns N' Roses - Don't Cry (Live)")
    ['guns', 'n', 'roses', 'dont', 'cry', 'live']
    """
    return _WORD.findall(folded(text))


def name_of_path(path: str, genres: frozenset[str] = frozenset()) -> SongName:
    """Return the artist, album and title in a song's path.

    Parameters
    ----------
    path : str
        Relative to the library, such as "Artist/Album/01 Title.mp3", "Artist/Title.mp3" or
        "Artist - Title.mp3".
    genres : frozenset of str
        Normalised names of genres: a folder with such a name is not an artist.

    Examples
    --------
    >>> name_of_path("Miles Davis/Kind of Blue/CD1/01 - So What.flac")
    SongName(artist='Miles Davis', album='Kind of Blue', title='So What')
    >>> name_of_path("rock/AC-DC - Thunderstruck.mp3", frozenset({"rock"}))
    SongName(artist='AC-DC', album='', title='Thunderstruck')
    """
    *folders, file = path.split("/")
    stem = file.rpartition(".")[0] or file
    if folders and _DISC.match(folders[-1]):
        folders.pop()
    title = _NUMBER.sub("", stem.replace("_", " ")).strip() or stem
    parts = [part.strip() for part in title.split(" - ")]
    artist = parts[0] if len(parts) > 1 else ""
    title = parts[-1] or title
    kept = [folder for folder in folders if folded(folder) not in genres]
    if len(kept) >= 2:
        return SongName(artist or kept[-2], kept[-1], title)
    return SongName(artist or (kept[-1] if kept else ""), "", title)


def album_folder(path: str) -> str:
    """Return the folder of a song's album: for several discs their parent folder.

    Examples
    --------
    >>> album_folder("Miles Davis/Live/CD2/04 So What.flac")
    'Miles Davis/Live'
    """
    *folders, _ = path.split("/")
    if folders and _DISC.match(folders[-1]):
        folders.pop()
    return "/".join(folders)
