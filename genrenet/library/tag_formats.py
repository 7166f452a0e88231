"""Tag formats: the genre field of each kind of audio file, and how mutagen reads the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from genrenet.plugins.manager import contributions


@dataclass(frozen=True)
class TagFormat:
    """The genre tag of a kind of audio file; plugins may add some.

    Parameters
    ----------
    name : str
        The kind of file, such as "flac".
    summary : str
        The location of its genre, in one line.
    file : type
        mutagen's class for such files, or another subclass of `mutagen.FileType`: its ``score``
        recognises them, ``tags`` is a mapping (None where there are none) and ``save()`` writes it.
    key : str
        Key of the genre in ``tags``; its value is a list of str. "TCON" is ID3's.
    container : {"ends", "flac", "ogg", "mp4", ""}
        Where the tags are; see `genrenet.library.same_audio.check_same_audio`.
    others : callable, optional
        Function of a path that returns genres in tags that are not written to.
    grouping, style : str
        Keys of the two fields to which subgenres may be written, '' if there is none.
    """

    name: str
    summary: str
    file: type[Any]
    key: str = "GENRE"
    container: str = ""
    others: Callable[[str], Iterable[str]] | None = None
    grouping: str = ""
    style: str = ""


APE = ("Genre", "Grouping", "Style")
"""The keys of genre, grouping and style in APEv2."""


def tag_formats() -> dict[type[Any], TagFormat]:
    """Return all tag formats by class of file: the package's own and those of plugins."""
    added = contributions("register_tag_formats").values()
    return {entry.item.file: entry.item for entry in added}
