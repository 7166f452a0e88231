"""The Flask application."""

from __future__ import annotations

from typing import Any

import flask
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from genrenet.utils.errors import GenrenetError
from genrenet.utils.strict_json import finite_only
from genrenet.web.api import api
from genrenet.web.errors import NotUsable, RequestError
from genrenet.web.library_api import library_api
from genrenet.web.map_api import map_api
from genrenet.web.opensubsonic import rest
from genrenet.web.pages import page, problem
from genrenet.web.playlists import playlists
from genrenet.web.scan_api import scan_api
from genrenet.web.security import guard, token_for
from genrenet.web.service import Service
from genrenet.web.uploads import UploadRequest

FORM_ROOM = 1 << 16
"""Maximum size of a form besides its upload, in bytes."""


class PlainJSON(DefaultJSONProvider):
    """Flask's JSON without NaN and infinity, which browsers reject, in insertion order."""

    sort_keys = False
    ensure_ascii = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Encode a value."""
        return super().dumps(finite_only(obj), **kwargs)


def create_app(
    service: Service,
    uploads: str,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    opensubsonic: bool = False,
) -> flask.Flask:
    """Create the application.

    Parameters
    ----------
    service : Service
    uploads : str
        A folder for uploads, not used otherwise.
    host : str
        The address it will be bound to. On any but the loopback interface a token is required.
    token : str, optional
        The token; one is generated if needed. It is stored in ``config["TOKEN"]``.
    opensubsonic : bool
        Also serve music players, see `genrenet.web.opensubsonic`.

    Returns
    -------
    Flask
        A WSGI application, for any server that runs it in threads of one process.

    Raises
    ------
    ServeError
        The token is easily guessed.
    """
    app = flask.Flask("genrenet.web")
    app.request_class = UploadRequest
    app.json = PlainJSON(app)
    app.config.update(
        SERVICE=service,
        UPLOADS=uploads,
        TOKEN=token_for(host, token),
        MAX_CONTENT_LENGTH=service.max_upload + FORM_ROOM,
    )
    guard(app, host, app.config["TOKEN"])
    app.register_blueprint(page)
    app.register_blueprint(api)
    app.register_blueprint(library_api)
    app.register_blueprint(playlists)
    app.register_blueprint(scan_api)
    app.register_blueprint(map_api)
    if opensubsonic:
        app.register_blueprint(rest)

    @app.errorhandler(RequestError)
    def refused(error: RequestError) -> ResponseReturnValue:
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return {"error": str(error)}, error.status, headers

    @app.errorhandler(GenrenetError)
    def unusable(error: GenrenetError) -> ResponseReturnValue:
        return {"error": str(error)}, NotUsable.status

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        if error.response is not None:
            return error.response
        if not flask.request.path.startswith("/api/"):
            return problem(error)
        text = error.description or error.name
        if error.code == 413:
            large = (flask.request.content_length or 0) > service.max_upload
            text = f"the upload is too large: wanted at most {service.max_upload / 1e6:.0f} MB"
            text = text if large else "the form has too many parts, or a field that is too long"
        return {"error": text}, error.code or 500, dict(error.get_headers()[1:])

    @app.errorhandler(Exception)
    def failed(error: Exception) -> ResponseReturnValue:
        service.log_fault(error)
        if flask.request.path.startswith("/api/"):
            return {"error": service.FAULT}, 500
        return problem(HTTPException(service.FAULT))

    @app.teardown_request
    def clean(error: BaseException | None) -> None:
        if isinstance(flask.request, UploadRequest):
            flask.request.clean()

    return app
