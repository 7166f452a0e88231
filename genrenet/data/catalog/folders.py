"""Folders of songs: one sub-folder per genre, and GTZAN.

GTZAN: G. Tzanetakis, P. Cook, "Musical genre classification of audio signals", IEEE Transactions on
Speech and Audio Processing 10 (5), 2002.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator

from genrenet import audio
from genrenet.data.catalog.base import CatalogError, Reader, Reading, Song, clean, stem
from genrenet.utils.errors import printable

GTZAN_GENRES = (
    "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock",
)  # fmt: skip
GTZAN_FOLDERS = ("genres", "genres_original")
GTZAN_BAD = {"jazz.00054": "its published file holds no readable audio"}

_GTZAN_NAME = re.compile(rf"({'|'.join(GTZAN_GENRES)})\.\d{{5}}$")


def _walk(folder: str, reading: Reading, seen: dict[tuple[int, int], str]) -> Iterator[str]:
    """Yield the paths of all visible files below `folder`, sorted, each real folder only once.

    Symlinks are followed. `seen` maps the folders visited so far to their paths: a folder that
    occurs again is a loop or a second path to the same songs, and is reported instead of entered.
    """
    try:
        status = os.stat(folder)
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        reading.report(folder, "unreadable", f"the folder cannot be read: {error.strerror}")
        return
    key = (status.st_dev, status.st_ino)
    if key in seen:
        first = seen[key]
        loop = os.path.realpath(folder) in _ancestors(folder)
        kind = "symlink-loop" if loop else "duplicate-path"
        what = "a link back to" if loop else "the same folder as"
        reading.report(folder, kind, f"{what} {printable(first)}, not entered again")
        return
    seen[key] = folder
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            yield from _walk(entry.path, reading, seen)
        else:
            yield entry.path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or a link to one; a link to itself is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _ancestors(folder: str) -> set[str]:
    """Return the real paths of the parents of `folder` as it is written."""
    found, parent = set(), os.path.dirname(folder)
    while parent not in (folder, ""):
        found.add(os.path.realpath(parent))
        folder, parent = parent, os.path.dirname(parent)
    return found


def _subfolders(root: str) -> list[str]:
    """Return the visible folders directly below `root`, sorted."""
    with os.scandir(root) as entries:
        return sorted(e.path for e in entries if _is_folder(e) and not e.name.startswith("."))


def _listed(folder: str) -> list[str]:
    """Return the names in a folder; none if it cannot be read (the reader reports that)."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _audio_below(
    folder: str, reading: Reading, seen: dict[tuple[int, int], str], ignored: Counter[str]
) -> list[str]:
    """Return the audio files below `folder`; other files are counted in `ignored` by suffix."""
    found = []
    for path in _walk(folder, reading, seen):
        if not audio.is_audio_path(path):
            ignored[_suffix(path)] += 1
        elif not os.path.exists(path):
            reading.report(path, "missing-file", "a link to a file that does not exist")
        elif not os.path.isfile(path):
            reading.report(path, "not-audio", "neither a file nor a folder")
        else:
            found.append(path)
    return found


def _suffix(path: str) -> str:
    return clean(printable(os.path.splitext(path)[1].lower())) or "without suffix"


def _report_ignored(reading: Reading, ignored: Counter[str]) -> None:
    if ignored:
        kinds = ", ".join(f"{n} {suffix}" for suffix, n in ignored.most_common(5))
        message = (
            f"{sum(ignored.values())} files that are not named like audio were ignored ({kinds})"
        )
        reading.report("", "not-audio", message)


