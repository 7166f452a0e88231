"""Random changes of a library while it is watched, and whether the table is that of a fresh scan.

``python -m tests.helpers.library_changes FOLDER CHECKPOINT --changes 200 --kills 5`` prints what
was done as JSON; the exit code is 1 where the tables differ.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import soundfile

from genrenet.library.genre_tags import write_genre
from genrenet.library.table import read_table
from tests.helpers.tones import RATE, tone

STILL = 0.4
PITCHES = (150.0, 900.0, 4000.0)


class Changes:
    """Changes of a folder of songs, as people make them, in a sequence that a seed decides."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, random.Random(seed)
        self.done: Counter[str] = Counter()
        self.number = 0

    @property
    def songs(self) -> list[Path]:
        return sorted(self.folder.rglob("*.flac"))

    def new_place(self) -> Path:
        self.number += 1
        names = [f"artist {self.rng.randrange(3)}", f"album {self.rng.randrange(2)}"]
        folder = self.folder.joinpath(*names[: self.rng.randrange(3)])
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self.number:03}.flac"

    def some(self) -> Path:
        return self.rng.choice(self.songs)

    def add(self) -> None:
        pitch = self.rng.choice(PITCHES) * self.rng.uniform(0.95, 1.05)
        wave = tone(pitch, self.rng.uniform(1.6, 2.4), seed=self.number)
        soundfile.write(self.new_place(), wave, RATE)

    def copy_slowly(self) -> None:
        data = self.some().read_bytes()
        self.number += 1
        soundfile.write(
            whole := self.folder / ".whole.flac", tone(900, 2.0, seed=self.number), RATE
        )
        data = whole.read_bytes()
        with open(self.new_place(), "wb") as file:
            for start in range(0, len(data), len(data) // 4 + 1):
                file.write(data[start : start + len(data) // 4 + 1])
                file.flush()
                time.sleep(STILL / 2)

    def copy(self) -> None:
        shutil.copy(self.some(), self.new_place())

    def move(self) -> None:
        self.some().rename(self.new_place())

    def swap(self) -> None:
        one, two = self.some(), self.some()
        one.rename(held := one.with_suffix(".held"))
        if one != two:
            two.rename(one)
        held.rename(two)

    def retag(self) -> None:
        write_genre(str(self.some()), [f"genre {self.number}"])
        self.number += 1

    def touch(self) -> None:
        os.utime(self.some(), (self.number, self.number))

    def rename_folder(self) -> None:
        if folders := sorted(path for path in self.folder.iterdir() if path.is_dir()):
            self.number += 1
            self.rng.choice(folders).rename(self.folder / f"renamed {self.number}")

    def move_away_and_back(self) -> None:
        song, held = self.some(), self.folder.parent / "held"
        song.rename(held)
        time.sleep(self.rng.uniform(0, 2 * STILL))
        held.rename(song)

    def delete(self) -> None:
        if len(self.songs) > 6:
            self.some().unlink()

    def delete_folder(self) -> None:
        folders = sorted(path for path in self.folder.iterdir() if path.is_dir())
        if len(folders) > 2:
            shutil.rmtree(self.rng.choice(folders))

    def break_one(self) -> None:
        self.some().with_suffix(".mp3").write_text(f"not music at all, {self.number}")

    def other_files(self) -> None:
        (self.folder / "cover.jpg").write_bytes(bytes(self.number % 256))
        (self.folder / ".hidden").mkdir(exist_ok=True)
        shutil.copy(self.some(), self.folder / ".hidden" / f"{self.number}.flac")
        self.number += 1

    def step(self) -> None:
        kinds = [self.add] * 5 + [self.move, self.retag, self.delete] * 3
        kinds += [self.copy_slowly, self.copy, self.rename_folder] * 2
        kinds += [self.swap, self.touch, self.move_away_and_back, self.delete_folder]
        kinds += [self.break_one, self.other_files]
        kind = self.rng.choice(kinds)
        kind()
        self.done[kind.__name__] += 1


class WatchingChild:
    """A forked process that watches, and writes a line about each of its steps."""

    def __init__(self, folder: Path, out: Path, checkpoint: str) -> None:
        read, write = os.pipe()
        self.scored = 0
        self.pid = os.fork()
        if not self.pid:
            os.close(read)
            code = 1
            try:
                _watch(folder, out, checkpoint, write)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(write)
        self.lines = os.fdopen(read)

    def until_idle(self, since: float) -> None:
        """Wait until a step has ended idle that began after a time."""
        for line in self.lines:
            found = json.loads(line)
            self.scored = found["scored"]
            if found["idle"] and found["began"] > since:
                return
        raise AssertionError("the process that watches has ended")

    def end(self, how: int) -> None:
        os.kill(self.pid, how)
        _, status = os.waitpid(self.pid, 0)
        for line in self.lines:
            self.scored = json.loads(line)["scored"]
        assert os.waitstatus_to_exitcode(status) == (0 if how == signal.SIGTERM else -how)


def _watch(folder: Path, out: Path, checkpoint: str, report: int) -> None:
    from genrenet.inference.classify import open_method
    from genrenet.library import watching
    from genrenet.library.scanning import Scan, identity_of
    from genrenet.utils.hardware import stoppable

    watching.CHECK_SECONDS = watching.WRITE_SECONDS = 0.5
    scored = 0

    def tell(counts):
        nonlocal scored
        scored += counts.new + counts.changed

    model, said = open_method(checkpoint, "cpu"), []
    how = Scan([folder], out, model, identity_of(checkpoint), workers=1, watching=True)
    try:
        with stoppable(), watching.Watcher(how, tell, said.append, still=STILL) as watcher:
            watcher.begin()
            while True:
                began = time.monotonic()
                watcher.step()
                line = {"idle": watcher.idle, "began": began, "scored": scored}
                os.write(report, json.dumps(line).encode() + b"\n")
    except KeyboardInterrupt:
        assert not said, said


def run(folder: Path, checkpoint: str, changes: int, kills: int, seed: int) -> dict[str, object]:
    """Change a library while it is watched, and compare its table with that of a fresh scan."""
    library, out = folder / "library", folder / "watched.parquet"
    library.mkdir()
    by_chance = Changes(library, seed)
    for _ in range(8):
        by_chance.add()
    kill_at = set(by_chance.rng.sample(range(changes // 4, changes), kills))
    child, scored, down = WatchingChild(library, out, checkpoint), 0, 0
    for number in range(changes):
        if number in kill_at:
            child.end(signal.SIGKILL)
            scored += child.scored
            for _ in range(by_chance.rng.randrange(3)):
                by_chance.step()
                down += 1
            child = WatchingChild(library, out, checkpoint)
        by_chance.step()
        time.sleep(by_chance.rng.choice((0, 0, 0.05, STILL / 2, 2 * STILL)))
    last = time.monotonic()
    child.until_idle(last + 0.1)
    waited = time.monotonic() - last
    table = read_table(out)
    child.end(signal.SIGTERM)
    scored += child.scored
    differing = [*_differing(table, _fresh(library, folder / "fresh.parquet", checkpoint))]
    return {
        "differing": differing,
        "changes": sum(by_chance.done.values()),
        "while it was down": down,
        "kills": len(kill_at),
        "songs": len(table),
        "scored": scored,
        "seconds until the table was right": round(waited, 1),
        **by_chance.done,
    }


def _fresh(library: Path, out: Path, checkpoint: str):
    from genrenet.inference.classify import open_method
    from genrenet.library.scanning import identity_of, scan

    scan([library], out, open_method(checkpoint, "cpu"), identity_of(checkpoint), workers=1)
    return read_table(out)


def _differing(table, fresh) -> Iterator[str]:
    if [*table["path"]] != [*fresh["path"]]:
        yield f"paths {sorted({*table['path']} ^ {*fresh['path']})}"
        return
    for column in fresh.columns:
        if not table[column].equals(fresh[column]):
            where = table[column].compare(fresh[column])
            yield f"{column}: {where.to_dict('index')}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("checkpoint")
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    found = run(given.folder, given.checkpoint, given.changes, given.kills, given.seed)
    print(json.dumps(found))
    return 1 if found["differing"] else 0


if __name__ == "__main__":
    sys.exit(main())
