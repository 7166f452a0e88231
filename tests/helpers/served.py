"""A real server of a folder, for tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genrenet.inference.classify import open_method
from genrenet.library.scanning import identity_of, scan
from genrenet.web.app import create_app
from genrenet.web.music_folder import Shelf
from genrenet.web.request_queue import Turns
from genrenet.web.scoring import Scoring
from genrenet.web.service import Service
from genrenet.web.serving import Server


def make_service(
    folder: Path,
    *checkpoints: Path | str,
    at_once: int = 2,
    queue: int = 256,
    max_seconds: float = 3600.0,
    **options: Any,
) -> Service:
    """What a server of a folder works with, when it has read all there is to read."""
    models = {Path(each).name: open_method(each) for each in checkpoints}
    scoring = Scoring(models, Turns(at_once, queue), max_seconds=max_seconds)
    service = Service(Shelf(folder), scoring, **options)
    service.wait(60)
    return service


@contextmanager
def serving(
    service: Service, *, host: str = "127.0.0.1", token: str | None = None
) -> Iterator[Server]:
    """Serve at a free port of this machine.

    With another ``host`` the application asks for a token as it would there.
    """
    with tempfile.TemporaryDirectory() as uploads:
        app = create_app(service, uploads, host=host, token=token)
        with Server(app) as server:
            yield server


def scan_of(folder: Path, checkpoint: Path, table: Path) -> Path:
    """A table of a folder's songs."""
    scan([folder], table, open_method(checkpoint), identity_of(checkpoint))
    return table