def read_folder(root: str, *, labelled: bool = True) -> Reading:
    """Read a folder of genre folders: each sub-folder is a genre, with songs anywhere below it.

    Symlinks are followed; a link to a folder already visited is reported, not entered. Hidden files
    are skipped; files without an audio suffix are counted in one problem. Audio directly in the
    folder has no genre and is counted likewise. Artist, album, title and duration are taken from
    the tags.

    Parameters
    ----------
    root : str
        The folder (absolute).
    labelled : bool
        Leave out songs that are in no genre's folder; otherwise their genre is ''.

    Returns
    -------
    Reading
    """
    fields = frozenset({"artist", "album", "title", "duration"})
    _check_folder(root)
    reading = Reading("folder", root, from_tags=fields)
    status, ignored = os.stat(root), Counter[str]()
    seen = {(status.st_dev, status.st_ino): root}
    folders: dict[str, str] = {}
    for folder in _subfolders(root):
        genre = clean(printable(os.path.basename(folder)))
        if labelled and (first := folders.setdefault(genre, folder)) != folder:
            names = " and ".join(repr(printable(os.path.basename(f))) for f in (first, folder))
            message = f"the folders {names} differ in blanks or unprintable characters alone"
            reading.report(folder, "similar-genres", f"{message}; they are read as one genre")
        paths = _audio_below(folder, reading, seen, ignored)
        reading.songs += [Song(path, genre) for path in paths]
        if not paths and labelled:
            reading.report(folder, "too-few-songs", f"genre {genre!r} has no songs")
    paths = [os.path.join(root, name) for name in _listed(root) if name[0] != "."]
    files = list(filter(os.path.isfile, paths))
    loose = sorted(filter(audio.is_audio_path, files))
    ignored.update(_suffix(path) for path in files if not audio.is_audio_path(path))
    if not labelled:
        reading.songs += [Song(path, "") for path in loose]
    elif loose:
        message = f"{len(loose)} songs lie directly in the folder, in no genre's sub-folder"
        reading.report(root, "no-genre", message)
    _report_ignored(reading, ignored)
    return reading


def gtzan_root(folder: str) -> str | None:
    """Return the folder that holds GTZAN's genre folders: `folder`, or `genres[_original]` within
    it.

    None if it is not GTZAN: every non-empty sub-folder must be one of the ten genres and hold files
    with GTZAN's names, such as blues/blues.00000.wav, so that a collection with additional genres
    of the user's own is read as an ordinary folder.
    """
    for root in (folder, *(os.path.join(folder, name) for name in GTZAN_FOLDERS)):
        if not os.path.isdir(root):
            continue
        named = []
        for sub in _subfolders(root):
            names = [n for n in _listed(sub) if audio.is_audio_path(n) and n[0] != "."]
            if names:
                fits = (_GTZAN_NAME.fullmatch(stem(name)) for name in names)
                named.append(any(m and m[1] == os.path.basename(sub) for m in fits))
        if named and all(named):
            return root
    return None


def read_gtzan(folder: str) -> Reading:
    """Read GTZAN, whole or in part, as .au or any other audio files, in folders or not.

    The genre is taken from the file's name (blues.00000). jazz.00054, which cannot be decoded in
    the published collection, and files with other names are reported and left out. GTZAN has no
    artist names; the duration is taken from the tags.

    Parameters
    ----------
    folder : str
        The folder of the genre folders, or the one above it (absolute).

    Returns
    -------
    Reading
    """
    _check_folder(folder)
    root = gtzan_root(folder) or folder
    reading = Reading("gtzan", root, from_tags=frozenset({"duration"}))
    ignored = Counter[str]()
    for path in _audio_below(root, reading, {}, ignored):
        name = stem(path)
        match = _GTZAN_NAME.fullmatch(name)
        if match is None:
            reading.report(path, "unexpected-name", "not a GTZAN name such as blues.00000.wav")
        elif name in GTZAN_BAD:
            reading.report(path, "known-bad", f"{name} is left out: {GTZAN_BAD[name]}")
        else:
            reading.songs.append(Song(path, match[1]))
    _report_ignored(reading, ignored)
    return reading


def _check_folder(path: str) -> None:
    if not os.path.isdir(path):
        raise CatalogError(f"{printable(path)!r} is a file", wanted="a folder of genre folders")


GTZAN = Reader(
    "gtzan", "GTZAN", lambda path: os.path.isdir(path) and bool(gtzan_root(path)), read_gtzan
)
FOLDER = Reader("folder", "a folder of genre folders", os.path.isdir, read_folder)
