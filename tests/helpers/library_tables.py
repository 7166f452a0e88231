"""Tables of small libraries with known songs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from genrenet.library.table import SCORE, About, write_rows
from tests.helpers.tones import RATE, tone

LABELS = ["jazz", "not music", "rock"]


def song(path: str, genre: str | None = "rock", confidence: float = 0.9, **more: Any) -> dict:
    """A row of a table; ``more`` are its other columns."""
    row = {"path": path, "size": 1000, "mtime": 0, "frames": 1, "duration": 60.0}
    if genre is None:
        return row | {"error": f"no audio in '{path}'", "frames": 0} | more
    others = (1 - confidence) / (len(LABELS) - 1)
    scores = {SCORE + label: confidence if label == genre else others for label in LABELS}
    genres = "" if genre == "not music" else genre
    answer = {"genre": genre, "confidence": confidence, "genres": genres, "unsure": 0}
    return row | answer | scores | more


def tagged(artist: str, album: str, title: str) -> dict[str, str]:
    """Columns of tags."""
    return {"artist": artist, "album": album, "title": title}


SHELF = {
    "AC_DC/Powerage/01 Sin City.wav": {**tagged("AC/DC", "Powerage", "Sin City")},
    "AC_DC/Powerage/02 Riff Raff.wav": {**tagged("AC/DC", "Powerage", "Riff Raff")},
    "Best of/CD1/Sin City.mp3": {
        **tagged("AC/DC", "Rock Hits", "Sin City"), "duration": 61.0, "size": 500},
    "Best of/CD2/Jóga.wav": {
        **tagged("Björk", "Rock Hits", "Jóga"), "genre": "rock", "subgenres": "art rock"},
    "Björk/Homogenic/01 - Jóga (live).wav": {},
    "Miles Davis/Kind of Blue/So What.wav": {
        "genre": "jazz", **tagged("Miles Davis", "Kind of Blue", "So What"), "subgenres": "modal"},
    "Miles Davis/Kind of Blue/Freddie Freeloader.wav": {
        "genre": "jazz", "confidence": 0.4, "unsure": 1, "genres": "jazz; rock",
        **tagged("Miles Davis", "Kind of Blue", "Freddie Freeloader")},
    "Miles Davis/So What.wav": {
        "genre": "jazz", "duration": 200.0, **tagged("Miles Davis", "", "So What")},
    "sounds/rain.wav": {"genre": "not music"},
    "sounds/broken.mp3": {"genre": None},
}  # fmt: skip
"""Songs by their paths: each is a row's columns."""


def write_shelf(root: Path, table: Path, shelf: dict[str, dict[str, Any]] = SHELF) -> Path:
    """Write the table of a shelf in ``root``."""
    rows = [song(str(root / path), **about) for path, about in shelf.items()]
    write_rows(table, sorted(rows, key=lambda row: row["path"]), About(LABELS, "small@0123"))
    return table


def write_songs(root: Path, shelf: dict[str, dict[str, Any]] = SHELF) -> None:
    """Write the files of a shelf."""
    for number, path in enumerate(shelf):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".wav"):
            soundfile.write(root / path, tone(200.0 + 50 * number, 2.0, seed=number), RATE)
        else:
            (root / path).write_bytes(np.random.default_rng(number).bytes(2000))
