"""Building blocks of API descriptions in OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
SECONDS: Schema = {"type": "number", "minimum": 0, "description": "seconds"}
SCORES: Schema = {
    "type": "object",
    "additionalProperties": SHARE,
    "description": "score of every genre; they sum to one, unless the model is a tagger",
}
REFUSALS = {
    "400": "the request cannot be understood",
    "401": "a token is wanted",
    "403": "the request comes from another site",
    "404": "there is no such song",
    "409": "the library has changed",
    "413": "the upload is too large",
    "415": "neither JSON nor a multipart form",
    "422": "the file is no audio, or too long; a file that gives no genre has its whole result",
    "429": "too many songs wait; see the header Retry-After",
    "503": "the library is still being read; see the header Retry-After",
}


def nullable(schema: Schema) -> Schema:
    """Return a schema that also allows null."""
    return {**schema, "type": [schema["type"], "null"]}


def object_of(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object; all properties except the optional ones are required."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def list_of(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def ref(name: str) -> Schema:
    """Return a reference to a schema by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def json_of(schema: Schema) -> Schema:
    """Return content of JSON."""
    return {"application/json": {"schema": schema}}


def refused(*statuses: str) -> Schema:
    """Return the responses for some status codes."""
    return {
        status: {"description": REFUSALS[status], "content": json_of(ref("Error"))}
        for status in statuses
    }


def get_request(summary: str, answer: Schema, *, parameters: list[Schema] | None = None) -> Schema:
    """Return a GET request."""
    return {
        "get": {
            "summary": summary,
            "parameters": parameters or [],
            "responses": {"200": answer, **refused("401", "403")},
        }
    }


def query(name: str, schema: Schema, what: str, required: bool = False) -> Schema:
    """Return a parameter of the URL."""
    return {
        "name": name,
        "in": "query",
        "schema": schema,
        "description": what,
        "required": required,
    }
