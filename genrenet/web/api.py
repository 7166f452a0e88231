"""The JSON API for classification. `genrenet.web.openapi` describes it."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Iterator
from typing import Any

import flask
from flask.typing import ResponseReturnValue

from genrenet.inference.scorers import SongScorer
from genrenet.version import __version__
from genrenet.web.errors import RequestError
from genrenet.web.events import Event, Events, follow
from genrenet.web.openapi import description
from genrenet.web.paths import relative_name, song_file
from genrenet.web.scoring import Song
from genrenet.web.service import Service
from genrenet.web.uploads import UploadRequest, discard, display_name

api = flask.Blueprint("api", __name__, url_prefix="/api")

STREAM = "application/x-ndjson"
MOST_ENTRIES = 100
_TYPES = {".opus": "audio/ogg", ".oga": "audio/ogg", ".m4a": "audio/mp4", ".m4b": "audio/mp4"}


def service() -> Service:
    """Return the service of the current application."""
    found: Service = flask.current_app.config["SERVICE"]
    return found


def asked_number(name: str, default: int, least: int, most: int) -> int:
    """Return a number from the request's query.

    Raises
    ------
    RequestError
        It is not a number, or out of range.
    """
    given = flask.request.args.get(name, str(default))
    if not given.isdecimal() or len(given) > 9 or not least <= int(given) <= most:
        raise RequestError(name, found=repr(given[:20]), wanted=f"a number from {least} to {most}")
    return int(given)


@api.get("/health")
def health() -> ResponseReturnValue:
    """Return the status of the server, its load, and its limits."""
    if not flask.g.known:
        return {"status": "ok"}
    at = service()
    turns = at.scoring.turns
    return {
        "status": "ok",
        "version": __version__,
        "models": list(at.scoring.models),
        "queue": {"running": turns.running, "waiting": turns.waiting, "limit": turns.limit},
        "limits": {"upload_bytes": at.max_upload, "audio_seconds": at.scoring.max_seconds},
        "library": at.library_state(),
    }


@api.get("/models")
def models() -> ResponseReturnValue:
    """Return the models that songs can be classified with."""
    rows = []
    for number, (name, model) in enumerate(service().scoring.models.items()):
        frame = None if isinstance(model, SongScorer) else model.frames.seconds
        rows.append(
            {
                "name": name,
                "genres": service().scoring.labels(name),
                "kind": service().scoring.kind(name),
                "frame_seconds": frame,
                "timeline": frame is not None,
                "default": number == 0,
            }
        )
    return {"models": rows}


@api.get("/library")
def library() -> ResponseReturnValue:
    """Return songs and folders that match the beginning of a path, or some words."""
    given = flask.request.args.get("limit", "20")
    if not given.isdecimal() or len(given) > 4 or not 1 <= int(given) <= MOST_ENTRIES:
        raise RequestError("limit", found=given[:20], wanted=f"a number from 1 to {MOST_ENTRIES}")
    prefix = flask.request.args.get("prefix", "")[:1000]
    entries, more = service().shelf.complete(prefix, int(given))
    return {"entries": entries, "more": more}


@api.get("/audio")
def audio() -> ResponseReturnValue:
    """Return a song's file, or a range of it, for a player."""
    path = song_file(service().shelf.root, flask.request.args.get("path", ""))
    suffix = "." + path.rpartition(".")[2].lower()
    kind = _TYPES.get(suffix) or mimetypes.guess_type("song" + suffix)[0]
    return flask.send_file(path, kind or "application/octet-stream", conditional=True, max_age=0)


