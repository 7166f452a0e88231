"""The API's description in OpenAPI 3.1, for people and for programs that generate clients."""

from __future__ import annotations

from typing import Any

from genrenet.version import __version__

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_SECONDS: Schema = {"type": "number", "minimum": 0, "description": "seconds"}
_SCORES: Schema = {
    "type": "object",
    "additionalProperties": _SHARE,
    "description": "score of every genre; they sum to one, unless the model is a tagger",
}
_REFUSALS = {
    "400": "the request cannot be understood",
    "401": "a token is wanted",
    "403": "the request comes from another site",
    "404": "there is no such song",
    "413": "the upload is too large",
    "415": "neither JSON nor a multipart form",
    "422": "the file is no audio, or too long; a file that gives no genre has its whole result",
    "429": "too many songs wait; see the header Retry-After",
}


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _object(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _schemas() -> Schema:
    frame = _object({"start": _SECONDS, "end": _SECONDS, "genre": _TEXT, "scores": _SCORES})
    section = _object({"start": _SECONDS, "end": _SECONDS, "genre": _TEXT, "confidence": _SHARE})
    return {
        "Song": _object(
            {
                "path": {**_TEXT, "description": "relative to the served folder; an upload's name"},
                "genre": _nullable(_TEXT),
                "confidence": _SHARE,
                "genres": {**_SCORES, "description": "those likely enough, the first first"},
                "subgenres": {**_SCORES, "description": "the same of genres under others"},
                "unsure": {"type": "boolean", "description": "no genre is likely enough"},
                "scores": _SCORES,
                "frames": {**_COUNT, "description": "frames scored"},
                "duration": _nullable(_SECONDS),
                "checkpoint": {**_TEXT, "description": "the model's name"},
                "error": {
                    **_nullable(_TEXT),
                    "description": "what was wrong with the file; a damaged one may have a genre",
                },
                "notes": _list(_TEXT),
                "timeline": _list(frame),
                "sections": _list(section),
            },
            ("timeline", "sections"),
        ),
        "Entry": _object(
            {
                "path": {**_TEXT, "description": "a folder's ends with /"},
                "kind": {"enum": ["folder", "song"]},
                "genre": _nullable(_TEXT),
                "confidence": _nullable(_SHARE),
            },
            ("genre", "confidence"),
        ),
        "Model": _object(
            {
                "name": _TEXT,
                "genres": _list(_TEXT),
                "frame_seconds": _nullable(_SECONDS),
                "timeline": {"type": "boolean"},
                "default": {"type": "boolean"},
            }
        ),
        "Health": _object(
            {
                "status": {"const": "ok"},
                "version": _TEXT,
                "models": _list(_TEXT),
                "queue": _object({"running": _COUNT, "waiting": _COUNT, "limit": _COUNT}),
                "limits": _object({"upload_bytes": _COUNT, "audio_seconds": _SECONDS}),
                "library": _object(
                    {
                        "state": {"enum": ["none", "reading", "ready"]},
                        "songs": {**_COUNT, "description": "with a genre"},
                        "files": _COUNT,
                    }
                ),
            },
            ("version", "models", "queue", "limits", "library"),
        ),
        "Correction": _object(
            {
                "path": _TEXT,
                "genre": {**_TEXT, "description": "what counts now"},
                "confidence": {**_SHARE, "description": "1 of a corrected song"},
                "correction": _nullable(_TEXT),
            }
        ),
        "Error": _object({"error": _TEXT}),
    }


def _refused(*statuses: str) -> Schema:
    return {
        status: {"description": _REFUSALS[status], "content": _json(_ref("Error"))}
        for status in statuses
    }


def _get(summary: str, answer: Schema, *, parameters: list[Schema] | None = None) -> Schema:
    return {
        "get": {
            "summary": summary,
            "parameters": parameters or [],
            "responses": {"200": answer, **_refused("401", "403")},
        }
    }


def _query(name: str, schema: Schema, what: str, required: bool = False) -> Schema:
    return {
        "name": name,
        "in": "query",
        "schema": schema,
        "description": what,
        "required": required,
    }


def _classify(max_upload: int, max_seconds: float) -> Schema:
    options: Schema = {
        "model": {**_TEXT, "description": "one of /api/models; the default if left out"},
        "timeline": {"type": "boolean", "default": False},
    }
    by_path = _object({"path": _TEXT, **options}, tuple(options))
    upload = {"type": "string", "contentMediaType": "application/octet-stream"}
    by_upload = _object({"file": upload, **options}, tuple(options))
    events = (
        "a line of JSON for each event, with its kind under `event`: queued (ahead), started "
        "(path, duration, title, artist, seconds_per_peak, model), waveform (first, peaks), frames "
        "(first, frames, done, total; not always in order), working, and last result (song, "
        "similar, by: embeddings, scores, incomparable or null; correction, a genre or null, of "
        "songs of a scanned library) or error (status, error); closing the connection ends the work"
    )
    answers = {**_json(_ref("Song")), "application/x-ndjson": {"schema": {"description": events}}}
    refused = _refused(*_REFUSALS)
    refused["422"]["content"] = _json({"anyOf": [_ref("Error"), _ref("Song")]})
    return {
        "post": {
            "summary": "a song's genre",
            "description": f"Uploads of at most {max_upload} bytes, songs of at most "
            f"{max_seconds:g} seconds. `Accept: application/x-ndjson` gives events on the way.",
            "requestBody": {
                "required": True,
                "content": {
                    **_json(by_path),
                    "multipart/form-data": {"schema": by_upload},
                },
            },
            "responses": {
                "200": {"description": "the result", "content": answers},
                **refused,
            },
        }
    }


def _correct() -> Schema:
    genre = {**_nullable(_TEXT), "description": "the right genre; null takes it back"}
    answer = {"description": "the song as it counts now", "content": _json(_ref("Correction"))}
    refused = _refused("400", "401", "403", "404", "422")
    refused["422"]["description"] = "no song of the scan, no name of a genre, or the scan is in use"
    return {
        "post": {
            "summary": "note the right genre of a song in the library's table",
            "requestBody": {
                "required": True,
                "content": _json(_object({"path": _TEXT, "genre": genre})),
            },
            "responses": {"200": answer, **refused},
        }
    }


def description(max_upload: int, max_seconds: float) -> Schema:
    """Return the description.

    Parameters
    ----------
    max_upload : int
        Bytes of the largest upload.
    max_seconds : float
        Length of the longest song.
    """
    limit = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    entries = _object({"entries": _list(_ref("Entry")), "more": {"type": "boolean"}})
    audio = {"description": "the file", "content": {"audio/*": {}}}
    song = {"get": {**_get("a song's file, or a range of it", audio)["get"]}}
    song["get"]["parameters"] = [_query("path", _TEXT, "relative to the served folder", True)]
    song["get"]["responses"] |= {
        "206": {**audio, "description": "a range"},
        **_refused("400", "404"),
    }
    found = _get(
        "songs and folders that a text may mean",
        {
            "description": "what begins with it, then what holds its words",
            "content": _json(entries),
        },
        parameters=[
            _query("prefix", _TEXT, "beginning of a path, or words"),
            _query("limit", limit, "most entries"),
        ],
    )
    found["get"]["responses"] |= _refused("400")
    health = {"description": "status; without a token no more", "content": _json(_ref("Health"))}
    models = {"description": "models", "content": _json(_object({"models": _list(_ref("Model"))}))}
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
            "/api/models": _get("the models that are served", models),
            "/api/health": _get("whether the server lives, and how busy it is", health),
            "/api/openapi.json": _get(
                "this description", {"description": "OpenAPI 3.1", "content": _json({})}
            ),
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
