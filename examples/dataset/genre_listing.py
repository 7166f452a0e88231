"""Reads collections that are listed in a text file: on each line a path, a tab and a genre."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.data.catalog import Reader, Reading


def is_listing(path: str) -> bool:
    """Return whether an existing path (absolute) is of this layout."""
    return path.endswith(".genres")


def read_listing(path: str) -> Reading:
    """Read a listing.

    Parameters
    ----------
    path : str
        A file of UTF-8. Paths in it are relative to its folder.

    Returns
    -------
    Reading
        Its songs, in the order of the file. Lines that are not understood are left out and
        reported as problems, so that one of them does not end a training.
    """
    from genrenet.data.catalog import Reading, Song

    folder = os.path.dirname(path)
    found = Reading("listing", folder)
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            name, tab, genre = line.rstrip("\n").partition("\t")
            if name and tab and genre:
                found.songs.append(Song(os.path.join(folder, name), genre))
            elif line.strip():
                found.report(path, "bad-line", f"line {number}: wanted a path, a tab and a genre")
    return found


@hookimpl
def register_catalogs(register: Callable[[Reader], None]) -> None:
    """Add the layout. Those of other packages are tried before the built-in ones."""
    from genrenet.data.catalog import Reader

    register(Reader("listing", "a text file: path, tab, genre", is_listing, read_listing))
