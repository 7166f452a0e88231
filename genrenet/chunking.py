"""Writes a collection as chunks for streaming; see `genrenet.streamed` for the layout."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from genrenet.catalog import Catalog
from genrenet.chunks import INDEX, StreamedError, is_address, litdata
from genrenet.errors import printable
from genrenet.store import encode, file_key, in_order, replace_file
from genrenet.streamed import DTYPE, STAMP, TABLE, VERSION, StreamedSongs

CHUNK_BYTES = 64_000_000
"""Target size of a chunk: large enough to fetch at full speed, small enough to shuffle by."""


def write_streamed(
    catalog: Catalog,
    folder: str | os.PathLike[str],
    *,
    sample_rate: int = 12_000,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    chunk_bytes: int = CHUNK_BYTES,
) -> StreamedSongs:
    """Write a collection for streaming; one that is there already, and the same, is left alone.

    An interrupted run leaves a folder without a stamp, which the next run starts over.

    Parameters
    ----------
    catalog : Catalog
    folder : path
        Where to, on a local disk.
    sample_rate : int > 0
        Samples per second, in Hz.
    workers : int > 0, optional
        Decoding threads; as many as the machine has processors by default.
    progress : callable, optional
        Called with the number of songs done and the number to do.
    chunk_bytes : int > 0
        Target size of a chunk; a song is never divided.

    Returns
    -------
    StreamedSongs
        Its ``errors`` name the songs that could not be decoded.

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
    stamp["made_of"] = _digest(catalog, stamp)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            if not _is_written(folder, stamp):
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


def _digest(catalog: Catalog, settings: dict[str, Any]) -> str:
    """What tells whether a collection is still what it was: settings, files and table."""
    files = [file_key(path) for path in catalog.table["path"]]
    text = catalog.table.drop(columns="path").to_csv(index=False)
    return hashlib.sha256(repr((settings, files, text)).encode("utf-8", "replace")).hexdigest()


def _is_written(folder: Path, stamp: dict[str, Any]) -> bool:
    """Whether the folder holds this collection; refuses one that holds anything else."""
    if (folder / STAMP).exists():
        found = json.loads((folder / STAMP).read_text("utf-8"))
        if found.get("made_of") == stamp["made_of"]:
            return True
        raise StreamedError(
            f"'{printable(folder)}' holds another streamed collection",
            found=f"'{found.get('name')}' at {found.get('sample_rate')} Hz, from other files or "
            "an earlier state of them",
            wanted=f"'{stamp['name']}' at {stamp['sample_rate']} Hz",
            remedy="choose another folder, or delete this one",
        )
    ours = {".lock", INDEX, TABLE, TABLE + ".part", STAMP + ".part"}
    left = [file for file in folder.iterdir() if file.name != ".lock"]
    for file in left:
        if file.name not in ours and not file.name.endswith((".bin", f".{INDEX}")):
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
    lengths, items, errors = [], [], []
    n_items = 0
    with warnings.catch_warnings():
        # A song longer than a chunk has one of its own, which is all right.
        warnings.filterwarnings("ignore", "An item was larger than the target chunk size")
        for done, (samples, scale, error) in enumerate(blocks, 1):
            lengths.append(len(samples))
            items.append(n_items if len(samples) else -1)
            errors.append(error)
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
    columns |= {"length": lengths, "item": items, "error": errors}
    if table["duration"].isna().all():
        # Whether songs are whole is judged by their durations, and there the files will be gone.
        columns["duration"] = np.array(lengths) / rate
    whole = table.assign(**columns)
    replace_file(folder / TABLE, lambda file: whole.to_parquet(file, index=False))
    text = json.dumps({**stamp, "songs": n_items}, indent=1)
    replace_file(folder / STAMP, lambda file: file.write_text(text, "utf-8"))
