"""The prepared store: songs decoded once, so that training reads samples instead of files.

Layout of a store's folder
--------------------------
``index.sqlite``
    One row per song: file, size, times, a sample of its content, length, scale, error; see
    `genrenet.data.store_index`. Several processes may write to it at once.
``songs/<two digits>/<name>``
    Samples of a song, mono, int16 or float16, little-endian. A file is renamed when complete and
    recorded in the index last: an interrupted build continues after the last recorded song.
``users/``, ``locks/``
    Locks of the processes that read and write.

int16 samples are scaled by each song's own peak, so that a quiet song keeps its resolution.

`genrenet.data.decoded_audio` defines which songs are usable. Unusable songs are remembered; songs
that could not be read this time are tried again each time.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from genrenet import audio
from genrenet.audio.errors import failure
from genrenet.data.decoded_audio import DType, decoders, encode, in_order
from genrenet.data.store_index import Entry, Known, StoreError, StoreIndex
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import printable
from genrenet.utils.file_stamp import FileState, content_sample

__all__ = ["PreparedStore", "StoreError", "fill", "prepare"]

BATCH_SECONDS = 2.0
"""Seconds between updates of the index with finished songs."""


class PreparedStore:
    """Samples of songs.

    Open an existing store with ``PreparedStore(folder)``; create or extend one with `prepare`,
    whose songs are in use until the process ends: no process removes them. Samples that have been
    deleted all the same are decoded again.

    Parameters
    ----------
    folder : path
        Folder of the store.
    paths : iterable of str, optional
        Songs that will be read; by default all songs in the store.

    Attributes
    ----------
    sample_rate : int
        Samples per second.
    dtype : str
        ``int16`` or ``float16``.
    paths : list of str
        The songs.
    errors : dict
        Songs that are not usable, with the reason.
    truncated : dict
        Songs that are used as far as they can be read, with the fault.

    Raises
    ------
    StoreError
        No store there, a damaged one, or one of another version.
    """

    def __init__(self, folder: str | os.PathLike[str], paths: Iterable[str] | None = None) -> None:
        self.folder = Path(folder)
        index = self._index = StoreIndex(self.folder)
        self.sample_rate = int(index.about["sample_rate"])
        self.dtype = str(index.about["dtype"])
        found = index.rows("SELECT path, file, length, scale, state, message FROM songs")
        rows = {os.fsdecode(row[0]): row[1:] for row in found}
        self.paths = list(rows if paths is None else dict.fromkeys(paths))
        self._songs: dict[str, tuple[str, int, float]] = {}
        self.errors: dict[str, str] = {}
        self.truncated: dict[str, str] = {}
        for path in self.paths:
            row = rows.get(path) or rows.get(os.path.abspath(path))
            if row is None:
                where = printable(self.folder)
                self.errors[path] = f"'{printable(path)}' is not in the prepared store '{where}'"
                continue
            if row[1]:
                self._songs[path] = row[:3]
            if row[3] == "truncated":
                self.truncated[path] = row[4]
            elif row[4]:
                self.errors[path] = row[4]

    def __len__(self) -> int:
        return len(self.paths)

    def length(self, path: str) -> int:
        """Return a song's length in samples; 0 if it is not usable or not in the store."""
        return self._songs.get(path, ("", 0, 1.0))[1]

    def read(self, path: str, start: int, count: int) -> tuple[NDArray[Any], float]:
        """Return part of a song's samples.

        Parameters
        ----------
        path : str
            The song's file.
        start, count : int >= 0
            First sample and number of samples; samples past the song's end are left out.

        Returns
        -------
        samples : ndarray of int16 or float16, shape (<= count,)
        scale : float
            Factor that maps the samples to [-1, 1].

        Raises
        ------
        AudioError
            The samples have been deleted, and the file has changed since they were decoded.
        """
        file, length, scale = self._songs[path]
        wanted = max(0, min(count, length - start))
        samples = self._samples(file, start, wanted)
        if len(samples) < wanted:
            self._restore(path, file, length)
            samples = self._samples(file, start, wanted)
        return samples, scale

    def _samples(self, file: str, start: int, count: int) -> NDArray[Any]:
        kind = np.dtype(self.dtype).newbyteorder("<")
        try:
            return np.fromfile(self._index.place(file), kind, count, offset=start * kind.itemsize)
        except FileNotFoundError:
            return np.zeros(0, kind)

    def _restore(self, path: str, file: str, length: int) -> None:
        """Decode a song again whose samples have been deleted or truncated."""
        found = encode(path, self.sample_rate, self.dtype)  # type: ignore[arg-type]
        if len(found.samples) != length:
            lost = f"{len(found.samples)} samples, and none in the prepared store"
            raise failure(audio.UnreadableFileError, path, lost, f"the {length} there were")
        _write(self._index.place(file), found.samples)


