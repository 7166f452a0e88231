"""The Lightning data module: a catalog, a split, frames, and loaders of raw waveforms."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from genrenet.data.batches import counted_only
from genrenet.data.catalog.several_genres import multi_hot
from genrenet.data.collection import DataError, SplitCollection
from genrenet.data.datasets import (
    CachedDataset,
    Crops,
    FileReader,
    FrameDataset,
    FrameSampler,
    Item,
    Reader,
    as_they_are,
)
from genrenet.data.decoded_audio import DType
from genrenet.data.decoded_store import PreparedStore, fill
from genrenet.data.frames import Fill
from genrenet.data.store_space import usual_folder
from genrenet.utils.errors import printable
from genrenet.utils.hardware import best_device, cores

logger = logging.getLogger(__name__)


class GenreDataModule(SplitCollection, pl.LightningDataModule):
    """Frames of a music collection, split by song.

    Parameters
    ----------
    source : str
        A folder of genre folders, a GTZAN or FMA folder, a CSV or Parquet table, ``synthetic`` for
        the corpus that the package synthesises, or a streamed collection: the folder that
        ``genrenet data prepare --format litdata`` wrote, or the ``s3://`` address of a copy.
        There is no default, so that synthetic audio is not used by mistake.
    format : str
        See `genrenet.data.catalog.read_catalog`.
    segments : {"auto", "off"}
        Whether files may be segments of songs; see `genrenet.data.catalog.read_catalog`.
    subset : {"small", "medium", "large", "full"}
        FMA's subset.
    labels : {"auto", "folders", "tags"}
        Where genres are taken from; see `genrenet.data.catalog.read_catalog`.
    multi_label : bool, optional
        Whether songs have several genres each; see `genrenet.data.catalog.read_catalog`.
    split : str
        ``auto`` (the table's own column, else artist-disjoint where artists are known, else
        stratified), ``stratified``, ``artist``, ``fault-filtered``, ``70-30``, ``column``, or the
        path of a CSV file written by ``genrenet data split``.
    fractions : tuple of float
        Shares of train, validation and test songs.
    split_seed : int
        Seed of the split.
    fold, n_folds : int, optional
        Use one fold of a cross-validation instead.
    frame_seconds : float > 0
        Length of a frame, in seconds.
    trim : float or "auto"
        Seconds dropped at both ends of songs; ``auto`` is 0 for excerpts and 20 for whole songs.
    sample_rate : int > 0
        In Hz; that of the front end.
    fill : {"repeat", "zeros"}
        How the frame of a shorter song is padded; see `genrenet.data.frames.FrameSettings`.
    crops : {"random", "fixed"}
        Training frames: new random crops in every epoch, or the same fixed frames as in the test.
    crops_per_song : int > 0
        Number of random crops of each song in an epoch.
    batch_size : int > 0
        Number of frames in a batch.
    num_workers : int or "auto"
        Number of loading processes; ``auto`` uses none for a prepared store on a CPU.
    store : str or None
        Folder of the prepared store; ``auto`` keeps one in the cache folder if its disk has enough
        space; None decodes spans of the files in every epoch. For an address: folder of the
        downloaded chunks.
    store_dtype : {"int16", "float16"}
        Data type of the stored samples.
    chunk_cache_gb : float > 0, optional
        Maximum size of downloaded chunks in GB; by default three quarters of the free space.
    max_songs : int, optional
        Use only the first songs of each part, balanced over genres (for quick trials).
    seed : int
        Seed of the order and the crops.

    Attributes
    ----------
    outputs : list of str, optional
        Labels of a model that is used for prediction only, set before anything is read. The
        collection's own genres are then written next to the predictions but not used: they may
        differ, or be missing.

    Raises
    ------
    DataError
        No songs left to train or test on, or a setting out of range.
    """

    def __init__(
        self,
        source: str = "",
        format: str = "auto",
        subset: str = "small",
        segments: str = "auto",
        labels: str = "auto",
        multi_label: bool | None = None,
        split: str = "auto",
        fractions: tuple[float, float, float] = (0.7, 0.1, 0.2),
        split_seed: int = 0,
        fold: int | None = None,
        n_folds: int = 5,
        frame_seconds: float = 29.12,
        trim: float | Literal["auto"] = "auto",
        sample_rate: int = 12_000,
        fill: Fill = "repeat",
        crops: Crops = "random",
        crops_per_song: int = 1,
        batch_size: int = 16,
        num_workers: int | Literal["auto"] = "auto",
        store: str | None = "auto",
        store_dtype: DType = "int16",
        chunk_cache_gb: float | None = None,
        max_songs: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if batch_size < 1 or crops_per_song < 1:
            raise DataError(
                "batch_size and crops_per_song",
                found=f"{batch_size} and {crops_per_song}",
                wanted="at least 1",
            )
        self.source, self.format, self.subset = source, format, subset
        self.segments, self.labels_from, self.multi_label_asked = segments, labels, multi_label
        self.split_kind, self.fractions, self.split_seed = split, fractions, split_seed
        self.fold, self.n_folds, self.max_songs = fold, n_folds, max_songs
        self.frame_seconds, self.trim, self.sample_rate = frame_seconds, trim, sample_rate
        self.fill: Fill = fill
        self.crops: Crops = crops
        self.crops_per_song, self.batch_size, self.seed = crops_per_song, batch_size, seed
        self._num_workers = num_workers
        self.store, self.store_dtype, self.chunk_cache_gb = store, store_dtype, chunk_cache_gb
        self.outputs: list[str] | None = None
        self.skipped: dict[str, str] = {}
        self.truncated: dict[str, str] = {}
        self._datasets: dict[str, FrameDataset] = {}
        self._cached: dict[str, CachedDataset] = {}

    # --- Lightning's hooks ------------------------------------------------------------------------

    @cached_property
    def store_folder(self) -> Path | None:
        """Folder of the prepared store, or None if files are decoded each time."""
        if self.store is None or self.streamed is not None:
            return None
        if self.store != "auto":
            return Path(self.store)
        seconds = float(np.nanmean(self._durations)) * len(self.catalog.table)
        paths = list(self.catalog.table["path"])
        return usual_folder(paths, seconds, self.sample_rate, self.store_dtype)

    def prepare_data(self) -> None:
        """Build the prepared store, once per machine."""
        if self.store_folder is None:
            return
        from genrenet.utils.progress import progress_bar

        with progress_bar("preparing songs") as progress:
            fill(
                self.catalog.table["path"],
                self.store_folder,
                sample_rate=self.sample_rate,
                dtype=self.store_dtype,
                progress=progress,
            )

    def setup(self, stage: str) -> None:
        """Open the store and make the datasets of a stage: fit, validate, test or predict."""
        parts = {
            "fit": ["train", "validation"],
            "validate": ["validation"],
            "test": ["test"],
            "predict": ["all"],
        }[stage]
        tables = {name: self.part(name) for name in parts}
        paths = [path for table in tables.values() for path in table["path"]]
        reader: Reader
        if self.streamed is not None:
            reader = self.streamed
        elif self.store_folder is None:
            reader = FileReader(paths, self.sample_rate)
        else:
            reader = PreparedStore(self.store_folder, paths)
        # Every process finds the same: only one reports it.
        tell, errors = self.trainer is None or self.trainer.is_global_zero, reader.errors
        for path in filter(errors.__contains__, paths):
            self.skip(path, errors[path], tell=tell)
        for path in filter(reader.truncated.__contains__, paths):
            if tell and path not in self.truncated:
                logger.warning("used as far as it can be read: %s", reader.truncated[path])
            self.truncated[path] = reader.truncated[path]
        self.forget_hidden()
        for name, table in tables.items():
            self._datasets[name] = self._dataset(name, table, reader)

    def _dataset(self, name: str, table: pd.DataFrame, reader: Reader) -> FrameDataset:
        training = name == "train"
        dataset = FrameDataset(
            list(table["path"]),
            self._targets(table),
            reader,
            self.frames,
            crops=self.crops if training else "fixed",
            crops_per_song=self.crops_per_song,
            seed=self.seed,
        )
        if not len(dataset) and name != "validation":
            raise DataError(
                f"no {name} songs to work on",
                found=f"{len(table)} songs, {len(self.skipped)} of them unreadable",
                remedy="see 'genrenet data check'",
            )
        return dataset

    def _targets(self, table: pd.DataFrame) -> NDArray[Any]:
        """Return the label of each song, or its labels, of shape (songs, labels)."""
        if self.multi_label:
            return multi_hot(table["genres"], self.labels)
        return np.asarray(pd.Index(self.labels).get_indexer(table["genre"]))

    def skip(self, path: str, error: str, tell: bool = True) -> None:
        """Record why a song is left out, and report it once."""
        known = path in self.skipped
        self.skipped.setdefault(path, error)
        if tell and not known:
            logger.warning("skipped (%d so far): %s", len(self.skipped), error)

    def state_dict(self) -> dict[str, Any]:
        """Return the songs that a checkpoint was trained on, as `song_numbers`."""
        parts = [name for name in ("train", "validation") if name in self._datasets]
        numbers = sorted({number for name in parts for number in self.song_numbers(name)})
        return {"dataset": self.catalog.name, "songs": numbers} if numbers else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Warn if test songs are among the songs that a checkpoint was trained on.

        Parameters
        ----------
        state_dict : dict
            Of the same collection; a checkpoint of another collection is not checked.
        """
        if "test" not in self._datasets or state_dict.get("dataset") != self.catalog.name:
            return
        numbers, known = self.song_numbers("test"), set(state_dict["songs"])
        if found := sum(number in known for number in numbers):
            logger.warning(
                "the model was trained on %d of the %d test songs, so the results are too good: the"
                " split '%s' is not that of the training; undo what has changed (songs, tags,"
                " settings of the split), or test on songs that are new",
                found,
                len(numbers),
                self.split.name,
            )

    def dataset(self, name: str) -> FrameDataset:
        """Return the dataset of a part that has been set up."""
        return self._datasets[name]

    def in_order(self, name: str) -> DataLoader[Item]:
        """Return every frame of a part that has been set up, once, in order."""
        dataset = self._datasets[name]
        sampler = FrameSampler(dataset, shuffle=False, num_replicas=1, rank=0, seed=self.seed)
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            generator=torch.Generator().manual_seed(self.seed),
        )

    def keep_hidden(self, name: str, hidden: Tensor, failed: Tensor) -> None:
        """Make a part's loader return ``hidden`` instead of waveforms, until the next set-up.

        Parameters
        ----------
        name : str
            A part that has been set up, with fixed crops.
        hidden : Tensor, shape (frames, ...)
            One entry for each frame, in the order of `in_order`.
        failed : Tensor of bool, shape (frames,)
        """
        self._cached[name] = CachedDataset(self._datasets[name], hidden, failed)

    def forget_hidden(self) -> None:
        """Make all loaders return waveforms again."""
        self._cached.clear()

    def n_songs(self, name: str) -> int:
        """Return the songs of a part that has been set up, the unreadable ones included."""
        return len(self._datasets[name].paths)

    @cached_property
    def label_counts(self) -> list[int]:
        """Number of training songs of each label."""
        if self.multi_label:
            return [int(n) for n in self._targets(self.part("train")).sum(axis=0)]
        counts = self.part("train")["genre"].value_counts()
        return [int(counts.get(label, 0)) for label in self.labels]

    def _loader(self, name: str) -> DataLoader[Item]:
        dataset, trainer = self._datasets[name], self.trainer
        sampler = FrameSampler(
            dataset,
            shuffle=name == "train",
            num_replicas=trainer.world_size if trainer else 1,
            rank=trainer.global_rank if trainer else 0,
            seed=self.seed,
            chunks=None if not self.streamed else self.streamed.chunks_of(dataset),
        )
        cached = self._cached.get(name)
        workers = self.num_workers if cached is None else 0
        return DataLoader(
            dataset if cached is None else cached,
            batch_size=self.batch_size,
            sampler=sampler,
            num_workers=workers,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=workers > 0,
            # A last batch of one song would give batch-norm no variance.
            drop_last=name == "train" and len(sampler) > self.batch_size,
            collate_fn=None if cached is None else as_they_are,
        )

    @property
    def num_workers(self) -> int:
        """Number of loading processes."""
        if self._num_workers != "auto":
            return int(self._num_workers)
        if best_device() != "cpu":
            return min(8, cores())
        # On a CPU the network needs the cores, and reading memory-mapped files is cheap.
        mapped = self.store_folder is not None or (self.streamed and not self.streamed.remote)
        return 0 if mapped else max(1, cores() // 2)

    def train_dataloader(self) -> DataLoader[Item]:
        """Return the loader of training frames."""
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[Item] | list[Any]:
        """Return the loader of the validation songs' frames; nothing where the split has none."""
        return self._loader("validation") if len(self._datasets["validation"]) else []

    def test_dataloader(self) -> DataLoader[Item]:
        """Return the loader of all frames of the test songs."""
        return self._loader("test")

    def predict_dataloader(self) -> DataLoader[Item]:
        """Return the loader of all frames of all songs."""
        return self._loader("all")

    def on_before_batch_transfer(self, batch: Item, dataloader_idx: int) -> Item:
        """Record songs whose span could not be decoded, while the batch is still in CPU memory.

        Training then drops frames that are not counted: they would affect batch-norms and mixing.
        """
        if bool(batch["failed"].any()):
            name = self._part_in_use()
            for song in batch["song"][batch["failed"]].tolist():
                path = self._datasets[name].paths[song]
                fault = "could not be read where a frame should be, or is silent there"
                self.skip(path, f"'{printable(path)}' {fault}")
        return counted_only(batch) if self._part_in_use() == "train" else batch

    def _part_in_use(self) -> str:
        trainer = self.trainer
        if trainer is None or trainer.predicting:
            return "all"
        if trainer.testing:
            return "test"
        return "validation" if trainer.validating or trainer.sanity_checking else "train"


def data_of(trainer: pl.Trainer) -> GenreDataModule | None:
    """Return the trainer's data module, if it is one of this package."""
    data = getattr(trainer, "datamodule", None)
    return data if isinstance(data, GenreDataModule) else None
