"""Augment the available music: songs at other speeds and through filters, and mixtures of songs.

These need no labels: a teacher provides the targets. Anything derived from a song is left out
wherever that song is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr
from numpy.typing import NDArray

from genrenet import audio

RATE, FRAME = 16_000, 47_616
"""Sample rate in Hz, and samples of a frame of MusiCNN: 2.976 s."""

PER_SHORT, PER_LONG, MIXED = 5, 3, 250
"""Variations of a short excerpt (a frame each) and of a longer one (two frames), and number of
songs of Emotify that are mixed."""

Wave = NDArray[np.float32]


def varied(wave: Wave, rng: np.random.Generator) -> Wave:
    """A wave played slower or faster, by up to a sixth, through a random smooth filter."""
    found = soxr.resample(wave, RATE, RATE * rng.uniform(0.84, 1.19))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(found), 1 / RATE), 40) / 800)
    gain = rng.uniform(-3, 3) * octaves
    gain += rng.uniform(-4, 4) * np.sin(octaves * rng.uniform(0.5, 2) + rng.uniform(0, 6.28))
    spectrum = np.fft.rfft(found) * 10 ** (gain.clip(-14, 14) / 20)
    return np.asarray(np.fft.irfft(spectrum, len(found)), np.float32)


def stretch(wave: Wave, size: int, rng: np.random.Generator) -> Wave:
    """A number of samples from a random position in a wave, which is repeated if it is shorter."""
    first = int(rng.integers(max(1, len(wave) - size + 1)))
    return np.resize(wave[first : first + size], size)


def mixture(waves: Sequence[Wave], rng: np.random.Generator) -> Wave:
    """Two frames of two songs mixed, neither more than 9 dB above the other."""
    one, other = (stretch(wave, 2 * FRAME, rng) for wave in waves)
    level = 10 ** (rng.uniform(-9, 9) / 40)
    one, other = (w / (np.sqrt(np.square(w).mean()) + 1e-6) for w in (one, other))
    return np.asarray(0.075 * (one * level + other / level), np.float32)


def write_variations(
    table: pd.DataFrame, groups: Sequence[str], folder: Path, mixed: int = MIXED
) -> pd.DataFrame:
    """Write variations of GTZAN's excerpts and mixtures of all songs as WAV files.

    Parameters
    ----------
    table : pandas.DataFrame
        With ``path``, ``genre``, ``set``, ``part`` and ``artist``; see `train_genres.songs`.
    groups : sequence of str
        Songs are mixed with others of their group, so that leaving out a group loses no others.
    folder : Path
    mixed : int >= 0
        Number of songs of Emotify that are mixed.

    Returns
    -------
    pandas.DataFrame
        ``path``, ``genre`` ('' for mixtures), ``set`` ("varied" or "mixed") and ``members``, the
        rows of the source songs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng, rows = np.random.default_rng(7), list[dict[str, object]]()

    def write(wave: Wave, kind: str, genre: str, members: list[int]) -> None:
        path = folder / f"{len(rows):05d}.wav"
        soundfile.write(path, wave.clip(-1, 1), RATE)
        rows.append({"path": str(path), "genre": genre, "set": kind, "members": members})

    waves = {row: audio.load(path, RATE) for row, path in enumerate(table["path"])}
    gtzan = np.flatnonzero(table["set"] == "gtzan")
    emotify = np.flatnonzero(table["set"] == "emotify")
    for row in gtzan.tolist():
        genre = str(table["genre"].iloc[row])
        long = table["part"].iloc[row] == "excerpt"
        for _ in range(PER_LONG if long else PER_SHORT):
            size = round(2.3 * FRAME) if long else len(waves[row])
            wave = varied(stretch(waves[row], size, rng), rng)
            kept = len(wave) if long else round(len(wave) * rng.uniform(0.5, 1))
            wave = np.resize(stretch(wave, kept, rng), FRAME * (2 if long else 1))
            write(wave, "varied", genre, [row])
    sounds = np.flatnonzero((table["set"] == "sounds") & (table["part"] == "train"))
    first = np.concatenate([gtzan, rng.choice(emotify, mixed, replace=False), sounds])
    of, artists = np.asarray(groups), table["artist"].to_numpy()
    for row in first.tolist():
        fellows = np.flatnonzero((of == of[row]) & (artists != artists[row]))
        other = int(rng.choice(fellows))
        write(mixture([waves[row], waves[other]], rng), "mixed", "", [row, other])
    return pd.DataFrame(rows)
