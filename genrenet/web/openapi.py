"""The description of the API in OpenAPI 3.1, for people and for client generators."""

from __future__ import annotations

from genrenet.version import __version__
from genrenet.web.library_openapi import library_paths, library_schemas
from genrenet.web.map_openapi import map_paths, map_schemas
from genrenet.web.openapi_parts import (
    COUNT,
    REFUSALS,
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


def _schemas() -> Schema:
    frame = object_of({"start": SECONDS, "end": SECONDS, "genre": TEXT, "scores": SCORES})
    section = object_of({"start": SECONDS, "end": SECONDS, "genre": TEXT, "confidence": SHARE})
    return {
        "Song": object_of(
            {
                "path": {
                    **TEXT,
                    "description": "relative to the served folder, or the name of an upload",
                },
                "genre": nullable(TEXT),
                "confidence": SHARE,
                "genres": {
                    **SCORES,
                    "description": "all genres that are likely enough, the most likely first",
                },
                "subgenres": {**SCORES, "description": "the same for subgenres"},
                "unsure": {"type": "boolean", "description": "no genre is likely enough"},
                "scores": SCORES,
                "frames": {**COUNT, "description": "number of frames classified"},
                "duration": nullable(SECONDS),
                "checkpoint": {**TEXT, "description": "name of the model"},
                "error": {
                    **nullable(TEXT),
                    "description": "error in the file; a damaged file can have a genre too",
                },
                "notes": list_of(TEXT),
                "timeline": list_of(frame),
                "sections": list_of(section),
            },
            ("timeline", "sections"),
        ),
        "Entry": object_of(
            {
                "path": {**TEXT, "description": "the path of a folder ends with /"},
                "kind": {"enum": ["folder", "song"]},
                "genre": nullable(TEXT),
                "confidence": nullable(SHARE),
            },
            ("genre", "confidence"),
        ),
        "Model": object_of(
            {
                "name": TEXT,
                "genres": list_of(TEXT),
                "kind": {
                    "enum": ["genres", "tags"],
                    "description": "tags: a song can have several",
                },
                "frame_seconds": nullable(SECONDS),
                "timeline": {"type": "boolean"},
                "default": {"type": "boolean"},
            }
        ),
        "Health": object_of(
            {
                "status": {"const": "ok"},
                "version": TEXT,
                "models": list_of(TEXT),
                "queue": object_of({"running": COUNT, "waiting": COUNT, "limit": COUNT}),
                "limits": object_of({"upload_bytes": COUNT, "audio_seconds": SECONDS}),
                "library": object_of(
                    {
                        "state": {"enum": ["none", "reading", "ready"]},
                        "index": {"enum": ["none", "reading", "ready"]},
                        "saves_playlists": {"type": "boolean"},
                        "songs": {**COUNT, "description": "number of songs with a genre"},
                        "files": COUNT,
                    }
                ),
            },
            ("version", "models", "queue", "limits", "library"),
        ),
        "Correction": object_of(
            {
                "path": TEXT,
                "genre": {**TEXT, "description": "the genre that is used now"},
                "confidence": {**SHARE, "description": "1 for a corrected song"},
                "correction": nullable(TEXT),
            }
        ),
        "Error": object_of({"error": TEXT}),
    }


def _classify(max_upload: int, max_seconds: float) -> Schema:
    options: Schema = {
        "model": {**TEXT, "description": "one of /api/models; by default the first"},
        "timeline": {"type": "boolean", "default": False},
    }
    by_path = object_of({"path": TEXT, **options}, tuple(options))
    upload = {"type": "string", "contentMediaType": "application/octet-stream"}
    by_upload = object_of({"file": upload, **options}, tuple(options))
    events = (
        "one line of JSON for each event; `event` is its type: queued (ahead), started "
        "(path, duration, title, artist, seconds_per_peak, model), waveform (first, peaks), frames "
        "(first, frames, done, total; not always in order), working, and last result (song, "
        "similar, by: embeddings, scores, incomparable or null; correction, a genre or null, of "
        "songs of a scanned library) or error (status, error); closing the connection cancels the "
        "request"
    )
    answers = {**json_of(ref("Song")), "application/x-ndjson": {"schema": {"description": events}}}
    answered = refused(*(status for status in REFUSALS if status not in ("409", "503")))
    answered["422"]["content"] = json_of({"anyOf": [ref("Error"), ref("Song")]})
    return {
        "post": {
            "summary": "classify a song",
            "description": f"Uploads of at most {max_upload} bytes, songs of at most "
            f"{max_seconds:g} seconds. `Accept: application/x-ndjson` returns events during "
            "processing.",
            "requestBody": {
                "required": True,
                "content": {
                    **json_of(by_path),
                    "multipart/form-data": {"schema": by_upload},
                },
            },
            "responses": {
                "200": {"description": "the result", "content": answers},
                **answered,
            },
        }
    }


def _correct() -> Schema:
    genre = {**nullable(TEXT), "description": "the right genre; null removes the correction"}
    answer = {
        "description": "the song with the genre that is used now",
        "content": json_of(ref("Correction")),
    }
    answered = refused("400", "401", "403", "404", "422")
    answered["422"]["description"] = (
        "not a song of the scan, not the name of a genre, or the table is in use"
    )
    return {
        "post": {
            "summary": "record the right genre of a song in the library's table",
            "requestBody": {
                "required": True,
                "content": json_of(object_of({"path": TEXT, "genre": genre})),
            },
            "responses": {"200": answer, **answered},
        }
    }


def description(max_upload: int, max_seconds: float) -> Schema:
    """Return the description.

    Parameters
    ----------
    max_upload : int
        Maximum size of an upload, in bytes.
    max_seconds : float
        Maximum length of a song.
    """
    limit = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    entries = object_of({"entries": list_of(ref("Entry")), "more": {"type": "boolean"}})
    audio = {"description": "the file", "content": {"audio/*": {}}}
    song = {"get": {**get_request("the file of a song, or a range of bytes", audio)["get"]}}
    song["get"]["parameters"] = [query("path", TEXT, "relative to the served folder", True)]
    song["get"]["responses"] |= {
        "206": {**audio, "description": "a range of bytes"},
        **refused("400", "404"),
    }
    found = get_request(
        "completions: songs and folders that match a text",
        {
            "description": "first the paths that begin with it, then those that contain its words",
            "content": json_of(entries),
        },
        parameters=[
            query("prefix", TEXT, "beginning of a path, or search words"),
            query("limit", limit, "maximum number of entries"),
        ],
    )
    found["get"]["responses"] |= refused("400")
    health = {
        "description": "status; without a token nothing else",
        "content": json_of(ref("Health")),
    }
    models = {
        "description": "models",
        "content": json_of(object_of({"models": list_of(ref("Model"))})),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "genrenet",
            "version": __version__,
            "description": "Classifies songs of a folder, and uploads, by genre.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": {
            "/api/classify": _classify(max_upload, max_seconds),
            "/api/correct": _correct(),
            "/api/library": found,
            "/api/audio": song,
            "/api/models": get_request("models that can be chosen", models),
            "/api/health": get_request("whether the server is running, and its load", health),
            **library_paths(),
            **map_paths(),
            "/api/openapi.json": get_request(
                "this description", {"description": "OpenAPI 3.1", "content": json_of({})}
            ),
        },
        "components": {
            "schemas": {**_schemas(), **library_schemas(), **map_schemas()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
