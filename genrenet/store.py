"""The prepared store: a collection decoded once, so that training reads samples instead of files.

Layout of a store's folder
--------------------------
``samples.bin``
    All songs' samples one after another, mono, int16 or float16, little-endian; memory-mapped.
``index.parquet``
    One row a song: file, size, modification time, first sample, length, scale, error.
``store.json``
    Version stamp, rate, type and number of samples. Written last: a store that has it is whole.
``journal.jsonl``
    Rows of a build in progress. A build that was interrupted goes on after the last whole row.

int16 samples are scaled by each song's own peak, so that a quiet song keeps its resolution.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy.typing import NDArray

from genrenet import audio
from genrenet.audio.sounding import load_sounding
from genrenet.cache import cache_folder
from genrenet.errors import GenrenetError, printable

logger = logging.getLogger(__name__)

VERSION = 2
DType = Literal["int16", "float16"]
Row = dict[str, Any]


class StoreError(GenrenetError):
    """A prepared store that is missing, damaged, or made with other settings."""


def file_key(path: str) -> tuple[str, int, int]:
    """What identifies a file's content cheaply: its path, size and modification time."""
    try:
        status = os.stat(path)
    except OSError:
        return path, -1, -1
    return path, status.st_size, status.st_mtime_ns


def encode(path: str, sample_rate: int, dtype: DType) -> tuple[NDArray[Any], float, str]:
    """Decode a file into what a store holds of it: what sounds.

    Parameters
    ----------
    path : str
    sample_rate : int > 0
        In Hz.
    dtype : {"int16", "float16"}

    Returns
    -------
    samples : ndarray of dtype, shape (samples,)
        Mono, without the stretches that do not sound (see `genrenet.audio.sounding`); empty where
        the file cannot be decoded or is silent.
    scale : float
        What to multiply the samples by to have them in [-1, 1].
    error : str
        Why the file cannot be used, or ''.
    """
    try:
        samples = load_sounding(path, sample_rate)
    except audio.AudioError as error:
        return np.zeros(0, dtype), 1.0, str(error)
    peak = float(np.abs(samples).max(initial=0.0)) or 1.0
    if dtype == "float16":
        return samples.astype("<f2"), 1.0, ""
    return np.round(samples * (32767.0 / peak)).astype("<i2"), peak / 32767.0, ""


def in_order(
    paths: Sequence[str], work: Callable[[str], tuple[NDArray[Any], float, str]], workers: int
) -> Iterator[tuple[NDArray[Any], float, str]]:
    """Results of ``work`` in the order of ``paths``, with a bounded number under way."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[tuple[NDArray[Any], float, str]]] = deque()
        for path in paths:
            waiting.append(pool.submit(work, path))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def replace_file(file: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name first, so that nobody ever sees half of it."""
    temporary = file.with_name(file.name + ".part")
    write(temporary)
    os.replace(temporary, file)


def usual_folder(root: str, seconds: float, sample_rate: int, dtype: DType) -> Path | None:
    """Where a collection's store is kept unless a folder is named.

    Parameters
    ----------
    root : str
        The collection's folder.
    seconds : float
        How long all its songs take together.
    sample_rate : int > 0
        In Hz.
    dtype : {"int16", "float16"}

    Returns
    -------
    Path or None
        A folder in the cache folder; None, and a warning, where its disk has too little room.
    """
    folder = cache_folder("stores")
    wanted, free = 2 * seconds * sample_rate, shutil.disk_usage(folder).free
    if wanted > 0.25 * free:
        logger.warning(
            "no prepared store: it would take %.1f GB of the %.1f GB free in '%s'; "
            "files are decoded in every epoch (pass --data.store FOLDER to have one)",
            wanted / 1e9,
            free / 1e9,
            printable(folder),
        )
        return None
    what = f"{os.path.realpath(root)}|{sample_rate}|{dtype}|{VERSION}"
    return folder / hashlib.sha256(os.fsencode(what)).hexdigest()[:16]


