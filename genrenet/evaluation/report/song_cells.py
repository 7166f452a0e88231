"""Table cells for songs on a page: paths below a common folder, with a player if the file exists.

A page contains no music. It refers to files by paths relative to its own folder if both are below a
common one, so that they may be moved together, and by ``file:`` addresses otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from genrenet.evaluation.report.html import plain


class SongCells:
    """Cells with songs in a page's tables.

    Parameters
    ----------
    folder : path
        Folder of the page.
    paths : iterable of str
        Paths of the songs on the page.

    Attributes
    ----------
    root : str
        The common folder of all of them; empty if there is none, as for the names in a table of
        features.
    """

    def __init__(self, folder: str | os.PathLike[str], paths: Iterable[str]) -> None:
        self.folder = Path(os.path.abspath(folder))
        self.root = _shared([os.path.dirname(path) for path in paths])

    def name(self, path: str) -> str:
        """Return the path of a song below `root`."""
        return os.path.relpath(path, self.root) if _below(path, self.root) else path

    def player(self, path: str) -> Markup | str:
        """Return the name of a song as a link to its file, with a player; only the name if there is
        no such file.
        """
        url = self.address(path)
        if url is None:
            return self.name(path)
        return Markup('<a href="{}">{}</a><audio controls preload="none" src="{}"></audio>').format(
            url, plain(self.name(path)), url
        )

    def address(self, path: str) -> str | None:
        """Return the address of a file relative to the page; None if there is no such file."""
        file = os.path.abspath(path)
        if "\0" in path or not os.path.isfile(file):
            return None
        if _shared([str(self.folder), os.path.dirname(file)]):
            relative = Path(os.path.relpath(file, self.folder)).as_posix()
            return quote(os.fsencode(relative))
        return Path(file).as_uri()


def _shared(folders: Iterable[str]) -> str:
    """Return the common parent of all folders, unless that is a root folder."""
    try:
        found = os.path.commonpath(list(folders))
    except ValueError:  # none at all, several drives, or absolute and relative ones
        return ""
    return "" if found == Path(found).anchor else found


def _below(path: str, root: str) -> bool:
    return bool(root) and _shared([root, path]) == root
