"""The time to the first batch, step by step, and a store of very many songs for measuring it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from genrenet.data.catalog import Catalog
    from genrenet.data.datamodule import GenreDataModule

LENGTH = 720_000
"""Number of samples of each song of the large store: a minute."""

GENRES = 16


def first_batch(data: GenreDataModule) -> dict[str, float]:
    """Measure the steps from a data module to its first training batch.

    Returns
    -------
    dict of str to float
        Seconds of the steps: ``catalog`` (reading it, unless already read), ``split``, ``check``
        (that the store has all files in their present state), ``open`` (the store's index),
        ``datasets`` and ``batch``.
    """
    from genrenet.data.decoded_store import PreparedStore

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
    store = PreparedStore(data.store_folder, data.catalog.table["path"])
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
    """Write a complete store of many songs; they share samples in a sparse file.

    Parameters
    ----------
    folder : path
        Target folder.
    songs : int > 0
    """
    from genrenet.data.decoded_audio import decoders
    from genrenet.data.store_index import Entry, StoreIndex
    from genrenet.utils.file_stamp import FileState

    index = StoreIndex(folder, {"sample_rate": 12_000, "dtype": "int16"})
    hole = index.place("00-of-all")
    hole.parent.mkdir(parents=True)
    with open(hole, "wb") as file:
        file.truncate(2 * LENGTH)
    names = song_names(songs, folder)
    # The state of a missing file: then all are unchanged.
    same = FileState.find(names[0])
    about = "", hole.name, LENGTH, 1 / 32767, "whole", "", decoders()
    collection = index.enter(str(folder))
    for start in range(0, songs, 10_000):
        index.put([Entry(name, same, *about) for name in names[start : start + 10_000]], collection)


def large_collection(songs: int, folder: Path) -> Catalog:
    """The catalog of the large store: ten songs per artist, nothing left out."""
    import pandas as pd

    from genrenet.data.catalog import Catalog

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
