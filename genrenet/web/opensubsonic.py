"""An OpenSubsonic API for the scanned library: genres, similar songs and paths for music players.

Songs are browsed, searched and played unchanged; nothing is written or transcoded. See
https://opensubsonic.netlify.app for the API: Subsonic's 1.16.1 with the extensions of `EXTENSIONS`.
"""

from __future__ import annotations

import hashlib
from typing import Any
from xml.etree import ElementTree as ET

import flask
from flask.typing import ResponseReturnValue

from genrenet.utils.errors import GenrenetError
from genrenet.version import __version__
from genrenet.web import opensubsonic_lists as lists
from genrenet.web.opensubsonic_lists import Fault, Method, Parameters
from genrenet.web.opensubsonic_media import Media
from genrenet.web.paths import song_file
from genrenet.web.security import same
from genrenet.web.service import Service

rest = flask.Blueprint("opensubsonic", __name__, url_prefix="/rest")

VERSION = "1.16.1"
EXTENSIONS = {"apiKeyAuthentication": [1], "formPost": [1], "sonicSimilarity": [1]}
PUBLIC = "getOpenSubsonicExtensions"
NAMESPACE = "http://subsonic.org/restapi"

Answer = dict[str, Any]
METHODS: dict[str, Method] = {
    "ping": lambda at, given: {},
    "getLicense": lambda at, given: {"license": {"valid": True}},
    PUBLIC: lambda at, given: {
        "openSubsonicExtensions": [
            {"name": name, "versions": versions} for name, versions in EXTENSIONS.items()
        ]
    },
    "tokenInfo": lambda at, given: {"tokenInfo": {"username": "genrenet"}},
    "getMusicFolders": lambda at, given: {
        "musicFolders": {"musicFolder": [{"id": 1, "name": "Music"}]}
    },
    "getUser": lambda at, given: {"user": _user(given)},
    "getScanStatus": lambda at, given: {
        "scanStatus": {"scanning": _scans(at), "count": len(lists.media(at).index)}
    },
    "getPlaylists": lambda at, given: {"playlists": {"playlist": []}},
    "getStarred2": lambda at, given: {"starred2": {}},
    **lists.METHODS,
}
"""Methods that return JSON or XML, by name."""

FILES = ("stream", "download")
"""Methods that return a song's file."""


@rest.route("/<method>", methods=["GET", "POST"])
@rest.route("/<method>.view", methods=["GET", "POST"])
def call(method: str) -> ResponseReturnValue:
    """Answer a method of the API; errors are also answers with status 200."""
    at: Service = flask.current_app.config["SERVICE"]
    given = Parameters(flask.request.values)
    try:
        if method != PUBLIC:
            authenticate(given, flask.current_app.config["TOKEN"])
        if method in FILES:
            return _file(at, given)
        if method not in METHODS:
            raise Fault(0, f"this server has no method '{method[:60]}'")
        return _answer(given, "ok", METHODS[method](at, given))
    except Fault as fault:
        error = {"code": fault.code, "message": str(fault)}
    except GenrenetError as found:
        error = {"code": 0, "message": str(found)}
    return _answer(given, "failed", {"error": error})


def authenticate(given: Parameters, token: str | None) -> None:
    """Raise an error for requests without the server's token.

    It is the API key, or the password of any user: as ``p``, in hexadecimal after ``enc:``, or as
    ``t``, the MD5 of it and the salt ``s``. A server on the loopback interface needs none.

    Raises
    ------
    Fault
    """
    if token is None or flask.g.known:
        return
    key, password, digest, salt = (given.text(name) for name in ("apiKey", "p", "t", "s"))
    if key:
        if password or digest or given.text("u"):
            raise Fault(43, "give either 'apiKey' or a user, not both")
        if not same(key, token):
            raise Fault(44, "the API key is not the server's token")
        return
    if not password and not (digest and salt):
        raise Fault(10, "wanted 'apiKey', or 'u' with 'p', or with 't' and 's'")
    if password.startswith("enc:"):
        try:
            password = bytes.fromhex(password[4:]).decode()
        except ValueError:
            password = ""
    wanted = hashlib.md5((token + salt).encode(), usedforsecurity=False).hexdigest()
    if not (same(digest.lower(), wanted) if digest else same(password, token)):
        raise Fault(40, "wrong user or password: the password is the server's token")


def _scans(at: Service) -> bool:
    return at.scan is not None and at.scan.status()["state"] == "running"


def _user(given: Parameters) -> Answer:
    roles = [
        *("admin", "settings", "upload", "playlist", "coverArt", "comment", "podcast", "share"),
        *("jukebox", "videoConversion"),
    ]
    return {
        "username": given.text("username") or given.text("u") or "genrenet",
        "scrobblingEnabled": False,
        "streamRole": True,
        "downloadRole": True,
        **{f"{role}Role": False for role in roles},
        "folder": [1],
    }


def _file(at: Service, given: Parameters) -> ResponseReturnValue:
    media: Media = lists.media(at)
    row = lists.song(media, given, "id")
    path = song_file(at.shelf.root, media.index.paths[row].as_py())
    kind = media.songs([row])[0]["contentType"]
    return flask.send_file(path, kind, conditional=True, max_age=0)


def _answer(given: Parameters, status: str, content: Answer) -> flask.Response:
    body = {
        "status": status,
        "version": VERSION,
        "type": "genrenet",
        "serverVersion": __version__,
        "openSubsonic": True,
        **content,
    }
    form = given.text("f") or "xml"
    if form in ("json", "jsonp"):
        return flask.jsonify({"subsonic-response": body})
    top = _element("subsonic-response", body)
    top.set("xmlns", NAMESPACE)
    text = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return flask.Response(text, mimetype="text/xml")


def _element(name: str, content: Answer) -> ET.Element:
    """Return XML as Subsonic forms it: numbers and texts are attributes, lists repeat elements."""
    found = ET.Element(name)
    for key, value in content.items():
        if isinstance(value, dict):
            found.append(_element(key, value))
        elif isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    found.append(_element(key, each))
                else:
                    ET.SubElement(found, key).text = str(each)
        elif key == "value":
            found.text = str(value)
        else:
            found.set(key, str(value).lower() if isinstance(value, bool) else str(value))
    return found
