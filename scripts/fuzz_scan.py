"""Damage small files of every format by code, and send them all through `genrenet scan`."""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.audio_files import KINDS, write

Rng = np.random.Generator
Damage = Callable[[bytearray, bytes, Rng], bytearray]


def _cut(data: bytearray, other: bytes, rng: Rng) -> bytearray:
    return data[: int(rng.integers(1, len(data)))]


def _flips(data: bytearray, other: bytes, rng: Rng) -> bytearray:
    for place in rng.integers(0, len(data), int(rng.integers(1, 200))):
        data[place] ^= 1 << int(rng.integers(8))
    return data


def _zeros(data: bytearray, other: bytes, rng: Rng) -> bytearray:
    begin, length = int(rng.integers(len(data))), int(rng.integers(1, 20_000))
    data[begin : begin + length] = bytes(len(data[begin : begin + length]))
    return data


def _header(data: bytearray, other: bytes, rng: Rng) -> bytearray:
    odd = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), rng.bytes(4))
    for place in rng.integers(0, min(len(data), 600), int(rng.integers(1, 6))):
        data[place : place + 4] = odd[int(rng.integers(len(odd)))]
    return data


def _swap(data: bytearray, other: bytes, rng: Rng) -> bytearray:
    a, b, c = sorted(rng.integers(0, len(data), 3).tolist())
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _join(data: bytearray, other: bytes, rng: Rng) -> bytearray:
    return data + other[int(rng.integers(len(other))) * int(rng.integers(2)) :]


DAMAGES: tuple[Damage, ...] = (_cut, _flips, _zeros, _header, _swap, _join)


def damaged(folder: Path, count: int, seed: int, seconds: float = 1.5) -> list[Path]:
    """Write damaged files.

    Parameters
    ----------
    folder : Path
        Takes the files, and in ``whole`` beside it those that they were made from.
    count : int > 0
    seed : int
    seconds : float > 0
        Length of the files before they are damaged.

    Returns
    -------
    list of Path
    """
    whole = folder.with_name("whole")
    whole.mkdir(parents=True)
    folder.mkdir()
    sources = [write(whole, kind, seconds) for kind in KINDS.values()]
    contents = [path.read_bytes() for path in sources]
    paths = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        source = number % len(sources)
        data = bytearray(contents[source])
        for which in rng.integers(0, len(DAMAGES), int(rng.integers(1, 3))):
            if data:
                data = DAMAGES[which](data, contents[int(rng.integers(len(contents)))], rng)
        paths.append(folder / f"{number:06d}-{sources[source].name}")
        paths[-1].write_bytes(data)
    return paths


def scan(folder: Path, table: Path, *options: str, limit: float) -> list[tuple[str, str | None]]:
    """Scan a folder with the program, and give path and error of each row."""
    command = [sys.executable, "-m", "genrenet", "scan", str(folder), "--out", str(table)]
    done = subprocess.run(
        [*command, "--frames", "1", *options],
        env={**os.environ, "GENRENET_DECODE_SECONDS": f"{limit:g}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):  # 1: some songs have an error
        raise RuntimeError(f"the scan ended with {done.returncode}: {done.stderr[-2000:]}")
    with sqlite3.connect(table) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        for (name,) in tables:
            columns = [row[1] for row in database.execute(f'PRAGMA table_info("{name}")')]
            if {"path", "error"} <= set(columns):
                return database.execute(f'SELECT path, error FROM "{name}"').fetchall()
    raise RuntimeError(f"no table of songs among {tables}")


def main() -> int:
    """Make the files, scan them, and report rows, time and memory; fails without a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds a file (%(default)s)")
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        root = Path(temporary)
        paths = damaged(root / "songs", options.files, options.seed)
        begun = time.monotonic()
        rows = scan(root / "songs", root / "table.sqlite", limit=options.limit)
        seconds = time.monotonic() - begun
    kinds = collections.Counter(
        "scored" if error is None else error.partition("'")[0].strip(": ") for _, error in rows
    )
    report = {
        "files": len(paths),
        "rows": len(rows),
        "seconds": round(seconds, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10,
        "kinds": dict(kinds.most_common()),
        "hangs": sum("no progress" in (error or "") for _, error in rows),
    }
    print(json.dumps(report, indent=1))
    return int(sorted(path for path, _ in rows) != sorted(map(str, paths)))


if __name__ == "__main__":
    raise SystemExit(main())
