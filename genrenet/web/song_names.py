"""What songs are called: by their tags, or by their folders and files where they have none."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Letters that no decomposition takes apart.
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_APOSTROPHES = re.compile("['`\u00b4\u02bc\u2018\u2019]")
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"^(?:\d{1,2}[-.])?\d{1,3}(?:[ ._-]+|$)")
_DISC = re.compile(r"^(?:cd|disc|disk|volume|vol\.?)[ ._-]*\d+$", re.IGNORECASE)


class SongName(NamedTuple):
    """Artist, album and title, '' for what is not known."""

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
    """Return the words of a text, folded.

    Examples
    --------
    >>> words("Guns N' Roses - Don't Cry (Live)")
    ['guns', 'n', 'roses', 'dont', 'cry', 'live']
    """
    return _WORD.findall(folded(text))


def name_of_path(path: str, genres: frozenset[str] = frozenset()) -> SongName:
    """Return what a song's place says of it.

    Parameters
    ----------
    path : str
        Relative to the library, such as "Artist/Album/01 Title.mp3", "Artist/Title.mp3" or
        "Artist - Title.mp3".
    genres : frozenset of str
        Folded names of genres: a folder that is called so is no artist.

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
    """Return the folder of an album that a song lies in: of several discs the one above them.

    Examples
    --------
    >>> album_folder("Miles Davis/Live/CD2/04 So What.flac")
    'Miles Davis/Live'
    """
    *folders, _ = path.split("/")
    if folders and _DISC.match(folders[-1]):
        folders.pop()
    return "/".join(folders)
