"""The page, and the login page for the token."""

from __future__ import annotations

from importlib import resources

import flask
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from genrenet.version import __version__
from genrenet.web.security import COOKIE, proof, same

page = flask.Blueprint("page", __name__)

MODULES = sorted(
    entry.name
    for entry in resources.files("genrenet.web").joinpath("static").iterdir()
    if entry.name.endswith(".js")
    and (not entry.name.startswith("map_") or entry.name == "map_links.js")
)
"""Scripts of the first view, preloaded because a browser would otherwise load them one after
another; those of the map are loaded with it.
"""


@page.get("/")
def index() -> ResponseReturnValue:
    """Return the page itself."""
    return flask.render_template("index.html", version=__version__, modules=MODULES)


@page.route("/token", methods=["GET", "POST"])
def enter() -> ResponseReturnValue:
    """Ask for the token, and accept it: from a form, or from the link that the server printed."""
    token: str | None = flask.current_app.config["TOKEN"]
    given = flask.request.form.get("token") or flask.request.args.get("token")
    if token is None or flask.g.known or (given is not None and same(given.strip(), token)):
        answer = flask.redirect(flask.url_for("page.index"))
        if token is not None:
            answer.set_cookie(
                COOKIE,
                proof(token),
                httponly=True,
                samesite="Strict",
                secure=flask.request.is_secure,
            )
        return answer
    asked = flask.render_template("token.html", wrong=given is not None, version=__version__)
    return asked, 401


def problem(error: HTTPException) -> ResponseReturnValue:
    """Return the error page for a failed request."""
    status = error.code or 500
    message = error.description or error.name
    shown = flask.render_template(
        "problem.html", status=status, message=message, version=__version__
    )
    return shown, status