class PreparedStore:
    """Samples of a collection, memory-mapped.

    Open an existing store with ``PreparedStore(folder)``; make or extend one with `prepare`.

    Parameters
    ----------
    folder : path
        Folder of the store.

    Attributes
    ----------
    sample_rate : int
        Samples per second.
    dtype : str
        ``int16`` or ``float16``.

    Raises
    ------
    StoreError
        No store there, one of another version, or one whose samples are not all there.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        stamp = self._stamp()
        self.sample_rate, self.dtype = int(stamp["sample_rate"]), str(stamp["dtype"])
        self._n_samples = int(stamp["n_samples"])
        self._map: NDArray[Any] | None = None
        wanted = self._n_samples * np.dtype(self.dtype).itemsize
        file = self.folder / "samples.bin"
        found = file.stat().st_size if file.exists() else 0
        if found < wanted:
            raise StoreError(
                f"the prepared store '{printable(self.folder)}' is damaged",
                found=f"{found} bytes of samples",
                wanted=f"{wanted} bytes",
                remedy="delete the folder; it is built anew on the next run",
            )
        index = pd.read_parquet(self.folder / "index.parquet")
        names = list(map(os.fsdecode, index["path"].tolist()))
        self.index = index.assign(path=pd.Series(names, dtype=object))
        self._rows = dict(zip(names, range(len(names)), strict=True))
        self._starts = self.index["start"].to_numpy()
        self._lengths = self.index["length"].to_numpy()
        self._scales = self.index["scale"].to_numpy()

    def _stamp(self) -> Row:
        file = self.folder / "store.json"
        try:
            stamp: Row = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(
                f"no prepared store in '{printable(self.folder)}'",
                found=str(error),
                remedy="build one with 'genrenet data prepare'",
            ) from None
        if stamp.get("version") != VERSION:
            raise StoreError(
                f"the prepared store '{printable(self.folder)}' is of another version",
                found=str(stamp.get("version")),
                wanted=str(VERSION),
                remedy="delete the folder; it is built anew on the next run",
            )
        return stamp

    def __getstate__(self) -> dict[str, Any]:
        # A worker process maps the samples itself instead of receiving them.
        return {**self.__dict__, "_map": None}

    @property
    def errors(self) -> dict[str, str]:
        """Files that could not be decoded, with the reason."""
        bad = self.index[self.index["error"] != ""]
        return dict(zip(bad["path"], bad["error"], strict=True))

    def length(self, path: str) -> int:
        """Samples of a song; 0 where it could not be decoded or is not in the store."""
        row = self._rows.get(path)
        return 0 if row is None else int(self._lengths[row])

    def read(self, path: str, start: int, count: int) -> tuple[NDArray[Any], float]:
        """A stretch of a song.

        Parameters
        ----------
        path : str
            The song's file.
        start, count : int >= 0
            First sample and number of samples; what lies past the song's end is left out.

        Returns
        -------
        samples : ndarray of int16 or float16, shape (<= count,)
        scale : float
            What to multiply the samples by to have them in [-1, 1].
        """
        if self._map is None:
            self._map = np.memmap(
                self.folder / "samples.bin", self.dtype, "r", shape=(max(1, self._n_samples),)
            )
        row = self._rows[path]
        first = int(self._starts[row]) + start
        last = min(first + count, int(self._starts[row]) + int(self._lengths[row]))
        return np.array(self._map[first:last]), float(self._scales[row])


def prepare(
    paths: Iterable[str],
    folder: str | os.PathLike[str],
    *,
    sample_rate: int = 12_000,
    dtype: DType = "int16",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PreparedStore:
    """Build a store, finish an interrupted one, or add what is new to a whole one.

    Two processes may call this at once: the second waits for the first and then finds it done.

    Parameters
    ----------
    paths : iterable of str
        Files to decode. Those in the store with the same size and modification time are kept.
    folder : path
        Where the store is.
    sample_rate : int > 0
        Samples per second, in Hz.
    dtype : {"int16", "float16"}
        Type of the stored samples.
    workers : int > 0, optional
        Decoding threads; as many as the machine has processors by default.
    progress : callable, optional
        Called with the number of files done and the number to do.

    Returns
    -------
    PreparedStore

    Raises
    ------
    StoreError
        The folder holds a store with other settings, or the disk is full or read-only.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            return _prepare(list(paths), folder, sample_rate, dtype, workers, progress)
    except OSError as error:
        raise StoreError(
            f"cannot write the prepared store '{printable(folder)}'",
            found=str(error),
            remedy="free some space or choose another folder; what is done is kept",
        ) from error


