"""A collection, its split and its frames: all that is known before anything is decoded."""

from __future__ import annotations

import hashlib
import logging
import os
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrenet.data import splits
from genrenet.data.catalog import Catalog, read_catalog
from genrenet.data.datasets import FileReader
from genrenet.data.frames import Fill, FrameSettings
from genrenet.data.litdata.reader import StreamedSongs, is_streamed
from genrenet.utils.errors import GenrenetError

logger = logging.getLogger(__name__)

EXCERPT_SECONDS = 90.0
"""Collections whose median song is shorter are excerpts: they are not trimmed."""


class DataError(GenrenetError):
    """A collection that cannot be used for training or testing as requested."""


class SplitCollection:
    """The part of a data module that reads only tables; see its parameters there."""

    source: str
    format: str
    subset: str
    segments: str
    labels_from: str
    multi_label_asked: bool | None
    split_kind: str
    fractions: tuple[float, float, float]
    split_seed: int
    fold: int | None
    n_folds: int
    max_songs: int | None
    frame_seconds: float
    trim: float | Literal["auto"]
    sample_rate: int
    fill: Fill
    store: str | None
    chunk_cache_gb: float | None
    outputs: list[str] | None

    @cached_property
    def catalog(self) -> Catalog:
        """The collection; its problems are reported once."""
        if not self.source:
            raise DataError(
                "no collection to work on",
                wanted="--data.source DIR: a folder of genre folders, a GTZAN or FMA folder, or a "
                "table",
                remedy="to try things out, --data.source synthetic synthesises a small corpus",
            )
        if self.streamed is not None:
            return self.streamed.catalog
        source = self.source
        if source == "synthetic":
            from genrenet.data.synthesis import default_corpus

            source = str(default_corpus())
        catalog = read_catalog(
            source,
            self.format,
            subset=self.subset,
            segments=self.segments,
            labels=self.labels_from,
            labelled=self.outputs is None,
            multi_label=self.multi_label_asked,
        )
        for line in (*catalog.problems, *catalog.notes):
            logger.warning("%s", line)
        return catalog

    @cached_property
    def streamed(self) -> StreamedSongs | None:
        """The collection's chunks, if it is a streamed one."""
        source, limit = os.path.expanduser(self.source), self.chunk_cache_gb
        if not is_streamed(source):
            return None
        cache = None if self.store == "auto" else self.store
        most = None if limit is None else round(1e9 * limit)
        return StreamedSongs(source, sample_rate=self.sample_rate, cache=cache, cache_bytes=most)

    @property
    def multi_label(self) -> bool:
        """Whether songs have several genres each, and the model is multi-label."""
        return self.outputs is None and self.catalog.multi_label

    @property
    def labels(self) -> list[str]:
        """The order of a model's outputs: ``outputs``, or genres in alphabetical order."""
        return list(self.catalog.genres if self.outputs is None else self.outputs)

    @cached_property
    def split(self) -> splits.Split:
        """The split of the songs; one without validation songs takes some from training."""
        table, seed = self.catalog.table, self.split_seed
        if self.split_kind.endswith(".csv"):
            split = splits.read_split(self.split_kind, table)
        else:
            split = splits.make_split(
                table,
                self.split_kind,
                seed=seed,
                fractions=self.fractions,
                fold=self.fold,
                n_folds=self.n_folds,
            )
        if self.catalog.artists_known:
            try:
                return splits.with_validation(table, split, seed=seed, by="artist")
            except splits.SplitError as error:
                logger.warning("validation songs are drawn regardless of artists: %s", error)
        try:
            return splits.with_validation(table, split, seed=seed)
        except splits.SplitError as error:
            if not self.split_kind.endswith(".csv"):
                raise
            # A few songs of each genre, chosen by the user, are all used for training.
            logger.warning("no validation songs: %s", error)
            return split

    @cached_property
    def frames(self) -> FrameSettings:
        """Frame settings with a numeric ``trim``."""
        trim = self.trim
        if trim == "auto":
            median = float(np.nanmedian(self._durations))
            trim = 0.0 if median < EXCERPT_SECONDS else 20.0
            logger.info("trim %g s (the median song has %.0f s)", trim, median)
        return FrameSettings(self.frame_seconds, float(trim), self.sample_rate, self.fill)

    @cached_property
    def _durations(self) -> NDArray[np.float64]:
        durations = self.catalog.table["duration"].to_numpy(dtype=float)
        if np.isnan(durations).all():
            sample = self.catalog.table["path"].iloc[:: max(1, len(durations) // 50)]
            reader = FileReader(list(sample), self.sample_rate)
            durations = np.array([reader.length(path) / self.sample_rate for path in sample])
        return durations if len(durations) else np.zeros(1)

    def part(self, name: str) -> pd.DataFrame:
        """Return the songs of a part ("train", "validation", "test", "all"), in the
        catalog's order.
        """
        table = self.catalog.table
        if name == "all":
            return table
        rows = self.split.indices(table, name)
        if self.max_songs is not None:
            by_rank = table.iloc[rows].groupby("genre").cumcount().to_numpy()
            rows = np.sort(rows[np.argsort(by_rank, kind="stable")][: self.max_songs])
        return table.iloc[rows]

    def song_numbers(self, name: str) -> list[int]:
        """Return a 64-bit number for each song of a part, computed from its path below the folder
        that contains all songs.
        """
        try:
            root = os.path.commonpath(list(self.catalog.table["path"]))
        except ValueError:  # on several drives
            root = ""
        names = (os.fsencode(str(path).removeprefix(root)) for path in self.part(name)["path"])
        return [int.from_bytes(hashlib.sha256(one).digest()[:8], "big") for one in names]