@api.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Return the description of this API."""
    at = service()
    return description(at.max_upload, at.scoring.max_seconds)


@api.post("/classify")
def classify() -> ResponseReturnValue:
    """Return a song's genre, at the end or incrementally."""
    at = service()
    song, model, timeline = _asked(at)
    streaming = flask.request.accept_mimetypes.best == STREAM
    # An upload outlives the request: its answer is written after the request has ended.
    upload = None if song.in_library else song.file
    if streaming:
        events = follow(at.scoring, song, model)
        if upload is not None:
            _request().kept.pop(upload).close()
        answer = flask.Response(_Lines(at, song, events, upload), mimetype=STREAM)
        answer.headers["X-Accel-Buffering"] = "no"  # proxies would buffer the lines
        return answer
    gone: Callable[[], bool] = flask.request.environ.get("waitress.client_disconnected", bool)
    result = at.scoring.classify(song, model, gone, timeline=timeline)
    return result.as_dict(timeline=timeline), 422 if result.genre is None else 200


@api.post("/correct")
def correct() -> ResponseReturnValue:
    """Record the right genre of a song of the library, or remove it."""
    at, given = service(), _body()
    genre = given.get("genre", "")
    if not (genre is None or isinstance(genre, str)):
        raise RequestError("genre", found=repr(genre)[:100], wanted="a name, or null")
    return at.correct(_song(at, given["path"]), genre)


def _body() -> dict[str, Any]:
    """Return the request's JSON, which must contain a song."""
    try:
        given = flask.request.get_json(silent=True)
    except RecursionError:
        given = None
    if not isinstance(given, dict) or not isinstance(given.get("path"), str):
        raise RequestError("the request's body", wanted='JSON such as {"path": "song.mp3"}')
    return given


def _song(at: Service, path: str) -> Song:
    file = song_file(at.shelf.root, path)
    return Song(file, relative_name(at.shelf.root, file), at.shelf.root)


def _request() -> UploadRequest:
    found = flask.request
    assert isinstance(found, UploadRequest)
    return found


def _asked(at: Service) -> tuple[Song, str, bool]:
    """Return the song, the model, and whether a timeline is requested."""
    request = _request()
    if request.mimetype == "application/json":
        given = _body()
        name = given.get("model")
        if not (name is None or isinstance(name, str)):
            raise RequestError("model", found=repr(name)[:100], wanted="a name")
        timeline = given.get("timeline", False)
        if not isinstance(timeline, bool):
            raise RequestError("timeline", found=repr(timeline)[:100], wanted="true or false")
        model = at.scoring.model_named(name)
        return _song(at, given["path"]), model, timeline
    if request.mimetype == "multipart/form-data":
        uploads = request.files.getlist("file")
        if len(uploads) != 1 or len(request.kept) != 1:
            raise RequestError(
                "the upload", found=f"{len(request.files)} files", wanted="one as 'file'"
            )
        (file,) = request.kept
        uploads[0].close()
        name = request.form.get("model") or None
        timeline = request.form.get("timeline", "").lower() in ("1", "true", "on", "yes")
        return (
            Song(file, display_name(uploads[0].filename)),
            at.scoring.model_named(name),
            timeline,
        )
    flask.abort(415, "wanted a multipart form with 'file', or JSON with 'path'")


def _line(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False, allow_nan=False).encode() + b"\n"


class _Lines:
    """Events as lines of JSON; the upload is removed when they are closed."""

    def __init__(self, at: Service, song: Song, events: Events, upload: str | None) -> None:
        self.at, self.song, self.events, self.upload = at, song, events, upload

    def __iter__(self) -> Iterator[bytes]:
        try:
            for event in self.events:
                yield _line(self._outside(event))
        except RequestError as error:
            yield _line({"event": "error", "status": error.status, "error": str(error)})
        except Exception as error:
            yield _line(self._outside({"event": "error", "fault": error}))

    def _outside(self, event: Event) -> dict[str, Any]:
        """Return an event in the form of the client."""
        if event["event"] == "result":
            result = event["song"]
            more = {**self.at.similar(self.song, result), **self.at.correction(self.song)}
            return {"event": "result", "song": result.as_dict(timeline=True), **more}
        if "fault" in event:
            self.at.log_fault(event["fault"])
            return {"event": "error", "status": 500, "error": self.at.FAULT}
        return event

    def close(self) -> None:
        try:
            self.events.close()
        finally:
            if self.upload is not None:
                discard(self.upload)
