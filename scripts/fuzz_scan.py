"""Damage small files of every format, and run them all through `genrenet scan`."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from genrenet.library.journal import parts_folder
from tests.helpers.audio_files import KINDS, write

_BEGUN = 1 << 14  # bytes of rows after which the scan has loaded its network

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
        Folder for the files; the originals go to ``whole`` next to it.
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


@dataclasses.dataclass(frozen=True)
class Scanned:
    """The results of a run of the program.

    Attributes
    ----------
    rows : list of (str, str or None)
        Path and error of each song.
    code : int
        Exit code.
    seconds : float
    megabytes : list of float
        Resident memory of the scanning process from its first rows on, ten times a second; empty if
        the system does not report it.
    """

    rows: list[tuple[str, str | None]]
    code: int
    seconds: float
    megabytes: list[float]

    def thirds(self) -> dict[str, float | None]:
        """Compare memory at the beginning of the run, after a tenth for warming up, and at its
        end."""
        warm = self.megabytes[len(self.megabytes) // 10 :]
        third = len(warm) // 3
        if not third:
            return {"first_mb": None, "last_mb": None, "growth_percent": None}
        first, last = statistics.median(warm[:third]), statistics.median(warm[-third:])
        growth = round(100 * (last / first - 1), 1)
        return {"first_mb": round(first, 1), "last_mb": round(last, 1), "growth_percent": growth}


def scan(folder: Path, table: Path, *options: str, limit: float) -> Scanned:
    """Scan a folder with the program.

    Raises
    ------
    RuntimeError
        The exit code of an invalid request.
    """
    command = [sys.executable, "-m", "genrenet", "scan", str(folder), "--out", str(table)]
    environment = {**os.environ, "GENRENET_DECODE_SECONDS": f"{limit:g}"}
    begun, megabytes, journals = time.monotonic(), list[float](), parts_folder(table)
    with TemporaryFile("w+") as said:
        run = [*command, "--frames", "1", *options]
        with subprocess.Popen(run, env=environment, stdout=said, stderr=said) as process:
            while process.poll() is None:
                time.sleep(0.1)
                with suppress(OSError):
                    written = sum(path.stat().st_size for path in journals.glob("*.jsonl"))
                    if written < _BEGUN:
                        continue
                    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
                    megabytes.append(pages * resource.getpagesize() / (1 << 20))
        seconds = time.monotonic() - begun
        said.seek(0)
        if process.returncode not in (0, 1):  # 1: some songs have an error
            end = said.read()[-2000:]
            raise RuntimeError(f"the scan ended with {process.returncode}: {end}")
    with closing(sqlite3.connect(table)) as database:
        rows = database.execute("SELECT path, error FROM songs").fetchall()
    return Scanned(rows, process.returncode, seconds, megabytes)


def kind(error: str | None) -> str:
    """Return an error's message without the file's name."""
    if error is None:
        return "scored"
    before, _, rest = error.partition("'")
    return before.strip(": ") or rest.partition("'")[2].partition(":")[0].strip()


def main() -> int:
    """Make the files, scan them, and report rows, time and memory; fail unless all have a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds a file (%(default)s)")
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        root = Path(temporary)
        paths = damaged(root / "songs", options.files, options.seed)
        found = scan(root / "songs", root / "table.sqlite", limit=options.limit)
    report = {
        "files": len(paths),
        "rows": len(found.rows),
        "exit_code": found.code,
        "seconds": round(found.seconds, 1),
        "memory": found.thirds(),
        "kinds": dict(collections.Counter(kind(error) for _, error in found.rows).most_common()),
        "hangs": sum("no progress" in (error or "") for _, error in found.rows),
    }
    print(json.dumps(report, indent=1))
    return int(sorted(path for path, _ in found.rows) != sorted(map(str, paths)))


if __name__ == "__main__":
    raise SystemExit(main())
