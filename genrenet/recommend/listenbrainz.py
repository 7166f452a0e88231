"""Read listens of ListenBrainz, in any of its formats.

Forms
-----
JSON lines (a dump, or a file of an export), a JSON list, the answer of its API
(``{"payload": {"listens": [...]}}``), and the ``.zip`` that users export: ``user.json`` and
``listens/YYYY/M.jsonl`` (see ``listenbrainz/background/export.py`` of listenbrainz-server). Each
listen has ``track_metadata`` with ``artist_name`` and ``track_name``; ``user_name`` if known.
Listens without one belong to the export's user, or to a user named after the file.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from genrenet.recommend.errors import HistoryError
from genrenet.recommend.tables import opened
from genrenet.utils.errors import printable

Line = tuple[str, str | bytes]


class Listens(NamedTuple):
    """Listens, one per index of each list.

    Attributes
    ----------
    users, artists, tracks : list of str
    bad : list of str
        Listens that cannot be used, with their positions.
    """

    users: list[str]
    artists: list[str]
    tracks: list[str]
    bad: list[str]


def is_listens(file: Path) -> bool:
    """Return whether a file's name is that of a file with listens."""
    return file.suffix.lower() in {".json", ".jsonl", ".ndjson", ".listens", ".zip"}


def read_listens(file: Path) -> Listens:
    """Return all listens of a file.

    Raises
    ------
    HistoryError
        It cannot be read, or is not in a format of ListenBrainz.
    """
    with opened(file):
        owner = file.stem
        if file.suffix.lower() == ".zip":
            try:
                with zipfile.ZipFile(file) as archive:
                    return _collected(_zipped(archive, file), _owner(archive) or owner)
            except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
                raise _foreign(file, str(error)) from error
        with open(file, "rb") as held:
            start = held.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
            held.seek(0)
            if not start:
                raise HistoryError(f"'{printable(file)}' is empty", wanted="listens as JSON")
            if (whole := _whole(file, start)) is not None:
                return _collected(whole, owner)
            lines = ((f"line {number}", line) for number, line in enumerate(held, 1))
            return _collected(_parsed(lines), owner)


def _whole(file: Path, start: bytes) -> Iterator[tuple[str, Any]] | None:
    """Return the listens of a file that is one JSON value; None if it is JSON lines."""
    if start[:1] != b"[":
        first = start.split(b"\n", 1)[0]
        try:
            if isinstance(json.loads(first), dict) and b"payload" not in first[:20]:
                return None
        except ValueError:
            # An incomplete first line: JSON lines, unless the value has several lines.
            if first.strip() != b"{" and b'"payload"' not in first:
                return None
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _foreign(file, f"JSON that is broken: {error}") from error
    if isinstance(value, dict):
        value = value.get("payload", value)
        value = value.get("listens", [value]) if isinstance(value, dict) else value
    if not isinstance(value, list):
        raise _foreign(file, f"JSON that holds a {type(value).__name__}")
    return ((f"listen {number}", listen) for number, listen in enumerate(value, 1))


def _zipped(archive: zipfile.ZipFile, file: Path) -> Iterator[tuple[str, Any]]:
    names = sorted(name for name in archive.namelist() if name.endswith(".jsonl"))
    # An export also contains feedback and pins, which are not listens.
    listens = [name for name in names if "listens" in name.split("/")[:-1]] or [
        name for name in names if "listens" in name
    ]
    if not listens:
        raise _foreign(file, ", ".join(archive.namelist()[:5]) or "an empty archive")
    for name in listens:
        with archive.open(name) as held:
            lines = ((f"{name} line {number}", line) for number, line in enumerate(held, 1))
            yield from _parsed(lines)


def _owner(archive: zipfile.ZipFile) -> str:
    """Return the name of the user of an exported archive."""
    try:
        about = json.loads(archive.read("user.json"))
        return next(str(about[key]) for key in ("user_name", "username") if about.get(key))
    except (KeyError, ValueError, AttributeError, StopIteration):
        return ""


def _parsed(lines: Iterable[Line]) -> Iterator[tuple[str, Any]]:
    for place, line in lines:
        if line.strip():
            try:
                yield place, json.loads(line)
            except (ValueError, RecursionError):
                yield place, None


def _collected(listens: Iterable[tuple[str, Any]], owner: str) -> Listens:
    found = Listens([], [], [], [])
    for place, listen in listens:
        try:
            about = listen["track_metadata"]
            artist, track = about["artist_name"].strip(), about["track_name"].strip()
            user = str(listen.get("user_name") or owner)
        except (KeyError, TypeError, AttributeError):
            found.bad.append(f"{place}: no listen with an artist's and a track's name")
            continue
        found.users.append(user)
        found.artists.append(artist)
        found.tracks.append(track)
    return found


def _foreign(file: Path, what: str) -> HistoryError:
    return HistoryError(
        f"'{printable(file)}' contains no listens",
        found=what,
        wanted="an export of ListenBrainz: JSON lines, a JSON list, or the .zip",
    )
