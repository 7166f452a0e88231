"""A folder of short songs with tags, and given model results for them."""

from __future__ import annotations

from pathlib import Path

import mutagen
import numpy as np
import soundfile

from genrenet.library.songs import LibrarySongs, scanned_songs
from genrenet.library.table import About, write_rows

LABELS = ["blues", "jazz", "rock"]


def add_song(path: Path | str, *, seed: int = 0, **tags: str) -> None:
    """A file of a fifth of a second, FLAC whatever its name, with tags."""
    wave = 0.1 * np.random.default_rng(seed).standard_normal(2400)
    with open(path, "wb") as file:
        soundfile.write(file, wave, 12_000, format="FLAC")
    held = mutagen.File(path, easy=True)
    held.update(tags)
    held.save()


def write_table(file: Path, songs: dict[Path, tuple[str, float, float | None]]) -> Path:
    """A table of songs: genre, confidence and seconds by path; the rest goes to other genres."""
    rows = []
    for path, (genre, confidence, seconds) in sorted(songs.items()):
        rest = (1 - confidence) / (len(LABELS) - 1)
        scores = {f"score_{label}": confidence if label == genre else rest for label in LABELS}
        row = {"path": str(path), "genre": genre, "confidence": confidence, "duration": seconds}
        rows.append({**row, **scores})
    write_rows(file, rows, About(LABELS, "model"))
    return file


def make_shelf(folder: Path, *, number: int = 40, artists: int = 5) -> Path:
    """A table of so many songs each of jazz and blues, of 100 to 400 s, by a few artists."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    songs: dict[Path, tuple[str, float, float | None]] = {}
    for genre in ("blues", "jazz"):
        for at in range(number):
            path = folder / f"{genre}-{at:02d}.flac"
            add_song(path, seed=len(songs), artist=f"Artist {at % artists}", title=f"{genre} {at}")
            songs[path] = (genre, 0.99 - 0.01 * at, float(rng.uniform(100, 400)))
    return write_table(folder.with_suffix(".parquet"), songs)


def shelf_songs(folder: Path, **kind: int) -> LibrarySongs:
    """The songs of `make_shelf`."""
    return scanned_songs(make_shelf(folder, **kind))
