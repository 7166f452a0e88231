"""Embeddings kept on disk: whoever asks again, for the same songs and settings, decodes nothing.

Layout: ``embeddings/<settings>/<song>.npz`` below the cache's root. The first name stands for the
weights, the layers, and how songs are cut; the second for the song's path. A song whose size or
modification time has changed is embedded anew, and so is one whose file in the cache is damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genrenet.cache import CacheError, cache_folder
from genrenet.checkpoints import find_checkpoint
from genrenet.errors import printable
from genrenet.features.embeddings import SongEmbedding, embed_songs
from genrenet.streaming import open_model

VERSION = 1
"""Part of every name in the cache: goes up when the same settings give other numbers."""

Stamp = tuple[int, int]


def checkpoint_id(name_or_path: str | os.PathLike[str]) -> str:
    """What identifies a checkpoint's content: SHA-256 of its file, 64 hexadecimal digits.

    Raises
    ------
    CheckpointError
        There is no such file or name; see `genrenet.checkpoints.find_checkpoint`.
    """
    return hashlib.sha256(find_checkpoint(name_or_path).read_bytes()).hexdigest()


def cached_embeddings(
    paths: Iterable[str | os.PathLike[str]],
    backbone: str | os.PathLike[str],
    layer: str | Sequence[str] = "embedding",
    *,
    batch_frames: int = 4,
    trim: float | None = None,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[SongEmbedding]:
    """Embeddings of songs, from the cache where they are there.

    Parameters
    ----------
    paths : iterable of path
        Files. Those that gave no frames are tried again by every call: their errors are not kept.
    backbone : str or path
        What `genrenet.checkpoints.load_checkpoint` takes. It is not opened where all is cached.
    layer : str or sequence of str
        See `embed_songs`.
    batch_frames : int > 0
        Most frames embedded at once.
    trim : float, optional
        Seconds dropped at both ends of songs instead of what the checkpoint says.
    device : str, optional
        Where the network runs; the best there is by default.
    progress : callable, optional
        Called with the number of songs embedded and the number to embed.

    Returns
    -------
    list of SongEmbedding
        In the order of ``paths``.

    Warns
    -----
    UserWarning
        A file in the cache was damaged; its song has been embedded anew.

    Raises
    ------
    CheckpointError
        No such checkpoint, or one that cannot be used.
    ClassifierError
        The network has no such layer.
    InferenceError
        There is no such device.
    CacheError
        The cache cannot be written.
    """
    given = [os.fspath(path) for path in paths]
    names = [layer] if isinstance(layer, str) else list(layer)
    settings = json.dumps([VERSION, checkpoint_id(backbone), names, trim])
    folder = cache_folder("embeddings", _digest(settings.encode()))
    found: dict[str, SongEmbedding] = {}
    stamps: dict[str, Stamp | None] = {}
    damaged = 0
    for path in dict.fromkeys(given):
        stamps[path] = _stamp(path)
        try:
            held = _read(_place(folder, path), path, stamps[path])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            held, damaged = None, damaged + 1
        if held is not None:
            found[path] = held
    if damaged:
        warnings.warn(
            f"{damaged} damaged files in the cache '{printable(folder)}': embedding their songs "
            "anew",
            stacklevel=2,
        )
    todo = [path for path in stamps if path not in found]
    if todo:
        model = open_model(backbone, device)
        songs = embed_songs(todo, model, names, batch_frames=batch_frames, trim=trim)
        for done, song in enumerate(songs, 1):
            found[song.path] = song
            stamp = stamps[song.path]
            if len(song.frames) and stamp is not None:
                _write(_place(folder, song.path), song, stamp)
            if progress is not None:
                progress(done, len(todo))
    return [found[path] for path in given]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _place(folder: Path, path: str) -> Path:
    return folder / f"{_digest(os.fsencode(os.path.abspath(path)))}.npz"


def _stamp(path: str) -> Stamp | None:
    """What tells cheaply that a file's content has changed, taken before it is read."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _read(file: Path, path: str, stamp: Stamp | None) -> SongEmbedding | None:
    if stamp is None or not file.exists():
        return None
    # numpy's archives carry a checksum of every array, so damage does not go unnoticed.
    with open(file, "rb") as data, np.load(data, allow_pickle=False) as held:
        about: dict[str, Any] = json.loads(held["about"].item())
        if (about["size"], about["mtime"]) != stamp:
            return None
        return SongEmbedding(
            path, held["frames"], held["starts"], held["ends"], about["error"], about["notes"]
        )


def _write(file: Path, song: SongEmbedding, stamp: Stamp) -> None:
    about = {"size": stamp[0], "mtime": stamp[1], "error": song.error, "notes": song.notes}
    # Two processes may embed the same song: each writes a file of its own, and the last one stays.
    part = file.with_suffix(f".{os.getpid()}.part")
    try:
        with open(part, "wb") as out:
            np.savez(
                out,
                frames=song.frames,
                starts=song.starts,
                ends=song.ends,
                about=np.array(json.dumps(about)),
            )
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CacheError(
            f"cannot write to the cache folder '{printable(file.parent)}'",
            found=str(error),
            remedy="free some space, or set GENRENET_CACHE to another folder; what is done is kept",
        ) from error