def prepare(
    paths: Iterable[str],
    folder: str | os.PathLike[str],
    *,
    sample_rate: int = 12_000,
    dtype: DType = "int16",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PreparedStore:
    """Add songs to a store, as `fill` does, and open it."""
    given = list(paths)
    fill(given, folder, sample_rate=sample_rate, dtype=dtype, workers=workers, progress=progress)
    return PreparedStore(folder, given)


def fill(
    paths: Iterable[str],
    folder: str | os.PathLike[str],
    *,
    sample_rate: int = 12_000,
    dtype: DType = "int16",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Add songs to a store: create it, finish an interrupted build, or decode new songs.

    Several processes may call this at once; for the same songs, the second waits for the first and
    then finds them done. Songs of the same folders whose files have been deleted are removed.

    Parameters
    ----------
    paths : iterable of str
        Files to decode. Songs in the store whose file is unchanged are kept.
    folder : path
        Location of the store.
    sample_rate : int > 0
        Samples per second, in Hz.
    dtype : {"int16", "float16"}
        Type of the stored samples.
    workers : int > 0, optional
        Number of decoding threads; by default one per processor.
    progress : callable, optional
        Called with (files done, total number of files).

    Raises
    ------
    StoreError
        The folder holds a store with other settings, or the disk is full or read-only.
    """
    folder = Path(folder)
    songs = list(dict.fromkeys(map(os.path.abspath, paths)))
    try:
        index = StoreIndex(folder, {"sample_rate": sample_rate, "dtype": dtype})
        found = index.about["sample_rate"], index.about["dtype"]
        if found != (sample_rate, dtype):
            raise StoreError(
                f"the prepared store '{printable(folder)}' was made with other settings",
                found="{} Hz {}".format(*found),
                wanted=f"{sample_rate} Hz {dtype}",
                remedy="choose another folder, or delete this one",
            )
        name = hashlib.sha256(os.fsencode("\0".join(songs))).hexdigest()[:16]
        (folder / "locks").mkdir(exist_ok=True)
        with FileLock(folder / "locks" / name):
            _fill(index, songs, dtype, workers or os.cpu_count() or 1, progress)
    except OSError as error:
        raise StoreError(
            f"cannot write the prepared store '{printable(folder)}'",
            found=str(error),
            remedy="free some space or choose another folder; finished work is kept",
        ) from error


def _fill(
    index: StoreIndex,
    songs: list[str],
    dtype: DType,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Decode the songs that a store lacks, and assign all to one collection."""
    folders = {os.path.dirname(song) for song in songs}
    collection = index.enter(os.path.commonpath(folders) if folders else "")
    known = index.known()
    todo: list[str] = []
    states: dict[str, FileState] = {}
    for song in songs:
        state = FileState.find(song)
        if song not in known or not _is_same(index, song, state, known[song], states):
            todo.append(song)
    index.refresh(states)
    index.take(
        [song for song in songs if song in known and known[song][-1] != collection],
        collection,
    )
    rate = int(index.about["sample_rate"])
    ready: list[Entry] = []
    noted = time.monotonic()
    try:
        blocks = in_order(todo, lambda song: _put(index, song, rate, dtype), workers)
        for done, entry in enumerate(blocks, 1):
            ready.append(entry)
            if time.monotonic() > noted + BATCH_SECONDS:
                index.put(ready, collection)
                ready, noted = [], time.monotonic()
            if progress is not None:
                progress(done, len(todo))
    finally:
        index.put(ready, collection)
    # A missing folder may be on a disk that is not mounted.
    there = {folder for folder in folders if os.path.isdir(folder)}
    wanted, since = set(songs), index.in_use_since()
    in_use = {found.number for found in index.collections() if found.used >= since}
    index.drop(
        song
        for song, held in known.items()
        if song not in wanted
        and os.path.dirname(song) in there
        and (held[-1] == collection or held[-1] not in in_use)
        and not os.path.lexists(song)
    )


def _is_same(
    index: StoreIndex, song: str, now: FileState, held: Known, states: dict[str, FileState]
) -> bool:
    """Return whether a store's record of a song is still valid; new times and inodes are added to
    ``states``.
    """
    state, made_by = held[4:6]
    if state == "unread" or (state == "unusable" and made_by != decoders()):
        return False
    if now == held[:4]:
        return True
    if now[:2] != held[:2]:
        return False
    # Renamed, copied or given other rights: files of equal size may have been swapped.
    try:
        same = content_sample(song) == index.samples_of([song])[song]
    except OSError:
        return state != "unusable"  # keep the samples after a temporary failure
    if same:
        states[song] = now
    return same


def _put(index: StoreIndex, song: str, rate: int, dtype: DType) -> Entry:
    """Decode a song and write its samples."""
    state = FileState.find(song)  # taken before reading: later changes are found next time
    try:
        sample = content_sample(song)
    except OSError:
        sample = ""
    found = encode(song, rate, dtype)
    file = ""
    if len(found.samples):
        what = repr((os.fsencode(song), state[:2], sample, len(found.samples)))
        file = hashlib.sha256(what.encode()).hexdigest()[:32]
        _write(index.place(file), found.samples)
    about = found.scale, found.state, found.message, decoders()
    return Entry(song, state, sample, file, len(found.samples), *about)


def _write(file: Path, samples: NDArray[Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file, sync=False) as part:
        part.write_bytes(samples.tobytes())
