"""A real server of a folder, for tests."""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema

from genrenet.cli import main
from genrenet.inference.classify import open_method
from genrenet.library.scanning import identity_of, scan
from genrenet.web.app import create_app
from genrenet.web.music_folder import Shelf
from genrenet.web.openapi import description
from genrenet.web.request_queue import Turns
from genrenet.web.scoring import Model, Scoring
from genrenet.web.service import Service
from genrenet.web.serving import Server


def make_service(
    folder: Path,
    *checkpoints: Path | str,
    at_once: int = 2,
    queue: int = 256,
    max_seconds: float = 3600.0,
    more: Mapping[str, Model] | None = None,
    **options: Any,
) -> Service:
    """What a server of a folder works with, when it has read all there is to read.

    ``more`` are models by name, beside those of checkpoints.
    """
    models: dict[str, Model] = {Path(each).name: open_method(each) for each in checkpoints}
    models |= more or {}
    scoring = Scoring(models, Turns(at_once, queue), max_seconds=max_seconds)
    service = Service(Shelf(folder), scoring, **options)
    service.wait(60)
    return service


@contextmanager
def serving(
    service: Service, *, host: str = "127.0.0.1", token: str | None = None, **options: Any
) -> Iterator[Server]:
    """Serve at a free port of this machine.

    With another ``host`` the application asks for a token as it would there.
    """
    with tempfile.TemporaryDirectory() as uploads:
        app = create_app(service, uploads, host=host, token=token, **options)
        with Server(app) as server:
            yield server


def scan_of(folder: Path, checkpoint: Path, table: Path) -> Path:
    """A table of a folder's songs."""
    scan([folder], table, open_method(checkpoint), identity_of(checkpoint))
    return table


STREAM = {"Accept": "application/x-ndjson"}


def form(data: bytes, name: str) -> dict:
    """A form with one upload; the test client's own would leave files open where they are large."""
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    body = f"--edge\r\n{head}\r\n\r\n".encode() + data + b"\r\n--edge--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=edge"}


def conforms(answer: object, schema: str) -> None:
    whole = description(1, 1.0)
    jsonschema.validate(answer, {**whole, "$ref": f"#/components/schemas/{schema}"})


def asking(port: int, body: bytes, **headers: str) -> http.client.HTTPConnection:
    """A connection on which a song has been asked about."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request("POST", "/api/classify", body, headers)
    return connection


def classified(path: Path, checkpoint: Path, capsys, *options: str) -> dict:
    """What the command line says of a song."""
    capsys.readouterr()
    main(["classify", str(path), "--checkpoint", str(checkpoint), "--format", "json", *options])
    (song,) = json.loads(capsys.readouterr().out)
    return song
