"""The part of the JSON API for the library as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask
import numpy as np
from flask.typing import ResponseReturnValue

from genrenet.data.catalog.tags import read_tags
from genrenet.library.table import read_about
from genrenet.utils.genre_colours import genre_slots
from genrenet.web import library_queries as queries
from genrenet.web.api import asked_number, service
from genrenet.web.errors import NoSuchSong, RequestError
from genrenet.web.library import Library
from genrenet.web.library_index import SORTS, STATES, LibraryIndex, Rows
from genrenet.web.library_queries import Wanted
from genrenet.web.paths import song_file

library_api = flask.Blueprint("library_api", __name__, url_prefix="/api")

MOST_ROWS = 500
FIRST_HITS = 8
"""Maximum number of artists and albums in a search result."""


@library_api.get("/colours")
def colours() -> ResponseReturnValue:
    """Return the number of the colour and pattern of every known genre."""
    at = service()
    labels = {label for name in at.scoring.models for label in at.scoring.labels(name)}
    if at.library is not None and at.library.state == "reading":
        labels |= {*read_about(at.library.table).labels}
    elif at.library is not None and at.library.state == "ready":
        index = at.library.index()
        labels |= {*index.labels, *index.genres}
        labels |= {name for text in index.subgenres.names for name in text.split("; ")}
    return {"genres": genre_slots(labels)}


@library_api.get("/library/overview")
def overview() -> ResponseReturnValue:
    """Return a summary of the library."""
    return library().overview()


@library_api.get("/library/songs")
def songs() -> ResponseReturnValue:
    """Return selected songs, a page at a time."""
    index, rows = chosen_songs()
    page, around = _page(len(rows))
    return {"songs": index.tracks(rows[page]), **around}


@library_api.get("/library/artists")
def artists() -> ResponseReturnValue:
    """Return the artists of selected songs, in descending order of their songs."""
    page = _asked_page()
    found, total = queries.artists(library().index(), _wanted(), page)
    return {"artists": found, "total": total, "offset": page.start}


@library_api.get("/library/albums")
def albums() -> ResponseReturnValue:
    """Return the albums of selected songs, in descending order of their songs."""
    page = _asked_page()
    found, total = queries.albums(library().index(), _wanted(), page)
    return {"albums": found, "total": total, "offset": page.start}


@library_api.get("/library/duplicates")
def duplicates() -> ResponseReturnValue:
    """Return recordings with several files, each with its files."""
    index = library().index()
    rows = queries.recordings(index)
    page, around = _page(len(rows))
    found = [index.tracks(queries.files_of(index, row)) for row in rows[page].tolist()]
    return {"recordings": [{"files": files} for files in found], **around}


@library_api.get("/library/search")
def search() -> ResponseReturnValue:
    """Return artists, albums and songs that match some words."""
    known = library().search()
    found, index = known.find(_text("q")), known.index
    page, around = _page(len(found.songs))
    return {
        "songs": index.tracks(found.songs[page]),
        "artists": [index.artists.names[code] for code in found.artists[:FIRST_HITS]],
        "albums": [queries.album_of(index, code) for code in found.albums[:FIRST_HITS]],
        "typos": found.typos,
        **around,
    }


@library_api.get("/library/song")
def song() -> ResponseReturnValue:
    """Return all fields of a song from the table and the file's tags."""
    at = library()
    index = at.index()
    row = index.row_of(_text("path"))
    if row is None:
        raise NoSuchSong("the library's table has no such song", remedy="scan the folder again")
    (track,) = index.tracks(np.array([row], np.int32))
    files = queries.files_of(index, row)
    tags, fault = read_tags(song_file(service().shelf.root, track["path"]))
    return {
        **track,
        "kind": at.overview()["kind"],
        "scores": queries.scores_of(index, row),
        "error": index.errors.get(row),
        "notes": [note for note in index.notes.get(row, "").split("; ") if note],
        "checkpoint": index.checkpoint.rpartition("@")[0] or index.checkpoint,
        "tags": {key: tags.get(key) for key in ("artist", "album", "title", "genre")},
        "tags_fault": fault or None,
        "files": index.tracks(files) if len(files) > 1 else [],
    }


def library() -> Library:
    """Return the served library, or raise an error."""
    return service().the_library()


def chosen_songs(given: Mapping[str, Any] | None = None) -> tuple[LibraryIndex, Rows]:
    """Return the songs that parameters select, in their order; by default those in the URL."""
    asked = flask.request.args if given is None else given
    sort, words = _text("sort", asked) or "artist", _text("q", asked)
    if sort not in SORTS:
        raise RequestError("sort", found=repr(sort[:50]), wanted=" or ".join(SORTS))
    search = library().search()
    index = search.index
    if words:
        found = search.find(words).songs
        return index, found[queries.chosen(index, _wanted(asked))[found]]
    return index, queries.select(index, _wanted(asked), sort)


def _wanted(given: Mapping[str, Any] | None = None) -> Wanted:
    asked = flask.request.args if given is None else given
    state = _text("state", asked)
    if state and state not in (*STATES, "corrected"):
        raise RequestError("state", found=repr(state[:50]), wanted=" or ".join(STATES))
    names = ("genre", "subgenre", "artist", "album")
    return Wanted(
        **{name: _text(name, asked) for name in names},
        folder=_text("folder", asked) if "folder" in asked else None,
        state=state,
        copies=_text("copies", asked) in ("1", "true"),
    )


def _text(name: str, given: Mapping[str, Any] | None = None) -> str:
    found = (flask.request.args if given is None else given).get(name, "")
    if not isinstance(found, str):
        raise RequestError(name, found=repr(found)[:50], wanted="a text")
    return found[:2000]


def _asked_page() -> slice:
    """Return the requested range of rows of a list."""
    offset = asked_number("offset", 0, 0, 10**9 - 1)
    return slice(offset, offset + asked_number("limit", 50, 1, MOST_ROWS))


def _page(total: int) -> tuple[slice, dict[str, Any]]:
    """Return the requested range of rows of a list, and the paging fields of the answer."""
    page = _asked_page()
    return page, {"total": total, "offset": page.start}
