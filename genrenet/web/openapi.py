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
                "path": {**TEXT, "description": "relative to the served folder; an upload's name"},
                "genre": nullable(TEXT),
                "confidence": SHARE,
                "genres": {**SCORES, "description": "those likely enough, the first first"},
                "subgenres": {**SCORES, "description": "the same of genres under others"},
                "unsure": {"type": "boolean", "description": "no genre is likely enough"},
                "scores": SCORES,
                "frames": {**COUNT, "description": "frames scored"},
                "duration": nullable(SECONDS),
                "checkpoint": {**TEXT, "description": "the model's name"},
                "error": {
                    **nullable(TEXT),
                    "description": "what was wrong with the file; a damaged one may have a genre",
                },
                "notes": list_of(TEXT),
                "timeline": list_of(frame),
                "sections": list_of(section),
            },
            ("timeline", "sections"),
        ),
        "Entry": object_of(
            {
                "path": {**TEXT, "description": "a folder's ends with /"},
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
                "kind": {"enum": ["genres", "tags"], "description": "tags: any may fit at once"},
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
                        "songs": {**COUNT, "description": "with a genre"},
                        "files": COUNT,
                    }
                ),
            },
            ("version", "models", "queue", "limits", "library"),
        ),
        "Correction": object_of(
            {
                "path": TEXT,
                "genre": {**TEXT, "description": "what counts now"},
                "confidence": {**SHARE, "description": "1 of a corrected song"},
                "correction": nullable(TEXT),
            }
        ),
        "Error": object_of({"error": TEXT}),
    }


def _classify(max_upload: int, max_seconds: float) -> Schema:
    options: Schema = {
        "model": {**TEXT, "description": "one of /api/models; the default if left out"},
        "timeline": {"type": "boolean", "default": False},
    }
    by_path = object_of({"path": TEXT, **options}, tuple(options))
    upload = {"type": "string", "contentMediaType": "application/octet-stream"}
    by_upload = object_of({"file": upload, **options}, tuple(options))
    events = (
        "a line of JSON for each event, with its kind under `event`: queued (ahead), started "
        "(path, duration, title, artist, seconds_per_peak, model), waveform (first, peaks), frames "
        "(first, frames, done, total; not always in order), working, and last result (song, "
        "similar, by: embeddings, scores, incomparable or null; correction, a genre or null, of "
        "songs of a scanned library) or error (status, error); closing the connection ends the work"
    )
    answers = {**json_of(ref("Song")), "application/x-ndjson": {"schema": {"description": events}}}
    answered = refused(*(status for status in REFUSALS if status not in ("409", "503")))
    answered["422"]["content"] = json_of({"anyOf": [ref("Error"), ref("Song")]})
    return {
        "post": {
            "summary": "a song's genre",
            "description": f"Uploads of at most {max_upload} bytes, songs of at most "
            f"{max_seconds:g} seconds. `Accept: application/x-ndjson` gives events on the way.",
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
    genre = {**nullable(TEXT), "description": "the right genre; null takes it back"}
    answer = {"description": "the song as it counts now", "content": json_of(ref("Correction"))}
    answered = refused("400", "401", "403", "404", "422")
    answered["422"]["description"] = "no song of the scan, no genre's name, or the scan is in use"
    return {
        "post": {
            "summary": "note the right genre of a song in the library's table",
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
    song = {"get": {**get_request("a song's file, or a range of it", audio)["get"]}}
    song["get"]["parameters"] = [query("path", TEXT, "relative to the served folder", True)]
    song["get"]["responses"] |= {
        "206": {**audio, "description": "a range"},
        **refused("400", "404"),
    }
    found = get_request(
        "songs and folders that a text may mean",
        {
            "description": "what begins with it, then what holds its words",
            "content": json_of(entries),
        },
        parameters=[
            query("prefix", TEXT, "beginning of a path, or words"),
            query("limit", limit, "most entries"),
        ],
    )
    found["get"]["responses"] |= refused("400")
    health = {"description": "status; without a token no more", "content": json_of(ref("Health"))}
    models = {
        "description": "models",
        "content": json_of(object_of({"models": list_of(ref("Model"))})),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "genrenet",
            "version": __version__,
            "description": "Names the genre of songs in a served folder, and of uploads.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": {
            "/api/classify": _classify(max_upload, max_seconds),
            "/api/correct": _correct(),
            "/api/library": found,
            "/api/audio": song,
            "/api/models": get_request("the models that are served", models),
            "/api/health": get_request("whether the server lives, and how busy it is", health),
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
