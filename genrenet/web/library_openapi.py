"""The description of `genrenet.web.library_api` in OpenAPI 3.1."""

from __future__ import annotations

from genrenet.web.library_index import SORTS, STATES
from genrenet.web.openapi_parts import (
    COUNT,
    SCORES,
    SECONDS,
    SHARE,
    TEXT,
    Schema,
    get_request,
    json_of,
    list_of,
    nullable,
    object_of,
    query,
    ref,
    refused,
)

_HOURS: Schema = {"type": "number", "minimum": 0, "description": "hours"}
_PAGE: Schema = {"total": COUNT, "offset": COUNT}
_KIND: Schema = {"enum": ["genres", "tags"], "description": "tags: a song can have several"}
_STATE: Schema = {"enum": list(STATES)}


def library_schemas() -> Schema:
    """Return the schemas of library data."""
    count = object_of({"genre": TEXT, "songs": COUNT})
    genre = {"genre": TEXT, "songs": COUNT, "hours": _HOURS, "unsure": COUNT}
    counts = ("files", "songs", "copies", "unsure", "not_music", "errors", "corrected")
    track = {
        "path": {**TEXT, "description": "relative to the served folder"},
        "title": TEXT,
        "artist": nullable(TEXT),
        "album": nullable(TEXT),
        "album_folder": TEXT,
        "genre": {**nullable(TEXT), "description": "the most likely genre"},
        "genres": list_of(TEXT),
        "subgenres": list_of(TEXT),
        "confidence": nullable(SHARE),
        "duration": nullable(SECONDS),
        "state": _STATE,
        "correction": nullable(TEXT),
        "copies": {**COUNT, "description": "number of other files with the same recording"},
    }
    about = {
        "kind": _KIND,
        "scores": SCORES,
        "error": nullable(TEXT),
        "notes": list_of(TEXT),
        "checkpoint": TEXT,
        "tags": object_of({key: nullable(TEXT) for key in ("artist", "album", "title", "genre")}),
        "tags_fault": nullable(TEXT),
        "files": list_of(ref("Track")),
    }
    album = {"album": TEXT, "folder": TEXT, "artist": TEXT}
    group = {"songs": COUNT, "seconds": SECONDS, "genre": nullable(TEXT)}
    return {
        "Overview": object_of(
            {
                "version": {**COUNT, "description": "increases when the library changes"},
                "kind": _KIND,
                **dict.fromkeys(counts, COUNT),
                "hours": _HOURS,
                **dict.fromkeys(("untagged", "artists", "albums"), COUNT),
                "genres": list_of(object_of({**genre, "subgenres": list_of(count)})),
            }
        ),
        "Track": object_of(track),
        "TrackInFull": object_of({**track, **about}),
        "Tracks": object_of({"songs": list_of(ref("Track")), **_PAGE}),
        "Artists": object_of({"artists": list_of(object_of({"artist": TEXT, **group})), **_PAGE}),
        "Albums": object_of({"albums": list_of(object_of({**album, **group})), **_PAGE}),
        "Duplicates": object_of(
            {"recordings": list_of(object_of({"files": list_of(ref("Track"))})), **_PAGE}
        ),
        "Search": object_of(
            {
                "songs": list_of(ref("Track")),
                "artists": list_of(TEXT),
                "albums": list_of(object_of(album)),
                "typos": {
                    "type": "boolean",
                    "description": "whether only inexact matches were found",
                },
                **_PAGE,
            }
        ),
    }


