"""Playlists of the library's songs, for download and in the music folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import flask
import numpy as np
from flask.typing import ResponseReturnValue

from genrenet.library.table import file_of
from genrenet.playlists import Playlist, PlaylistError, PlaylistSong, write_playlist
from genrenet.playlists.formats import m3u8
from genrenet.web.api import service
from genrenet.web.errors import NotUsable, RequestError
from genrenet.web.library_api import chosen_songs, library
from genrenet.web.library_index import LibraryIndex, Rows
from genrenet.web.paths import shown

playlists = flask.Blueprint("playlists", __name__, url_prefix="/api")

FOLDER = "Playlists"
"""Sub-folder of the music folder for playlists."""

MOST_SONGS = 20_000
MOST_BYTES = 200
"""Maximum length of a playlist's name: file systems allow 255, with the suffix."""

_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_DEVICES = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])\s*(\..*)?", re.I)
"""Names reserved for devices on Windows."""


@playlists.post("/library/playlist")
def playlist() -> ResponseReturnValue:
    """Make a playlist of songs: as a download, or saved in the music folder."""
    at, given = service(), flask.request.get_json(silent=True)
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise RequestError(
            "the request's body", wanted='JSON such as {"name": "Evening", "genre": "jazz"}'
        )
    name = _file_name(given["name"])
    made = _made(given["name"], *_songs(given), at.shelf.root)
    if given.get("save") is not True:
        text = m3u8(made, at.shelf.root)
        answer = flask.Response(text, mimetype="audio/x-mpegurl")
        answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.m3u8")
        return answer
    if not at.save_playlists:
        raise RequestError(
            "this server does not save playlists",
            remedy="download it, or start the server with --save-playlists",
        )
    return {"saved": _save(made, at.shelf.root, name), "songs": len(made.songs)}


def _songs(given: dict[str, Any]) -> tuple[LibraryIndex, Rows]:
    """Return the songs of a list of paths, or of a query."""
    paths = given.get("paths")
    if paths is None:
        index, rows = chosen_songs(given)
    elif isinstance(paths, list) and all(isinstance(path, str) for path in paths):
        index = library().index()
        found = [index.row_of(path) for path in paths[: MOST_SONGS + 1]]
        rows = np.array([row for row in found if row is not None], np.int32)
    else:
        raise RequestError("paths", found=repr(paths)[:50], wanted="a list of songs' paths")
    if not 0 < len(rows) <= MOST_SONGS:
        raise RequestError(
            "a playlist of these songs", found=f"{len(rows)}", wanted=f"from 1 to {MOST_SONGS}"
        )
    return index, rows


def _made(title: str, index: LibraryIndex, rows: Rows, root: str) -> Playlist:
    songs = [
        PlaylistSong(
            row=row,
            path=file_of(os.path.join(root, *track["path"].split("/"))),
            genre=track["genre"] or "",
            confidence=track["confidence"] or 0.0,
            scores={},
            wanted="",
            fit=0.0,
            duration=track["duration"],
            artist=track["artist"] or "",
            title=track["title"],
            album=track["album"] or "",
        )
        for row, track in zip(rows.tolist(), index.tracks(rows), strict=True)
    ]
    return Playlist(songs, title, "given", index.checkpoint)


def _file_name(name: str) -> str:
    """Return a name that is valid on every system."""
    found = " ".join(_UNFIT.sub(" ", name).split()).strip(" .")[:100]
    if not found or any("\ud800" <= letter <= "\udfff" for letter in found):
        raise RequestError("the playlist's name", found=repr(name[:50]), wanted="a few letters")
    found = found.encode()[:MOST_BYTES].decode("utf-8", "ignore").strip(" .")
    return f"_{found}" if _DEVICES.fullmatch(found) else found


def _save(made: Playlist, root: str, name: str) -> str:
    """Write a playlist into the music folder; existing ones are not replaced."""
    place = f"{FOLDER}/{name}.m3u8"
    file = Path(root, FOLDER, f"{name}.m3u8")
    try:
        file.parent.mkdir(exist_ok=True)
        if not shown(root, str(file)):
            raise NotUsable(f"'{FOLDER}' leads out of the music folder", remedy="download it")
        _take(file, place)
        try:
            write_playlist(made, file)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
    except (PlaylistError, OSError) as error:
        found = error.found if isinstance(error, PlaylistError) else error.strerror or ""
        raise NotUsable(
            f"cannot write '{place}'",
            found=found.replace(root, "the music folder"),
            remedy="download it",
        ) from error
    return place


def _take(file: Path, place: str) -> None:
    """Create an empty file atomically, only if there is none: two may be saved at once."""
    try:
        file.touch(exist_ok=False)
    except FileExistsError:
        raise NotUsable(
            f"there is a playlist '{place}' already", remedy="choose another name"
        ) from None
