"""Write a collection as chunks for streaming, in the layout of `genrenet.data.litdata.reader`."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from genrenet.data.catalog import Catalog
from genrenet.data.decoded_audio import encode, in_order
from genrenet.data.litdata.cache import INDEX, StreamedError, is_address, litdata
from genrenet.data.litdata.reader import DTYPE, STAMP, TABLE, VERSION, StreamedSongs
from genrenet.utils import atomic
from genrenet.utils.errors import printable
from genrenet.utils.file_stamp import FileState, content_sample

CHUNK_BYTES = 64_000_000
"""Target size of a chunk: large enough to download at full speed, small enough to shuffle by."""


def write_streamed(
    catalog: Catalog,
    folder: str | os.PathLike[str],
    *,
    sample_rate: int = 12_000,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    chunk_bytes: int = CHUNK_BYTES,
) -> StreamedSongs:
    """Write a collection for streaming, unless the same is already there.

    An interrupted run leaves a folder without ``streamed.json``, which the next run writes anew. So
    it does if songs that could not be read then can be read now.

    Parameters
    ----------
    catalog : Catalog
    folder : path
        Target folder, on a local disk.
    sample_rate : int > 0
        Samples per second, in Hz.
    workers : int > 0, optional
        Number of decoding threads; by default one per processor.
    progress : callable, optional
        Called with (songs done, total number of songs).
    chunk_bytes : int > 0
        Target size of a chunk; a song is never divided.

    Returns
    -------
    StreamedSongs
        Its ``errors`` name the songs that are not usable.

    Raises
    ------
    StreamedError
        The folder is an address, holds something else, or cannot be written.
    """
    litdata()
    if is_address(os.fspath(folder)):
        raise StreamedError(
            f"cannot write to the address '{os.fspath(folder)}'",
            wanted="a folder on a local disk",
            remedy="write there, then copy the whole folder, as with 'aws s3 sync FOLDER ADDRESS'",
        )
    folder = Path(folder)
    stamp = {"version": VERSION, "sample_rate": sample_rate, "dtype": DTYPE, "name": catalog.name}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            if not _is_written(catalog, folder, stamp):
                _write(
                    catalog, folder, stamp, workers or os.cpu_count() or 1, chunk_bytes, progress
                )
    except OSError as error:
        raise StreamedError(
            f"cannot write the streamed collection '{printable(folder)}'",
            found=str(error),
            remedy="free some space or choose another folder",
        ) from error
    return StreamedSongs(str(folder), sample_rate=sample_rate)


def _file_keys(catalog: Catalog) -> dict[str, tuple[int, int, str]]:
    """Return size, modification time and a sample of the content of each file."""
    keys = {}
    for path in catalog.table["path"]:
        try:
            keys[path] = (*FileState.of(path)[:2], content_sample(path))
        except OSError:
            keys[path] = (-1, -1, "")
    return keys


def _digest(
    catalog: Catalog,
    settings: dict[str, Any],
    files: dict[str, tuple[int, int, str]],
    unread: set[str],
) -> str:
    """Return the data that identify a collection's state: settings, table, and files read."""
    read = [(path, key) for path, key in files.items() if path not in unread]
    text = catalog.table.drop(columns="path").to_csv(index=False)
    what = repr((settings, read, sorted(unread), text))
    return hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()


def _is_written(catalog: Catalog, folder: Path, stamp: dict[str, Any]) -> bool:
    """Return whether the folder holds this collection; raise an error if it holds anything else."""
    if (folder / STAMP).exists():
        found = json.loads((folder / STAMP).read_text("utf-8"))
        unread: set[str] = set()
        if found.get("version") == VERSION:
            table = pd.read_parquet(folder / TABLE, columns=["path", "state"])
            unread.update(map(os.fsdecode, table["path"][table["state"] == "unread"]))
        if found.get("made_of") == _digest(catalog, stamp, _file_keys(catalog), unread):
            rate = int(stamp["sample_rate"])
            if all(encode(path, rate, DTYPE).state == "unread" for path in sorted(unread)):
                return True
            (folder / STAMP).unlink()
            return _is_written(catalog, folder, stamp)
        raise StreamedError(
            f"'{printable(folder)}' contains another streamed collection",
            found=f"'{found.get('name')}' at {found.get('sample_rate')} Hz, from other files or "
            "an earlier state of them",
            wanted=f"'{stamp['name']}' at {stamp['sample_rate']} Hz",
            remedy="choose another folder, or delete this one",
        )
    ours = {".lock", INDEX, TABLE}
    left = [file for file in folder.iterdir() if file.name != ".lock"]
    for file in left:
        if file.name not in ours and not file.name.endswith((".bin", f".{INDEX}", ".part")):
            raise StreamedError(
                f"'{printable(folder)}' is not empty",
                found=f"'{printable(file.name)}'",
                remedy="choose another folder",
            )
    for file in left:
        file.unlink()
    return False


def _write(
    catalog: Catalog,
    folder: Path,
    stamp: dict[str, Any],
    workers: int,
    chunk_bytes: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    from litdata.streaming import Cache

    table, rate = catalog.table, int(stamp["sample_rate"])
    cache = Cache(str(folder), chunk_bytes=chunk_bytes)
    blocks = in_order(list(table["path"]), lambda path: encode(path, rate, DTYPE), workers)
    lengths, items, errors, states = [], [], [], []
    files = _file_keys(catalog)  # taken before reading, so that later changes are found next time
    n_items = 0
    with warnings.catch_warnings():
        # A song longer than a chunk gets its own.
        warnings.filterwarnings("ignore", "An item was larger than the target chunk size")
        for done, (samples, scale, state, message) in enumerate(blocks, 1):
            lengths.append(len(samples))
            items.append(n_items if len(samples) else -1)
            errors.append(message)
            states.append(state)
            if len(samples):
                cache[n_items] = {"samples": samples, "scale": scale}
                n_items += 1
            if progress is not None:
                progress(done, len(table))
        if not n_items:
            raise StreamedError(f"no song of '{catalog.name}' can be decoded", found=errors[0])
        cache.done()
        cache.merge()
    columns: dict[str, Any] = {"path": list(map(os.fsencode, table["path"]))}
    columns |= {"length": lengths, "item": items, "error": errors, "state": states}
    if table["duration"].isna().all():
        # Completeness is checked by duration, as files are not available there.
        columns["duration"] = np.array(lengths) / rate
    whole = table.assign(**columns)
    with atomic.replacing(folder / TABLE) as part:
        whole.to_parquet(part, index=False)
    unread = {path for path, state in zip(table["path"], states, strict=True) if state == "unread"}
    stamp = {**stamp, "made_of": _digest(catalog, stamp, files, unread), "songs": n_items}
    text = json.dumps(stamp, indent=1)
    atomic.write_text(folder / STAMP, text)
