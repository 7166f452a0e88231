"""Synthetic tables of features of songs with several genres each."""

import numpy as np
import pandas as pd

from tests.helpers.tones import RATE, tone

GENRES = ("blues", "folk", "jazz", "rock")


def feature_table(file, songs=120, artists=40, noise=0.7, seed=0):
    """Write a table in which each genre moves one column of features, and return it."""
    rng = np.random.default_rng(seed)
    has = rng.random((songs, len(GENRES))) < (0.3, 0.5, 0.4, 0.6)
    has[~has.any(axis=1), 1] = True
    artist = rng.permutation(np.arange(songs) % artists)
    frame = pd.DataFrame(
        {
            "track_id": [f"song {number:03}" for number in range(songs)],
            "genres": ["; ".join(np.array(GENRES)[row]) for row in has],
            "artist": [f"artist {number}" for number in artist],
            "split": [("train", "train", "validation", "test")[number % 4] for number in artist],
        }
    )
    for column in range(len(GENRES)):
        frame[f"f{column}"] = has[:, column] + noise * rng.standard_normal(songs)
    frame["f4"] = rng.standard_normal(songs)
    frame.to_csv(file, index=False)
    return frame


PITCHES = {"high": 3000.0, "low": 200.0, "middle": 900.0}


def tone_table(folder, songs=24):
    """Write songs of one to three pitches, each a genre, and a table of them; return the table."""
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(songs):
        mine = [name for bit, name in enumerate(PITCHES) if (1 + number % 7) >> bit & 1]
        sound = sum(tone(PITCHES[name], 1.5, seed=number) for name in mine) / 3
        soundfile.write(folder / f"{number}.wav", sound, RATE)
        part = ("train", "train", "validation", "test")[number // 7 % 4]
        rows.append(
            {"path": f"{number}.wav", "genres": "; ".join(mine), "artist": "", "split": part}
        )
    pd.DataFrame(rows).to_csv(folder / "songs.csv", index=False)
    return folder / "songs.csv"
