"""Songs to split, and views of a split."""

import numpy as np
import pandas as pd

from genrenet.data.splits import PARTS


def collection(genres=(("blues", 60), ("metal", 40), ("pop", 23)), artists=12, shared=2, seed=0):
    """A table of songs whose artists differ much in size; the first `shared` are in every genre."""
    rng = np.random.default_rng(seed)
    rows = []
    for genre, n in genres:
        for k in range(n):
            # Every artist has a song, the rest go to few: like a real collection.
            number = k if k < artists else int(rng.integers(artists) ** 2 / artists)
            artist = f"band {number}" if number < shared else f"{genre} band {number}"
            rows.append((f"{genre}/{k}", f"/music/{genre}/{k}.mp3", genre, artist))
    return pd.DataFrame(rows, columns=["track_id", "path", "genre", "artist"])


def by_part(table, split, column):
    return {part: table[column].iloc[split.indices(table, part)] for part in PARTS}


def assert_artists_apart(table, split):
    sides = {part: set(names) for part, names in by_part(table, split, "artist").items()}
    assert not sides["train"] & sides["test"]
    assert not sides["train"] & sides["validation"]
    assert not sides["validation"] & sides["test"]