def library_paths() -> Schema:
    """Return the paths under ``/api``."""
    slot = {"type": "integer", "minimum": 0, "maximum": 59}
    slots = {"type": "object", "additionalProperties": nullable(slot)}
    colours = {
        "description": "number n of each genre: hue `n % 10`, pattern `(n + n // 30) % 6`; "
        "null: grey",
        "content": json_of(object_of({"genres": slots})),
    }
    page = [
        query("offset", {**COUNT, "default": 0}, "number of rows to skip"),
        query(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
            "maximum number of rows",
        ),
    ]
    words = "search words; typing errors are tolerated"
    return {
        "/api/colours": get_request("colours and patterns of the genres", colours),
        "/api/library/overview": _of_library("overview of the library", "Overview"),
        "/api/library/songs": _of_library(
            "songs, filtered", "Tracks", [*filters(), query("q", TEXT, words), *page]
        ),
        "/api/library/artists": _of_library(
            "artists of the filtered songs", "Artists", [*filters(), *page]
        ),
        "/api/library/albums": _of_library(
            "albums of the filtered songs", "Albums", [*filters(), *page]
        ),
        "/api/library/duplicates": _of_library("recordings with several files", "Duplicates", page),
        "/api/library/search": _of_library(
            "artists, albums and songs that match", "Search", [query("q", TEXT, words, True), *page]
        ),
        "/api/library/song": _of_library(
            "everything known about a song",
            "TrackInFull",
            [query("path", TEXT, "relative to the served folder", True)],
        ),
        "/api/library/playlist": _playlist(),
        "/api/library/scan": _scan(),
    }


def _scan() -> Schema:
    states = ("idle", "running", "done", "cancelled", "failed")
    counted = ("songs", "new", "changed", "moved", "gone", "same", "failed", "left")
    counts = object_of(dict.fromkeys(counted, COUNT))
    about = {"done": COUNT, "total": COUNT, "counts": counts, "error": TEXT}
    status = json_of(object_of({"state": {"enum": list(states)}, **about}, tuple(about)))
    lines = {"schema": {"description": "the same with event: scan; one line for each change"}}
    now = {"description": "progress", "content": status}
    live = {**now, "content": {**status, "application/x-ndjson": lines}}
    retry = object_of({"retry": {"type": "boolean", "default": False}}, ("retry",))
    started = {
        "202": {"description": "the scan was started, or is running already", "content": status},
        **refused("400", "401", "403", "422"),
    }
    started["422"]["description"] = "no scan is possible: another command is using the table"
    ended = {"200": now, **refused("400", "401", "403")}
    return {
        "get": {
            "summary": "progress of the scan: now, or until it has ended",
            "responses": {"200": live, **refused("400", "401", "403")},
        },
        "post": {
            "summary": "start a scan that updates the table",
            "requestBody": {"content": json_of(retry)},
            "responses": started,
        },
        "delete": {"summary": "stop the scan; finished songs are kept", "responses": ended},
    }


def _playlist() -> Schema:
    named = {each["name"]: each["schema"] for each in [*filters(), query("q", TEXT, "")]}
    body = {
        "name": TEXT,
        "save": {
            "type": "boolean",
            "description": "save it in the folder Playlists of the music folder",
        },
        "paths": {
            **list_of(TEXT),
            "description": "songs of the playlist; by default the filtered songs",
        },
        **named,
    }
    content = {
        "audio/x-mpegurl": {
            "schema": {"description": "M3U8 with paths relative to the music folder"}
        }
    }
    content |= json_of(object_of({"saved": TEXT, "songs": COUNT}))
    return {
        "post": {
            "summary": "make a playlist",
            "requestBody": {
                "required": True,
                "content": json_of(object_of(body, tuple(key for key in body if key != "name"))),
            },
            "responses": {
                "200": {
                    "description": "the file, or the path of the saved file",
                    "content": content,
                },
                **refused("400", "401", "403", "422"),
            },
        }
    }


def filters() -> list[Schema]:
    """Return the parameters that select songs."""
    states = {"enum": [*STATES, "corrected"]}
    return [
        query("genre", TEXT, "most likely genre"),
        query("subgenre", TEXT, "one of the subgenres"),
        query("artist", TEXT, "artist, ignoring case and accents"),
        query("album", TEXT, "album; without a folder, ignoring case and accents"),
        query("folder", TEXT, "the folder of the album"),
        query("state", states, "state in the scan"),
        query("copies", {"enum": ["1"]}, "list all files, not only one of each recording"),
        query("sort", {"enum": list(SORTS), "default": "artist"}, "order"),
    ]


def _of_library(what: str, schema: str, parameters: list[Schema] | None = None) -> Schema:
    answer = {"description": what, "content": json_of(ref(schema))}
    found = get_request(what, answer, parameters=parameters)
    found["get"]["responses"] |= refused("400", "404")
    return found
