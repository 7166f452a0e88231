"""Variations and mixtures of songs: whole frames, sound in all of them, and their sources."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from tests.helpers.tones import RATE, tone

sys.path.append(str(Path(__file__).parents[2] / "scripts"))


def test_what_is_made_of_songs_sounds_and_names_them(tmp_path):
    from variations import FRAME, write_variations

    kinds = [("gtzan", "train"), ("gtzan", "excerpt"), ("emotify", ""), ("emotify", "")]
    kinds += [("sounds", "train"), ("sounds", "train"), ("gtzan", "train"), ("gtzan", "train")]
    rows = []
    for number, (collection, part) in enumerate(kinds):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, tone(200.0 + 90 * number, 8.0, seed=number), RATE)
        about = {"path": str(path), "genre": "jazz", "artist": str(number)}
        rows.append({**about, "set": collection, "part": part})
    table = pd.DataFrame(rows)
    groups = ["a", "b", "e", "e", "s", "s", "a", "b"]
    made = write_variations(table, groups, tmp_path / "made", mixed=2)

    assert made["set"].value_counts().to_dict() == {"varied": 3 * 5 + 3, "mixed": 4 + 2 + 2}
    for row in made.itertuples():
        wave, rate = soundfile.read(row.path)
        frames = 1 if row.set == "varied" and row.members != [1] else 2
        assert (rate, len(wave)) == (16_000, frames * FRAME)
        assert np.square(wave).mean() > 1e-4
        assert row.genre == ("jazz" if row.set == "varied" else "")
        assert len({groups[member] for member in row.members}) == 1
        assert len(set(row.members)) == (1 if row.set == "varied" else 2)
