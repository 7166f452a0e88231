"""Data sets of mirdata that are already on this machine: ``mirdata:gtzan_genre``.

mirdata: R. M. Bittner et al., "mirdata: software for reproducible usage of datasets", ISMIR 2019.
Files, genres and artists are taken from its loaders.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from typing import Any

from genrenet.data.catalog.base import (
    PART_NAMES,
    CatalogError,
    EmptyCatalogError,
    Problem,
    Reader,
    Reading,
    Song,
    SourceNotFoundError,
    clean,
)
from genrenet.utils.errors import printable
from genrenet.utils.extras import import_extra
from genrenet.utils.suggest import did_you_mean

SCHEME = "mirdata"
HOME = "GENRENET_MIRDATA"
"""Environment variable: the folder with one folder per data set, instead of mirdata's own
``~/mir_datasets``."""

_SOURCE = re.compile(rf"{SCHEME}:(?P<name>[^:@]*)(:(?P<version>[^@]*))?(@(?P<home>.+))?")
_SAID = {
    "genre": ("genre", "genres"),
    "artist": ("artist", "artists", "artist_name"),
    "title": ("title", "track_title"),
    "split": ("split",),
}
"""Names of the attribute in tracks of several data sets."""


def read_mirdata(source: str) -> Reading:
    """Read a data set through mirdata; nothing is downloaded.

    Parameters
    ----------
    source : str
        ``mirdata:NAME``, with ``:VERSION`` if it is not mirdata's default, and with ``@FOLDER`` if
        the data set is neither in its folder of `HOME` nor in mirdata's default location. mirdata's
        index of the files may lie in that folder too.

    Returns
    -------
    Reading
        Songs whose file is missing, or without a genre in mirdata, are left out and reported.

    Raises
    ------
    CatalogError
        mirdata is not installed, has no such data set or version, or it has no genres.
    SourceNotFoundError, EmptyCatalogError
        The data set is not on this machine, or none of its songs; the message says how to get it.
    """
    name, dataset = _open(source)
    reading = Reading(SCHEME, os.path.abspath(dataset.data_home), name=name)
    try:
        for track_id in dataset.track_ids:
            _add(reading, dataset.track(track_id), track_id)
    except AttributeError as error:
        raise CatalogError(f"'{printable(source)}' has no songs", found=str(error)) from error
    except FileNotFoundError as error:
        raise SourceNotFoundError(
            f"'{printable(source)}' is incomplete", found=str(error), remedy=_how(dataset)
        ) from error
    except (KeyError, IndexError, TypeError, ValueError) as error:  # a damaged index or metadata
        raise CatalogError(
            f"mirdata cannot read '{printable(source)}'", found=f"{type(error).__name__}: {error}"
        ) from error
    kinds = {problem.kind for problem in reading.problems}
    if not reading.songs:
        if kinds == {"no-genre"}:
            raise CatalogError(
                f"mirdata knows no genres of '{name}'",
                wanted="a data set whose tracks have audio_path and genre, such as gtzan_genre",
            )
        raise EmptyCatalogError(
            f"no song of '{name}' is in '{printable(dataset.data_home)}'",
            found=f"{len(reading.problems)} songs that are not there",
            remedy=_how(dataset),
        )
    known = {"artist", "title"} - {f for song in reading.songs for f in vars(song) if vars(song)[f]}
    reading.from_tags = frozenset({"duration", "album"} | known)
    reading.check = lambda: _checksums(dataset, reading)
    return reading


def _open(source: str) -> tuple[str, Any]:
    """Return the name of a data set and mirdata's object for it, whose index is present."""
    mirdata = import_extra("mirdata", f"'{printable(source)}'", error=CatalogError)
    match = _SOURCE.fullmatch(source)
    name = match["name"] if match else ""
    if name not in mirdata.list_datasets():
        raise CatalogError(
            f"mirdata has no data set '{printable(name)}'",
            wanted=f"{SCHEME}:NAME[:VERSION][@FOLDER], such as {SCHEME}:gtzan_genre",
            remedy=did_you_mean(name, mirdata.list_datasets()),
        )
    home = match["home"] if match else None
    if home is None and HOME in os.environ:
        home = os.path.join(os.environ[HOME], name)
    home = None if home is None else os.path.abspath(os.path.expanduser(home))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its imports
            dataset = mirdata.initialize(name, home, (match and match["version"]) or "default")
    except ValueError as error:
        raise CatalogError(
            f"'{printable(source)}'", found=str(error), wanted=mirdata.list_dataset_versions(name)
        ) from error
    if not os.path.isdir(dataset.data_home):
        raise SourceNotFoundError(
            f"'{name}' is not in '{printable(dataset.data_home)}'",
            remedy=f"{_how(dataset)}, or name its folder: {SCHEME}:{name}@FOLDER",
        )
    if not os.path.isfile(dataset.index_path):
        # The folder of Python packages may be read-only.
        beside = os.path.join(dataset.data_home, os.path.basename(dataset.index_path))
        if not os.path.isfile(beside):
            raise SourceNotFoundError(
                f"mirdata's index of '{name}' is not there",
                found=f"neither {printable(dataset.index_path)} nor {printable(beside)}",
                remedy=_how(dataset, "['index']"),
            )
        dataset.index_path = beside
    return name, dataset


def _how(dataset: Any, what: str = "") -> str:
    """Return the command that downloads a data set."""
    where = f"{dataset.name!r}, {str(dataset.data_home)!r}, {dataset.version!r}"
    return f'run: python -c "import mirdata; mirdata.initialize({where}).download({what})"'


def _add(reading: Reading, track: Any, track_id: str) -> None:
    """Add a song, or report why it is left out."""
    path = getattr(track, "audio_path", None)
    if not path:
        reading.report("", "missing-file", f"{track_id}: mirdata knows no audio file of it")
        return
    path = os.path.abspath(path)
    genre, artist, title, part = (_said(track, names) for names in _SAID.values())
    if not os.path.isfile(path):
        reading.report(path, "missing-file", "mirdata lists it, and there is no such file")
    elif not genre:
        reading.report(path, "no-genre", "mirdata knows no genre of it")
    else:
        song = Song(path, genre[0], ", ".join(artist), title=", ".join(title))
        song.track_id, song.split = clean(track_id), PART_NAMES.get("".join(part).lower(), "")
        reading.songs.append(song)


def _said(track: Any, names: tuple[str, ...]) -> list[str]:
    """Return the texts of the first attribute that is not empty: one text, or several."""
    for name in names:
        value = getattr(track, name, None)
        if isinstance(value, Mapping):  # genres with sub-genres
            value = value.get(name)
        values = value if isinstance(value, list | tuple) else [value]
        if found := [clean(one) for one in values if one is not None and clean(one)]:
            return found
    return []


def _checksums(dataset: Any, reading: Reading) -> list[Problem]:
    """Return songs whose file differs from the published one."""
    _, invalid = dataset.validate(verbose=False)
    other = {os.path.abspath(path) for paths in invalid["tracks"].values() for path in paths}
    return [
        Problem(song.path, "checksum", "it differs from the file that mirdata knows")
        for song in reading.songs
        if song.path in other
    ]


MIRDATA = Reader(
    SCHEME, "a data set that mirdata knows", lambda path: False, read_mirdata, scheme=SCHEME
)
