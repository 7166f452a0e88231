"""Read collections that are streamed from an object store in chunks, through litdata.

Layout of a streamed collection
-------------------------------
``chunk-*.bin``, ``index.json``
    litdata's own: one item per song, ``samples`` (int16, mono, scaled by the song's own peak) and
    ``scale`` (factor that maps them to [-1, 1]).
``catalog.parquet``
    The catalog's table, and for each song its ``length`` in samples, its ``item`` (-1 if it is not
    usable), its ``error`` and its ``state`` (see `genrenet.data.decoded_audio`).
``streamed.json``
    Version, rate, type, number of songs, and a digest of the source files. Written last: a folder
    that has it is complete.

Such a folder can be copied to a bucket as it is. From an address (``s3://``, ``gs://``) chunks are
downloaded when the first of their songs is read, and kept on disk within a limit.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrenet.data.catalog import Catalog
from genrenet.data.datasets import FrameDataset
from genrenet.data.decoded_audio import DType
from genrenet.data.litdata.cache import (
    INDEX,
    ChunkCache,
    Fetcher,
    StreamedError,
    is_address,
    litdata,
    not_whole,
    size_of,
)
from genrenet.utils.errors import printable

VERSION = 2
DTYPE: DType = "int16"
STAMP, TABLE = "streamed.json", "catalog.parquet"


def is_streamed(source: str) -> bool:
    """Return whether a source is a streamed collection: an address, or a folder with chunks."""
    folder = Path(source)
    chunks = (folder / INDEX).is_file() and any(folder.glob("chunk-*.bin"))
    return is_address(source) or (folder / STAMP).is_file() or chunks


class StreamedSongs:
    """Samples of a streamed collection, by song; a `genrenet.data.datasets.Reader`.

    Parameters
    ----------
    source : str
        A folder that `genrenet.data.litdata.writer.write_streamed` wrote, or the address of a copy
        of one.
    sample_rate : int > 0
        Expected rate, in Hz.
    cache : path, optional
        Folder of downloaded chunks; one in the cache folder by default.
    cache_bytes : int > 0, optional
        Maximum size of downloaded chunks; by default three quarters of the free space. It should
        hold a few dozen chunks, or some are downloaded more than once in an epoch.

    Attributes
    ----------
    catalog : Catalog
        The collection at the time of writing.

    Raises
    ------
    StreamedError
        No streamed collection there, one of another version or rate, or an incomplete one.
    """

    dtype: str = DTYPE

    def __init__(
        self,
        source: str,
        *,
        sample_rate: int = 12_000,
        cache: str | os.PathLike[str] | None = None,
        cache_bytes: int | None = None,
    ) -> None:
        litdata()
        self.source, self.remote, self.sample_rate = source, is_address(source), sample_rate
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) if self.remote else Path(source)
            stamp = self._check_stamp(folder)
            table = pd.read_parquet(self._get(TABLE, folder))
            self.index: dict[str, Any] = json.loads(self._get(INDEX, folder).read_text("utf-8"))
        paths = [os.fsdecode(name) for name in table["path"]]
        of_song = zip(paths, table["item"], table["length"], table["error"], strict=True)
        self._songs = {path: (int(item), int(length)) for path, item, length, _ in of_song}
        wrong = {path: text for path, text in zip(paths, table["error"], strict=True) if text}
        self.errors = {path: text for path, text in wrong.items() if not self._songs[path][1]}
        self.truncated = {path: text for path, text in wrong.items() if self._songs[path][1]}
        table = table.drop(columns=["item", "length", "error", "state"])
        table["path"] = pd.Series(paths, dtype=object)
        self.catalog = Catalog(table, (), source, stamp["name"], "litdata")
        chunks = self.index["chunks"]
        self._files = [chunk["filename"] for chunk in chunks]
        self._ends = np.cumsum([chunk["chunk_size"] for chunk in chunks])
        self._last: tuple[int, NDArray[np.int16], float] | None = None
        self._dataset: Any = None
        self._process = -1
        self._check_chunks(int(stamp["songs"]))
        self._kept = ChunkCache(source, self.index, cache, cache_bytes) if self.remote else None
        self._folder = Path(source) if self._kept is None else self._kept.folder

    def _get(self, name: str, folder: Path) -> Path:
        """Return the path of a file of the collection, downloaded into ``folder`` if not local."""
        file = folder / name
        if self.remote:
            Fetcher(self.source).fetch(name, file)
        if not file.is_file():
            raise not_whole(self.source, f"no {name}")
        return file

    def _check_stamp(self, folder: Path) -> dict[str, Any]:
        try:
            stamp: dict[str, Any] = json.loads(self._get(STAMP, folder).read_text("utf-8"))
        except ValueError as error:
            raise not_whole(self.source, f"{STAMP}: {error}") from None
        remedy = "make it again with 'genrenet data prepare --format litdata'"
        for what, wanted in {"version": VERSION, "sample_rate": self.sample_rate}.items():
            if stamp.get(what) != wanted:
                raise StreamedError(
                    f"the streamed collection '{printable(self.source)}' has another "
                    f"{what.replace('_', ' ')}",
                    found=str(stamp.get(what)),
                    wanted=str(wanted),
                    remedy=remedy if what == "version" else f"{remedy}, or ask for that rate",
                )
        return stamp

    def _check_chunks(self, n_items: int) -> None:
        held = int(self._ends[-1]) if len(self._ends) else 0
        if held != n_items:
            raise not_whole(self.source, f"{held} songs in {INDEX}, {n_items} in {STAMP}")
        if self.remote:
            return  # checking each would take longer than failing at the download
        folder = Path(self.source)
        sizes = {chunk["filename"]: chunk["chunk_bytes"] for chunk in self.index["chunks"]}
        absent = [name for name, size in sizes.items() if size_of(folder / name) != size]
        if absent:
            more = f" and {len(absent) - 1} more" if absent[1:] else ""
            raise not_whole(self.source, f"'{absent[0]}'{more} missing or cut short")

    def __getstate__(self) -> dict[str, Any]:
        # A worker process maps the chunks itself, and reads songs of its own.
        return {**self.__dict__, "_dataset": None, "_last": None}

    def length(self, path: str) -> int:
        """Return a song's length in samples; 0 if it could not be decoded or is not in the
        collection.
        """
        return self._songs.get(path, (-1, 0))[1]

    def chunk_of(self, path: str) -> int:
        """Return the number of the chunk that holds a song with a `length`."""
        return int(np.searchsorted(self._ends, self._songs[path][0], side="right"))

    def chunks_of(self, dataset: FrameDataset) -> NDArray[np.int64] | None:
        """Return the chunk of each of a dataset's items, to order items so that each is downloaded
        once.

        Parameters
        ----------
        dataset : FrameDataset

        Returns
        -------
        ndarray of int, shape (items,), or None
            Number of each item's chunk; None where all chunks are local.
        """
        if not self.remote:
            return None
        return np.array([self.chunk_of(dataset.paths[song]) for song in dataset.songs], np.int64)

    def read(self, path: str, start: int, count: int) -> tuple[NDArray[np.int16], float]:
        """Return part of a song's samples.

        Parameters
        ----------
        path : str
            The song's file, as the catalog names it.
        start, count : int >= 0
            First sample and number of samples; samples past the song's end are left out.

        Returns
        -------
        samples : ndarray of int16, shape (<= count,)
        scale : float
            Factor that maps the samples to [-1, 1].

        Raises
        ------
        StreamedError
            Its chunk cannot be downloaded.
        """
        item = self._songs[path][0]
        if self._last is None or self._last[0] != item:
            self._last = (item, *self._load(item, self.chunk_of(path)))
        return self._last[1][start : start + count], self._last[2]

    def _load(self, item: int, chunk: int) -> tuple[NDArray[np.int16], float]:
        if self._kept is not None:
            self._kept.keep(self._files[chunk])
        if self._dataset is None or self._process != os.getpid():
            self._dataset = litdata().StreamingDataset(str(self._folder))
            self._process = os.getpid()
        found = self._dataset[item]
        return np.asarray(found["samples"], np.int16), float(found["scale"])
