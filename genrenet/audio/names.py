"""Recognise audio files by name, single files and in folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from genrenet.audio.errors import Path

SUFFIXES: frozenset[str] = frozenset((
    ".3g2", ".3gp", ".aac", ".ac3", ".adts", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".asf",
    ".au", ".avi", ".caf", ".dff", ".dsf", ".dts", ".eac3", ".ec3", ".flac", ".flv", ".m2ts",
    ".m4a", ".m4b", ".m4r", ".m4v", ".mka", ".mkv", ".mlp", ".mov", ".mp1", ".mp2", ".mp3", ".mp4",
    ".mpa", ".mpc", ".mpeg", ".mpg", ".mpga", ".mts", ".oga", ".ogg", ".ogm", ".ogv", ".ogx",
    ".oma", ".opus", ".rf64", ".shn", ".snd", ".spx", ".tak", ".thd", ".ts", ".tta", ".vob", ".voc",
    ".w64", ".wav", ".wave", ".webm", ".wma", ".wmv", ".wv"))  # fmt: skip
"""Lower-case suffixes, with their dot, of the files that this package reads.

Video files are included: their audio track is read.
"""

_PACKET = 188  # bytes of a packet of an MPEG transport stream, which begins with 0x47


def is_audio_path(path: Path) -> bool:
    """Return whether a path has an audio file's name: one of `SUFFIXES`, but no ``._`` file of
    macOS.

    A ``.ts`` file that exists is opened: it may be a program in TypeScript.

    Examples
    --------
    >>> is_audio_path("music/Song.MP3"), is_audio_path("cover.jpg")
    (True, False)
    """
    name = os.path.basename(os.fspath(path))
    suffix = os.path.splitext(name)[1].lower()
    if suffix not in SUFFIXES or name.startswith("._"):
        return False
    return suffix != ".ts" or _is_transport_stream(path)


def _is_transport_stream(path: Path) -> bool:
    """Return whether a file begins with packets of a transport stream; true for a missing one."""
    try:
        if not os.path.isfile(path):
            return not os.path.isdir(path)
        with open(path, "rb") as file:
            head = file.read(2 * _PACKET + 1)
    except (OSError, ValueError):
        return True  # its error is reported in the results
    return len(head) > 0 and set(head[::_PACKET]) == {0x47}


def find_songs(
    paths: Iterable[str | os.PathLike[str]], *, unreadable: list[str] | None = None
) -> Iterator[str]:
    """Yield audio files named by paths, and those below folders, in a stable order.

    Files given by name are yielded whatever their suffix, and whether they exist or not: their
    error is reported in the results. From folders, only files with an audio suffix are yielded.
    Links to folders are followed, but no folder is entered twice, so loops end.

    Parameters
    ----------
    paths : iterable of path
    unreadable : list of str, optional
        Receives the folders that cannot be read.

    Yields
    ------
    str
    """

    def missed(error: OSError) -> None:
        if unreadable is not None:
            unreadable.append(str(error.filename))

    for given in paths:
        path = os.fspath(given)
        if not os.path.isdir(path):
            yield path
            continue
        entered: set[str] = set()
        for folder, folders, files in os.walk(path, onerror=missed, followlinks=True):
            place = os.path.realpath(folder)
            if place in entered:
                folders.clear()
                continue
            entered.add(place)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                path = os.path.join(folder, name)
                if not name.startswith(".") and is_audio_path(path):
                    yield path
