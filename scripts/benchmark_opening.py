"""The time to the first batch, step by step, and a store of very many songs to measure it on."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from genrenet.catalog import Catalog
    from genrenet.datamodule import GenreDataModule

LENGTH = 720_000
"""Samples of each song of the large store: a minute."""

GENRES = 16


def first_batch(data: GenreDataModule) -> dict[str, float]:
    """Go from a data module to its first training batch.

    Returns
    -------
    dict of str to float
        Seconds of the steps: ``catalog`` (reading it, where it has not been read), ``split``,
        ``check`` (that the store has all files as they are), ``open`` (the store's index),
        ``datasets`` and ``batch``.
    """
    from genrenet.store import PreparedStore

    seconds = {}
    start = time.perf_counter()

    def done(step: str) -> None:
        nonlocal start
        seconds[step], start = time.perf_counter() - start, time.perf_counter()

    _ = data.catalog
    done("catalog")
    _ = data.split
    done("split")
    data.prepare_data()
    done("check")
    assert data.store_folder is not None
    store = PreparedStore(data.store_folder)
    done("open")
    for name in ("train", "validation"):
        data._datasets[name] = data._dataset(name, data.part(name), store)
    done("datasets")
    next(iter(data.train_dataloader()))
    done("batch")
    return seconds


def song_names(songs: int, folder: Path) -> list[str]:
    """Files of the large collection; they do not exist."""
    return [f"{folder}/{i % GENRES:02d}/{i // 1000:04d}/song-{i:07d}.ogg" for i in range(songs)]


def large_store(folder: Path, songs: int) -> None:
    """Write a whole store of many songs; its samples are a hole that takes no room.

    Parameters
    ----------
    folder : path
        Where to.
    songs : int > 0
    """
    import pyarrow
    import pyarrow.parquet

    from genrenet.store import VERSION

    folder.mkdir(parents=True)
    columns = {
        "path": [os.fsencode(name) for name in song_names(songs, folder)],
        # Of a file that does not exist, as `file_key` says: then all are as they were.
        "size": np.full(songs, -1),
        "mtime": np.full(songs, -1),
        "start": np.arange(songs) * LENGTH,
        "length": np.full(songs, LENGTH),
        "scale": np.full(songs, 1 / 32767),
        "error": [""] * songs,
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "index.parquet")
    with open(folder / "samples.bin", "wb") as file:
        file.truncate(2 * LENGTH * songs)
    stamp = {"version": VERSION, "sample_rate": 12_000, "dtype": "int16"}
    text = json.dumps({**stamp, "n_samples": LENGTH * songs})
    (folder / "store.json").write_text(text, "utf-8")


def large_collection(songs: int, folder: Path) -> Catalog:
    """The catalog of the large store: ten songs an artist, nothing left out."""
    import pandas as pd

    from genrenet.catalog import Catalog

    numbers = np.arange(songs)
    table = pd.DataFrame(
        {
            "path": pd.Series(song_names(songs, folder), dtype=object),
            "genre": [f"genre {i % GENRES:02d}" for i in numbers],
            "artist": [f"artist {i // 10}" for i in numbers],
            "album": "",
            "title": "",
            "duration": LENGTH / 12_000,
            "track_id": [f"{i:07d}" for i in numbers],
        }
    )
    return Catalog(table, (), str(folder), "large", "csv")
