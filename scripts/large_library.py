"""Generate a library of many plausible songs: links to one short sound, and a table of a scan.

Names follow Zipf's law as in real libraries: a few artists have many albums. Some songs have no
tags, some are unsure, not music or damaged, and some are duplicates.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from genrenet.library.table import SCORE, About, write_rows

LABELS = (
    *("blues", "classical", "country", "disco", "electronic", "hiphop", "jazz", "metal"),
    *("not music", "pop", "reggae", "rock"),
)
SUBGENRES = {
    "electronic": ("ambient", "drum and bass", "house", "techno", "trance"),
    "jazz": ("swing", "bebop", "fusion"),
    "metal": ("black metal", "doom metal", "thrash metal"),
    "rock": ("grunge", "progressive rock", "psychedelic rock", "punk rock"),
}
_SYLLABLES = "ba be bo da de do fa fi go ka ki la li lo ma mi mo na ni no pa ra re ro sa se si ta "
_SYLLABLES += "te ti to va ve vi wo za ze é ö ü ñ"


def make_library(folder: Path, songs: int, *, seed: int = 0) -> tuple[Path, Path]:
    """Make a folder of music and the table of its scan.

    Returns
    -------
    music, table : Path
    """
    music, table = folder / "music", folder / "genres.parquet"
    music.mkdir(parents=True)
    sound = folder / "sound.wav"
    second = np.sin(np.arange(8000) * 2 * np.pi * 220 / 8000) * 0.2
    soundfile.write(sound, second, 8000)
    rows = sorted(_rows(music, songs, np.random.default_rng(seed)), key=lambda row: row["path"])
    for row in rows:
        os.makedirs(os.path.dirname(row["path"]), exist_ok=True)
        try:
            os.link(sound, row["path"])
        except OSError:  # a file has a limited number of links
            sound = _copy_of(sound)
            os.link(sound, row["path"])
    write_rows(table, rows, About(list(LABELS), "genres@0123456789ab"))
    return music, table


def _copy_of(sound: Path) -> Path:
    copy = sound.with_name(f"x{sound.name}")
    copy.write_bytes(sound.read_bytes())
    return copy


class _Words:
    """Names of words with frequencies as in a natural language."""

    def __init__(self, rng: np.random.Generator, count: int = 40_000) -> None:
        syllables = _SYLLABLES.split()
        self.rng = rng
        self.words = ["".join(rng.choice(syllables, rng.integers(1, 5))) for _ in range(count)]

    def name(self, least: int, most: int) -> str:
        ranks = self.rng.zipf(1.05, self.rng.integers(least, most + 1)) - 1
        return " ".join(self.words[rank % len(self.words)].capitalize() for rank in ranks.tolist())

    def artist(self) -> str:
        """A name of rare words."""
        words = self.rng.choice(self.words, self.rng.integers(1, 4))
        return " ".join(word.capitalize() for word in words)


def _rows(music: Path, songs: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    made, words, taken = 0, _Words(rng), set[tuple[str, str]]()
    while made < songs:
        artist = words.artist()
        taste = rng.dirichlet(np.full(len(LABELS), 0.15))
        for _ in range(min(40, int(rng.zipf(1.7)))):
            while (artist, album := words.name(1, 4)) in taken:
                pass
            taken.add((artist, album))
            for track in range(1, int(rng.integers(8, 16))):
                if made >= songs:
                    return
                row = _row(music, artist, album, track, taste, rng, words)
                yield row
                made += 1
                if rng.random() < 0.02 and made < songs:
                    copy = row["path"].replace(f"/{album}/", f"/{album} (Best of)/")
                    yield row | {"path": copy, "size": row["size"] // 2}
                    made += 1


def _row(
    music: Path,
    artist: str,
    album: str,
    track: int,
    taste: np.ndarray[Any, np.dtype[np.float64]],
    rng: np.random.Generator,
    words: _Words,
) -> dict[str, Any]:
    title = words.name(1, 5)
    path = f"{music}/{artist}/{album}/{track:02d} {title}.wav"
    row: dict[str, Any] = {"path": path, "size": int(rng.integers(3e6, 3e7)), "mtime": 0}
    if rng.random() < 0.9:
        row |= {"artist": artist, "album": album, "title": title}
    row["sample"] = hashlib.md5(f"{path}{rng.random()}".encode()).hexdigest()
    row |= {"duration": float(rng.uniform(120, 420)), "frames": 3, "checkpoint": "genres"}
    if rng.random() < 0.005:
        return row | {"error": f"no audio in '{path}'", "frames": 0}
    scores = rng.dirichlet(taste * 8 + 0.02)
    best = int(scores.argmax())
    genre = LABELS[best]
    several = [LABELS[label] for label in np.argsort(-scores) if scores[label] >= 0.25] or [genre]
    below = SUBGENRES.get(genre, ())
    return row | {
        "genre": genre,
        "confidence": float(scores[best]),
        "genres": "" if genre == "not music" else "; ".join(several),
        "subgenres": str(rng.choice(below)) if below and rng.random() < 0.6 else "",
        "unsure": int(scores[best] < 0.4),
        **{SCORE + label: float(score) for label, score in zip(LABELS, scores, strict=True)},
    }
