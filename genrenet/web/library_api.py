"""The part of the JSON API that tells of the library as a whole."""

from __future__ import annotations

import flask
from flask.typing import ResponseReturnValue

from genrenet.utils.genre_colours import genre_slots
from genrenet.web.api import service

library_api = flask.Blueprint("library_api", __name__, url_prefix="/api")


@library_api.get("/colours")
def colours() -> ResponseReturnValue:
    """Return the number of the colour and pattern of every genre that is known here."""
    at = service()
    labels = {label for name in at.scoring.models for label in at.scoring.labels(name)}
    labels |= {genre for genre, _ in at.shelf.genres.values()}
    return {"genres": genre_slots(labels)}
