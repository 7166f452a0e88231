"""Uploaded songs: each in a file of its own, which is removed with its answer."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import IO, Any

import flask

from genrenet.audio import SUFFIXES

LONGEST_NAME = 200


class UploadRequest(flask.Request):
    """A request whose uploads are written to disk as they are read.

    Attributes
    ----------
    kept : dict of str to file
        Files that are closed and removed at the end of the request, unless they have been taken
        over.
    """

    max_form_memory_size = 1 << 20
    max_form_parts = 16

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.kept: dict[str, IO[bytes]] = {}

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        suffix = os.path.splitext(filename or "")[1].lower()
        # Its name is only a hint for a decoder; the content determines the format.
        handle, path = tempfile.mkstemp(
            suffix if suffix in SUFFIXES else "", "upload-", flask.current_app.config["UPLOADS"]
        )
        self.kept[path] = os.fdopen(handle, "w+b")
        return self.kept[path]

    def clean(self) -> None:
        """Close and remove the files that have not been taken over."""
        while self.kept:
            path, stream = self.kept.popitem()
            try:
                with suppress(OSError):  # a full disk
                    stream.close()
            finally:
                discard(path)


def display_name(name: str | None) -> str:
    """Return an upload's name in answers: without folders and control characters."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    text = os.fsencode(last).decode("utf-8", "backslashreplace")
    shown = "".join(c if c.isprintable() else " " for c in text).strip()
    return shown[:LONGEST_NAME] or "upload"


def discard(path: str) -> None:
    """Remove an upload."""
    with suppress(FileNotFoundError):
        os.unlink(path)