def _prepare(
    paths: list[str],
    folder: Path,
    sample_rate: int,
    dtype: DType,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> PreparedStore:
    settings = {"version": VERSION, "sample_rate": sample_rate, "dtype": dtype}
    store = _whole_store(folder, sample_rate, dtype)
    resumed = _read_journal(folder / "journal.jsonl", settings)
    known = {(row["path"], row["size"], row["mtime"]) for row in resumed}
    if store is not None:
        columns = (store.index[name].tolist() for name in ("path", "size", "mtime"))
        known.update(zip(*columns, strict=True))
    todo = [key for key in map(file_key, dict.fromkeys(paths)) if key not in known]
    if not todo and not resumed and store is not None:
        return store
    rows: list[Row] = [] if store is None else store.index.to_dict("records")
    replace_file(
        folder / "journal.jsonl",
        lambda file: file.write_text("".join(json.dumps(r) + "\n" for r in (settings, *resumed))),
    )
    rows += resumed
    end = max((row["start"] + row["length"] for row in rows), default=0)
    blocks = in_order(
        [path for path, _, _ in todo],
        lambda path: encode(path, sample_rate, dtype),
        workers or os.cpu_count() or 1,
    )
    (folder / "samples.bin").touch()
    with (
        open(folder / "samples.bin", "r+b") as data,
        open(folder / "journal.jsonl", "a", encoding="utf-8") as log,
    ):
        # What lies behind the last whole row was being written when the build was interrupted.
        data.truncate(end * np.dtype(dtype).itemsize)
        data.seek(0, os.SEEK_END)
        for done, ((path, size, mtime), (block, scale, error)) in enumerate(
            zip(todo, blocks, strict=True), 1
        ):
            data.write(block.tobytes())
            data.flush()
            row = {"path": path, "size": size, "mtime": mtime, "start": end, "length": len(block)}
            rows.append({**row, "scale": scale, "error": error})
            log.write(json.dumps(rows[-1]) + "\n")
            log.flush()
            end += len(block)
            if progress is not None:
                progress(done, len(todo))
    # A file that changed is in the store twice: its last row counts. Arrow's text cannot hold names
    # that are not UTF-8, so the names go to the file as the bytes they are.
    latest = {os.fsencode(row["path"]): row for row in rows}
    table = pd.DataFrame([{**row, "path": name} for name, row in latest.items()])
    replace_file(folder / "index.parquet", lambda file: table.to_parquet(file, index=False))
    stamp = json.dumps({**settings, "n_samples": end}, indent=1)
    replace_file(folder / "store.json", lambda file: file.write_text(stamp, "utf-8"))
    (folder / "journal.jsonl").unlink()
    return PreparedStore(folder)


def _whole_store(folder: Path, sample_rate: int, dtype: DType) -> PreparedStore | None:
    """The whole store that is already in the folder, if there is one."""
    if not (folder / "store.json").exists():
        return None
    store = PreparedStore(folder)
    if (store.sample_rate, store.dtype) != (sample_rate, dtype):
        raise StoreError(
            f"the prepared store '{printable(folder)}' was made with other settings",
            found=f"{store.sample_rate} Hz {store.dtype}",
            wanted=f"{sample_rate} Hz {dtype}",
            remedy="choose another folder, or delete this one",
        )
    return store


def _read_journal(file: Path, settings: Row) -> list[Row]:
    """Rows of an interrupted build with these settings, up to the first not written whole."""
    rows: list[Row] = []
    if file.exists():
        for line in file.read_text("utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
    return rows[1:] if rows and rows[0] == settings else []
