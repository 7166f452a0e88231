"""The part of the JSON API for updating the table."""

from __future__ import annotations

import json
from collections.abc import Iterator

import flask
from flask.typing import ResponseReturnValue

from genrenet.web.api import STREAM, service
from genrenet.web.errors import RequestError
from genrenet.web.scan_job import ScanJob

scan_api = flask.Blueprint("scan_api", __name__, url_prefix="/api/library/scan")


@scan_api.get("")
def status() -> ResponseReturnValue:
    """Return the progress of the scan, now or as a stream until it has ended."""
    job = _job()
    if flask.request.accept_mimetypes.best != STREAM:
        return job.status()

    def lines() -> Iterator[bytes]:
        for event in job.follow():
            yield json.dumps({"event": "scan", **event}).encode() + b"\n"

    answer = flask.Response(lines(), mimetype=STREAM)
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


@scan_api.post("")
def start() -> ResponseReturnValue:
    """Start a scan."""
    given = flask.request.get_json(silent=True) or {}
    retry = given.get("retry", False) if isinstance(given, dict) else None
    if not isinstance(retry, bool):
        raise RequestError("retry", found=repr(retry)[:50], wanted="true or false")
    return _job().start(retry=retry), 202


@scan_api.delete("")
def cancel() -> ResponseReturnValue:
    """Stop the scan; finished songs are kept."""
    return _job().cancel()


def _job() -> ScanJob:
    at = service()
    at.the_library()
    assert at.scan is not None
    return at.scan
