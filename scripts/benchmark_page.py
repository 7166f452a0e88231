"""The page of a large library: time to its first view, time of each request, server memory.

The library is generated (see `large_library`): its files are links to one second of audio, its
table is as written by a scan. Requests go to a server in a separate process, one at a time.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import statistics
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from benchmark_serve import resident, server
from benchmarking import BenchmarkError, Limit, common_options, machine, report
from large_library import make_library

REQUEST_MS, FIRST_VIEW_S = 100.0, 1.0
"""Limits for a request and for the first view."""

PATIENCE = 600
"""Limit for reading the table by the server, in seconds."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 9, "")
    parser.add_argument("--songs", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--checkpoint", default="emotify-cnn", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    if not Path("/proc/self/status").exists():
        raise BenchmarkError("the memory of other processes is known on Linux alone")
    about = machine(("flask", "pyarrow", "rapidfuzz"))
    with TemporaryDirectory() as name:
        music, table = make_library(Path(name), options.songs)
        with server(music, options.checkpoint) as (process, port):
            _wait(port, "files", options.songs)
            without = resident(process)
        with server(music, options.checkpoint, "--library", str(table)) as (process, port):
            begun = time.perf_counter()
            _wait(port, "index", "ready")
            read = time.perf_counter() - begun
            _wait(port, "state", "ready")
            found = [
                _limit(what, address, port, options.turns)
                for what, address in _requests(port).items()
            ]
            held = resident(process)
            first = _first_view(port, options.turns)
    note = f"{options.songs:,} songs"
    found += [
        Limit("first view in Chromium, median", first, "s", FIRST_VIEW_S, note)
        if first is not None
        else Limit("first view", 0.0, "s", None, "not measured: no Chromium"),
        Limit("until lists are there after the start", read, "s", None, note),
        Limit("memory of the server", held / 1e6, "MB", None, f"{note}, similar songs too"),
        Limit("of it for the library", (held - without) / 1e6, "MB", None, note),
    ]
    return report(found, about, options.json)


def _requests(port: int) -> dict[str, str]:
    """The URLs that views request, and searches for names in the library."""
    song = _get(port, "/api/library/songs?sort=title&offset=500&limit=1")["songs"][0]
    artist, title = song["artist"], song["title"]
    misspelt = f"{artist[:-1]}x {title}"
    album = {"album": song["album"] or "", "folder": song["album_folder"]}
    words = {
        "by name": f"{artist} {title}",
        "by a beginning": title[:3],
        "misspelt": misspelt,
        "for nothing": "qwzkx",
    }
    return {
        "overview": "overview",
        "songs, first page": "songs",
        "songs, a page in the middle": "songs?sort=title&offset=50000",
        "unsure songs, least sure first": "songs?state=unsure&sort=confidence",
        "songs of a genre": "songs?genre=rock",
        "artists": "artists",
        "albums": "albums",
        "albums of a genre": "albums?genre=jazz",
        "an artist's songs": f"songs?{urlencode({'artist': artist})}",
        "an album's songs": f"songs?{urlencode(album)}",
        "duplicates": "duplicates",
        "a song": f"song?{urlencode({'path': song['path']})}",
        **{f"search {how}": f"search?{urlencode({'q': text})}" for how, text in words.items()},
    }


def _limit(what: str, address: str, port: int, turns: int) -> Limit:
    times = []
    for _ in range(turns):
        begun = time.perf_counter()
        _get(port, f"/api/library/{address}")
        times.append(1e3 * (time.perf_counter() - begun))
    slowest = f"slowest of {turns}: {max(times):.0f} ms"
    return Limit(f"{what}, median", statistics.median(times), "ms", REQUEST_MS, slowest)


def _get(port: int, address: str) -> dict[str, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", address)
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
        if answer.status != 200:
            raise BenchmarkError(f"{address}: {told}")
        return told


def _wait(port: int, what: str, wanted: object) -> None:
    """Wait until the server reports that its library is ready."""
    for _ in range(PATIENCE * 10):
        if _get(port, "/api/health")["library"][what] == wanted:
            return
        time.sleep(0.1)
    raise BenchmarkError(f"the library's {what} is not {wanted!r} after {PATIENCE} s")


def chromium() -> str | None:
    """The browser, None if there is none; CHROMIUM sets its path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def _first_view(port: int, turns: int) -> float | None:
    """Seconds from opening the URL to the bars of all genres, in a browser without a cache."""
    browser = chromium()
    if browser is None:
        return None
    from playwright.sync_api import sync_playwright

    times = []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for _ in range(turns):
            with running.new_context() as context, context.new_page() as page:
                begun = time.perf_counter()
                page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
                page.locator(".genre-bar").last.wait_for()
                times.append(time.perf_counter() - begun)
        running.close()
    return statistics.median(times)
