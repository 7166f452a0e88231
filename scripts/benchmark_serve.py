"""The server under load: many requests at once, all answered correctly, in bounded memory."""

from __future__ import annotations

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmark_music import songs
from benchmarking import BenchmarkError, Limit, common_options, machine, report

SONGS = 40
"""Number of different songs in the requests."""

GROWTH = 5.0
"""Maximum increase of memory in the second half of the rounds, in percent; the first fills
caches."""

PAGE_SECONDS = 2.0
"""Limits for the page while songs wait, and while all of them arrive at once."""

EDGE = "edge-of-a-part"


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    common_options(parser, 8, "folder of music; synthesised songs without it")
    parser.add_argument("--requests", type=int, default=200, help="at once (%(default)s)")
    parser.add_argument("--checkpoint", default="emotify-cnn", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Measure, report, and return whether the targets were met."""
    if not Path("/proc/self/status").exists():
        raise BenchmarkError("the memory of other processes is known on Linux alone")
    about = machine(("torch", "flask", "waitress"))
    with TemporaryDirectory() as name:
        paths = [Path(path) for path in songs(options.data, SONGS, Path(name))]
        root = options.data or Path(name)
        with server(root, options.checkpoint) as (process, port):
            alone = {path: _ask(port, root, path, upload=False) for path in paths}
            if lost := [path.name for path, (status, _) in alone.items() if status != 200]:
                raise BenchmarkError(f"not to be had: {', '.join(lost)}")
            rounds = [
                _round(process, port, root, paths, alone, options.requests)
                for _ in range(options.turns)
            ]
    memory = [each["bytes"] for each in rounds]
    growth = 100.0 * (memory[-1] / memory[(len(memory) - 1) // 2] - 1.0)
    sizes = ", ".join(f"{each / 1e9:.2f}" for each in memory)
    rate = options.requests / statistics.median(each["seconds"] for each in rounds)
    lost, wrong = (sum(each[kind] for each in rounds) for kind in ("lost", "wrong"))
    page = max(each["page"] for each in rounds)
    all_of_them = f"of {options.turns} x {options.requests} requests at once"
    return report(
        [
            Limit(f"lost {all_of_them}", lost, "", 0.5, f"{rate:.1f} songs a second"),
            Limit(f"wrong {all_of_them}", wrong, "", 0.5),
            Limit(
                "memory that the second half of the rounds adds", growth, "%", GROWTH, f"{sizes} GB"
            ),
            Limit("slowest answer of the page meanwhile", page, "s", PAGE_SECONDS),
        ],
        about,
        options.json,
    )


@contextmanager
def server(root: Path, checkpoint: str, *more: str) -> Iterator[tuple[int, int]]:
    """A server in a separate process: its process id and its port."""
    command = [sys.executable, "-m", "genrenet", "serve", "--music", str(root), "--port", "0"]
    command += ["--checkpoint", checkpoint, "--device", "cpu", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            told = ""
            while not (found := re.search(r"http://[^:]+:(\d+)/", told)):
                line = running.stdout.readline()
                if not line:
                    raise BenchmarkError(f"the server did not start: {told}")
                told += line
            yield running.pid, int(found[1])
        finally:
            running.terminate()


def _round(
    process: int,
    port: int,
    root: Path,
    paths: list[Path],
    alone: dict[Path, tuple[int, Any]],
    requests: int,
) -> dict[str, Any]:
    """Many requests at once, every other one an upload."""
    found: list[tuple[Path, int, Any]] = []
    start = threading.Barrier(requests + 1)

    def ask(number: int) -> None:
        path = paths[number % len(paths)]
        start.wait()
        try:
            found.append((path, *_ask(port, root, path, upload=bool(number % 2))))
        except (OSError, http.client.HTTPException, ValueError) as error:
            print(f"lost: {error!r}", file=sys.stderr)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(requests)]
    for thread in threads:
        thread.start()
    start.wait()
    begun, page = time.perf_counter(), 0.0
    while any(thread.is_alive() for thread in threads):
        asked = time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", "/")
            answer = connection.getresponse()
            if answer.status != 200 or b"</html>" not in answer.read():
                raise BenchmarkError(f"the page did not answer: {answer.status}")
        page = max(page, time.perf_counter() - asked)
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    return {
        "seconds": time.perf_counter() - begun,
        "lost": requests - sum(status == 200 for _, status, _ in found),
        "wrong": sum(answer != alone[path][1] for path, status, answer in found if status == 200),
        "bytes": resident(process),
        "page": page,
    }


def _ask(port: int, root: Path, path: Path, *, upload: bool) -> tuple[int, Any]:
    """The status, and the scores if there are any."""
    if upload:
        head = f'Content-Disposition: form-data; name="file"; filename="song{path.suffix}"'
        body = f"--{EDGE}\r\n{head}\r\n\r\n".encode() + path.read_bytes()
        body += f"\r\n--{EDGE}--\r\n".encode()
        kind = f"multipart/form-data; boundary={EDGE}"
    else:
        body = json.dumps({"path": path.relative_to(root).as_posix()}).encode()
        kind = "application/json"
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=600)) as connection:
        connection.request("POST", "/api/classify", body, {"Content-Type": kind})
        answer = connection.getresponse()
        told = json.loads(answer.read())
        return answer.status, told.get("scores")


def resident(process: int) -> int:
    """Present memory of a process in bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
