"""Access control, and security headers for browsers.

A server on the loopback interface answers every user of this machine. Pages of other sites, open in
the same browser, must not use it: their requests have another ``Host`` (DNS rebinding) or another
origin (``Sec-Fetch-Site``, ``Origin``). A server on any other interface only answers clients with
its token, as ``Authorization: Bearer TOKEN`` or in a cookie that the page sets.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from urllib.parse import urlsplit

import flask
from flask.typing import ResponseReturnValue

from genrenet.web.errors import ServeError

SHORTEST_TOKEN = 12
COOKIE = "genrenet"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
OPEN = {"static", "page.enter", "api.health"}
"""Endpoints that need no token; without it, health only reports that the server runs."""

ASKING = {"opensubsonic"}
"""Blueprints whose requests are authenticated in ways of their own."""


def is_loopback(host: str) -> bool:
    """Return whether an address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def token_for(host: str, token: str | None) -> str | None:
    """Return the required token: the given one, a new one if one is needed, or none.

    Raises
    ------
    ServeError
        The given one is easily guessed.
    """
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise ServeError(
            "--token is easy to guess",
            found=f"{len(token)} characters",
            wanted=f"at least {SHORTEST_TOKEN}",
            remedy="omit it to get a random one",
        )
    return token if token is not None or is_loopback(host) else secrets.token_urlsafe(24)


def proof(token: str) -> str:
    """Return the value of the cookie: not the token itself, which also gives access to the API."""
    return hashlib.sha256(f"genrenet page {token}".encode()).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Return whether two secrets are equal, in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def guard(app: flask.Flask, host: str, token: str | None) -> None:
    """Make an application check access, and send security headers."""
    names = {"localhost", "127.0.0.1", "[::1]", host.lower(), f"[{host.lower()}]"}

    @app.before_request
    def check() -> ResponseReturnValue | None:
        request = flask.request
        named = urlsplit(f"//{request.host}").netloc.rsplit("@")[-1].lower()
        bare = named.rpartition(":")[0] if named.rpartition(":")[2].isdigit() else named
        if is_loopback(host) and bare not in names:
            flask.abort(403, f"this server is not called '{bare[:100]}'")
        if request.method not in ("GET", "HEAD", "OPTIONS") and _from_elsewhere():
            flask.abort(403, "requests from other sites are refused")
        flask.g.known = token is None or known(token)
        if flask.g.known or request.endpoint in OPEN or request.blueprint in ASKING:
            return None
        if request.path.startswith("/api/"):
            flask.abort(401, "wanted the server's token, as 'Authorization: Bearer TOKEN'")
        return flask.redirect(flask.url_for("page.enter"))

    @app.after_request
    def protect(response: flask.Response) -> flask.Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if response.status_code == 401:
            response.headers.setdefault("WWW-Authenticate", 'Bearer realm="genrenet"')
        if flask.request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def known(token: str) -> bool:
    """Return whether the current request has the token or the corresponding cookie."""
    kind, _, given = flask.request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return same(given.strip(), token)
    return same(flask.request.cookies.get(COOKIE, ""), proof(token))


def _from_elsewhere() -> bool:
    request = flask.request
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != request.host.lower()
    except ValueError:
        return True
