"""Models published by tests: at a file address, or on a faulty server."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from pathlib import Path

import torch

from genrenet.models.checkpoints import PublishedModel, register, registry
from genrenet.models.networks import CNN
from genrenet.training.module import GenreClassifier

small_cnn = functools.partial(CNN, n_stft_frames=71, channels=[8, 16], pools=[[8, 7], [12, 10]])
"""A network for frames of 1.5 s."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def small_model(path: Path) -> GenreClassifier:
    """Conversion of a published file: its bytes say which weights."""
    torch.manual_seed(int(sha256(path.read_bytes())[:8], 16))
    return GenreClassifier(["low", "high"], network=small_cnn).eval()


def model_of(content: bytes, address: str, **changes) -> PublishedModel:
    """An entry of the registry for a file with some content."""
    entry = {
        "name": "tiny",
        "title": "a tiny model",
        "filename": "tiny.bin",
        "sha256": sha256(content),
        "size": len(content),
        "address": address,
        "licence": "CC0",
        "citation": "Nobody (2020), Nothing",
        "labels": ("low", "high"),
        "convert": small_model,
    }
    return PublishedModel(**{**entry, **changes})


class Server(http.server.ThreadingHTTPServer):
    """Serves one file; ``drops`` says after how many bytes each request is cut off."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.ranges, self.lengths, self.status = True, True, 200
        self.drops: list[int] = []
        self.asked: list[str | None] = []
        self.address = f"http://127.0.0.1:{self.server_address[1]}/tiny.bin"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, *_) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        content, begin = self.server.content, 0
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        if asked and self.server.ranges:
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if self.server.lengths:
            self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        drop = self.server.drops.pop(0) if self.server.drops else len(content)
        self.wfile.write(content[begin : begin + drop])

    def log_message(self, *_) -> None:
        pass


CONTENT = b"what the authors published" * 100


def republish(**changes):
    """Another version of the entry ``tiny``."""
    old = registry._MODELS.pop("tiny")
    register(model_of(CONTENT, old.address, **changes))
