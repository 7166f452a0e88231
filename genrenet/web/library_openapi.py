"""The description of `genrenet.web.library_api` in OpenAPI 3.1."""

from __future__ import annotations

from genrenet.web.openapi_parts import Schema, get_request, json_of, nullable, object_of


def library_paths() -> Schema:
    """Return the addresses under ``/api``."""
    slot = {"type": "integer", "minimum": 0, "maximum": 59}
    slots = {"type": "object", "additionalProperties": nullable(slot)}
    colours = {
        "description": "a number each: hue `n % 10`, pattern `(n + n // 30) % 6`; null is grey",
        "content": json_of(object_of({"genres": slots})),
    }
    return {"/api/colours": get_request("colours and patterns of the genres", colours)}
