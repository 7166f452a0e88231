"""Writes genres into Sun's .au files: as the text between the header and the samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mutagen import FileType

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.library.tag_formats import TagFormat

HEADER = 24
"""Bytes of the header; those from 4 to 8 say where the samples begin."""


class Au(FileType):
    """An .au file whose annotation is its genre.

    Attributes
    ----------
    tags : dict of str to list of str
        The genre under "GENRE", where there is one.
    """

    tags: Any

    @staticmethod
    def score(filename: str, fileobj: Any, header: bytes) -> int:
        """Return how likely a file is of this kind, above zero if at all."""
        return int(header.startswith(b".snd"))

    def load(self, file: Any, filename: Any = None) -> None:
        """Read a file's tags."""
        self.path = Path(filename or file)
        self.data = self.path.read_bytes()
        self.start = int.from_bytes(self.data[4:8], "big")
        text = self.data[HEADER : self.start].rstrip(b"\0").decode()
        self.tags = {"GENRE": [text]} if text else {}

    def save(self) -> None:
        """Write the tags; genrenet calls it for a copy, and then compares the audio."""
        note = "".join(self.tags.get("GENRE", [])).encode() + bytes(8)
        head = self.data[:4] + (HEADER + len(note)).to_bytes(4, "big") + self.data[8:HEADER]
        self.path.write_bytes(head + note + self.data[self.start :])


@hookimpl
def register_tag_formats(register: Callable[[TagFormat], None]) -> None:
    """Add the format: files that `Au` recognises, with the genre under "GENRE"."""
    from genrenet.library.tag_formats import TagFormat

    register(TagFormat("au", "the annotation of an .au file", Au))
