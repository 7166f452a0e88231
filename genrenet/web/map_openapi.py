"""The description of `genrenet.web.map_api` in OpenAPI 3.1."""

from __future__ import annotations

from genrenet.web.library_openapi import filters
from genrenet.web.openapi_parts import (
    COUNT,
    SECONDS,
    SHARE,
    TEXT,
    Schema,
    get_request,
    json_of,
    list_of,
    object_of,
    query,
    ref,
    refused,
)
from genrenet.web.song_points import MOST_NUMBERS, MOST_SONGS

_BY: Schema = {
    "enum": ["embeddings", "scores"],
    "description": "what the similarity is based on: embeddings, or genre scores",
}
_POINTS = (
    "little-endian: the length of the following JSON as uint32; JSON (id, by, left_out: songs that "
    "have no embedding, songs, and genres with genre, songs and labels: the densest places on "
    "the map); x of all songs as uint16, y as uint16, 65535 at the right and at the top; the "
    "number of each song's genre as uint8"
)


def map_schemas() -> Schema:
    """Return the schemas of songs by similarity."""
    a_map = {**TEXT, "description": "id of the map that the numbers belong to"}
    number = {**COUNT, "description": "number on the map"}
    similarity = {**SHARE, "description": "cosine similarity to the request"}
    more = object_of({"number": number, "similarity": similarity}, ("similarity",))
    songs = list_of(ref("MapSong"))
    state = {"enum": ["waiting", "drawing", "ready", "failed"]}
    return {
        "MapSong": {"allOf": [ref("Track"), more]},
        "MapSongs": object_of({"songs": songs}),
        "MapNumbers": object_of({"map": a_map, "numbers": list_of(COUNT)}),
        "MapState": object_of({"state": state, "songs": COUNT, "seconds": SECONDS, "by": _BY}),
        "NearSongs": object_of(
            {"map": a_map, "by": _BY, "more": songs, "less": songs, "songs": songs}
        ),
        "SongPath": object_of({"map": a_map, "by": _BY, "songs": songs}),
    }


def map_paths() -> Schema:
    """Return the paths of the map, of similar songs, and of paths between songs."""
    points = {"description": _POINTS, "content": {"application/octet-stream": {}}}
    drawing = {"description": "the map is being computed", "content": json_of(ref("MapState"))}
    a_map = get_request("all songs as points, similar songs close to each other", points)
    a_map["get"]["responses"] |= {"202": drawing, **refused("400", "503")}
    numbers = list_of({**COUNT, "description": "numbers on the map"})
    asked = object_of({"map": TEXT, "numbers": {**numbers, "maxItems": MOST_NUMBERS}})
    named = {
        "description": "the songs in the order of the request",
        "content": json_of(ref("MapSongs")),
    }
    words = "search words; typing errors are tolerated"
    return {
        "/api/library/map": a_map,
        "/api/library/map/songs": {
            "post": {
                "summary": "songs by their numbers on the map",
                "requestBody": {"required": True, "content": json_of(asked)},
                "responses": {"200": named, **refused("400", "401", "403", "409", "503")},
            }
        },
        "/api/library/map/numbers": _by_sound(
            "numbers of the filtered songs on the map",
            "MapNumbers",
            [*filters(), query("q", TEXT, words)],
        ),
        "/api/library/near": _by_sound(
            "songs similar to some songs and dissimilar to others",
            "NearSongs",
            [
                _several("more", "paths of songs to be similar to", True),
                _several("less", "paths of songs to be dissimilar to", False),
                query("count", _count(20), "maximum number of songs"),
            ],
        ),
        "/api/library/path": _by_sound(
            "a path of similar songs between two songs",
            "SongPath",
            [
                query("from", TEXT, "path of the first song", True),
                query("to", TEXT, "path of the last song", True),
                query("count", _count(12, 2), "number of songs, including both ends"),
            ],
        ),
    }


def _several(name: str, what: str, required: bool) -> Schema:
    return query(name, list_of(TEXT), what, required)


def _count(default: int, least: int = 1) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": MOST_SONGS, "default": default}


def _by_sound(what: str, schema: str, parameters: list[Schema]) -> Schema:
    answer = {"description": what, "content": json_of(ref(schema))}
    found = get_request(what, answer, parameters=parameters)
    found["get"]["responses"] |= refused("400", "404", "503")
    return found
