"""The map of a large library: frame times, time of each request, memory of both sides.

The library is generated (see `large_library`), and the map is of its genre scores. Frame times are
those of a headless Chromium, which renders without a GPU.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from benchmark_page import chromium
from benchmark_serve import resident, server
from benchmarking import BenchmarkError, Limit, common_options, machine, report
from large_library import make_library

REQUEST_MS, FRAME_MS = 50.0, 1000 / 30
"""Limits for a similarity query, and for a frame."""

PATIENCE = 600
"""Limit for computing the map, in seconds."""

SECONDS = 4
"""Duration of each movement, in seconds."""

MOVES = {"moving the whole map": "pan", "zooming": "zoom", "moving at 8 times the size": "deep"}

_MOVE = """async ([how, seconds]) => {
  const box = document.querySelector(".map-box");
  const { left, top, width, height } = box.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  const wheel = (deltaY) => box.dispatchEvent(
    new WheelEvent("wheel", { clientX: x, clientY: y, deltaY, cancelable: true }));
  const pointer = (kind, right, down) => box.dispatchEvent(
    new PointerEvent(kind, { clientX: x + right, clientY: y + down, pointerId: 1 }));
  box.setPointerCapture = () => {}; // this pointer is none of the browser's
  box.dispatchEvent(new KeyboardEvent("keydown", { key: "0" }));
  if (how === "deep") wheel(-832);
  const times = [];
  let last = performance.now();
  let on = true;
  const tick = () => {
    const now = performance.now();
    times.push(now - last);
    last = now;
    if (on) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  if (how !== "zoom") pointer("pointerdown", 0, 0);
  const end = performance.now() + 1000 * seconds;
  for (let step = 0; performance.now() < end; step += 1) {
    if (how === "zoom") wheel(step % 80 < 40 ? -30 : 30);
    else pointer("pointermove", 60 * Math.sin(step / 6), 40 * Math.cos(step / 9));
    await new Promise((resolve) => setTimeout(resolve, 8));
  }
  on = false;
  if (how !== "zoom") pointer("pointerup", 0, 0);
  return times.slice(1);
}"""


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 15, "")
    parser.add_argument("--songs", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--checkpoint", default="emotify-cnn", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    if not Path("/proc/self/status").exists():
        raise BenchmarkError("the memory of other processes is known on Linux alone")
    about = machine(("scikit-learn", "usearch"))
    with TemporaryDirectory() as name:
        music, table = make_library(Path(name), options.songs)
        with server(music, options.checkpoint, "--library", str(table)) as (process, port):
            drawn, size = _drawn(port)
            found = [
                _limit(what, address, port, options.turns)
                for what, address in _requests(port).items()
            ]
            found += [
                Limit("until the map is drawn", drawn, "s", None, "none if the cache has it"),
                Limit("the points", size / 1e6, "MB"),
                Limit("memory of the server", resident(process) / 1e6, "MB"),
                *_frames(port),
            ]
    return report(found, about, options.json)


def _ask(port: int, address: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", f"/api/library/{address}")
        answer = connection.getresponse()
        return answer.status, answer.read()


def _drawn(port: int) -> tuple[float, int]:
    """Wait for the map; return seconds since it was first requested, and its bytes."""
    begun: float | None = None
    for _ in range(PATIENCE * 5):
        status, told = _ask(port, "map")
        if status == 200:
            return (0.0 if begun is None else time.perf_counter() - begun), len(told)
        if status == 202 and begun is None:
            begun = time.perf_counter()
        time.sleep(0.2)
    raise BenchmarkError(f"no map after {PATIENCE} s: {told!r}")


def _requests(port: int) -> dict[str, str]:
    """Queries about songs of the library."""
    _, told = _ask(port, "songs?genre=rock&limit=5")
    paths: list[str] = [song["path"] for song in json.loads(told)["songs"]]
    wishes = [*(("more", path) for path in paths[:3]), ("less", paths[3])]
    ends = {"from": paths[0], "to": paths[4]}
    return {
        "like a song": f"near?{urlencode({'more': paths[0]})}",
        "like three songs, unlike one": f"near?{urlencode(wishes)}",
        "a path of twelve songs": f"path?{urlencode(ends)}",
    }


def _limit(what: str, address: str, port: int, turns: int) -> Limit:
    times = []
    for _ in range(turns):
        begun = time.perf_counter()
        status, told = _ask(port, address)
        times.append(1e3 * (time.perf_counter() - begun))
        if status != 200:
            raise BenchmarkError(f"{address}: {told!r}")
    slowest = f"slowest of {turns}: {max(times):.0f} ms"
    return Limit(f"{what}, median", statistics.median(times), "ms", REQUEST_MS, slowest)


def _frames(port: int) -> list[Limit]:
    browser = chromium()
    if browser is None:
        return [Limit("frames", 0.0, "ms", None, "not measured: no Chromium")]
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = running.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/#/map")
        page.locator(".map-side ol > li").first.wait_for()
        for what, how in MOVES.items():
            times: list[Any] = sorted(page.evaluate(_MOVE, [how, SECONDS]))
            mean = statistics.mean(times)
            slow = times[int(0.95 * len(times))]
            note = f"{1000 / mean:.0f} a second, 95 % within {slow:.0f} ms"
            found.append(Limit(f"a frame while {what}", mean, "ms", FRAME_MS, note))
        running.close()
    return found
