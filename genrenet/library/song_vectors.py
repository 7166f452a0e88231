"""One vector per song, read from the files of ``genrenet embed``."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrenet.data.heard import Heard
from genrenet.library.embedding_files import EmbeddingFileError
from genrenet.utils.errors import printable

_ABOUT = ("backbone", "layer", "checkpoint", "trim", "heard")


class SongVectors(NamedTuple):
    """One vector per song, from a file of embeddings.

    Attributes
    ----------
    paths : list of str
        As they were given to ``genrenet embed``.
    vectors : ndarray of float32, shape (songs, features)
        Means over the songs' frames, finite; songs without frames are left out.
    backbone, layer : str
        The model and layer that computed them.
    checkpoint : str
        SHA-256 of the backbone's file; '' if not in the file.
    trim : float, optional
        Maximum number of seconds that were dropped at both ends of the songs.
    heard : int > 0 or {"all", "whole"}
        Which frames were used; see `genrenet.data.coverage.heard_frames`.
    """

    paths: list[str]
    vectors: NDArray[np.float32]
    backbone: str
    layer: str
    checkpoint: str = ""
    trim: float | None = None
    heard: Heard = "whole"


def read_song_vectors(file: str | os.PathLike[str]) -> SongVectors:
    """Return one vector per song from a file of ``genrenet embed``, whichever rows it has.

    Raises
    ------
    EmbeddingFileError
        There is no such file, or it has no embeddings.
    """
    path = Path(file)
    if not path.is_file():
        raise EmbeddingFileError(
            f"there is no file of embeddings '{printable(path)}'",
            remedy="make one with 'genrenet embed LIBRARY --backbone NAME --per song --out FILE'",
        )
    try:
        found = _read_npz(path) if path.suffix.lower() == ".npz" else _read_parquet(path)
        if found.vectors.ndim != 2 or len(found.vectors) != len(found.paths):
            raise ValueError(f"{len(found.paths)} songs and vectors of shape {found.vectors.shape}")
        usable = np.asarray(np.isfinite(found.vectors).all(axis=1))
        if usable.all():
            return found
        paths = [path for path, good in zip(found.paths, usable, strict=True) if good]
        return found._replace(paths=paths, vectors=found.vectors[usable])
    except (OSError, KeyError, ValueError, TypeError, IndexError, zipfile.BadZipFile) as error:
        raise EmbeddingFileError(
            f"'{printable(path)}' is not a file of embeddings, or is damaged",
            found=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            remedy="name a file that 'genrenet embed' wrote",
        ) from error


def _about(held: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata of a file's vectors; backbone and layer are required."""
    trim = float(held["trim"]) if "trim" in held else None
    made = {"backbone": held["backbone"], "layer": held["layer"]}
    told = held.get("heard", "whole")  # missing in older files
    heard = int(told) if told.isdecimal() else told
    return {**made, "checkpoint": held.get("checkpoint", ""), "trim": trim, "heard": heard}


def _read_npz(path: Path) -> SongVectors:
    with np.load(path, allow_pickle=False) as held:
        frames, names = held["frames"], held["paths"]
        if "song_embeddings" in held:
            means = held["song_embeddings"]
        else:
            means = _means(held["embeddings"], held["song"], len(names))
        about = _about({key: str(held[key]) for key in _ABOUT if key in held})
    paths = [str(name) for name, count in zip(names, frames, strict=True) if count]
    return SongVectors(paths, means[frames > 0].astype(np.float32), **about)


def _read_parquet(path: Path) -> SongVectors:
    import pyarrow.parquet

    beside = path.with_suffix(".songs.parquet")
    names = pyarrow.parquet.read_schema(path).names
    if "mean" not in names and beside.is_file():
        path, names = beside, ["path", "mean"]
    kept = ["path", "mean"] if "mean" in names else ["path", "song", "embedding"]
    table = pyarrow.parquet.read_table(path, columns=kept)
    metadata = {
        key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()
    }
    about = _about(metadata)
    if "mean" in kept:
        table = table.filter(table["mean"].is_valid())
        vectors = _matrix(table["mean"])
        return SongVectors(table["path"].to_pylist(), vectors, **about)
    songs, first, rows = np.unique(table["song"].to_numpy(), return_index=True, return_inverse=True)
    paths = table["path"].take(first).to_pylist()
    return SongVectors(paths, _means(_matrix(table["embedding"]), rows, len(songs)), **about)


def _matrix(column: Any) -> NDArray[np.float32]:
    """Return a column of lists of a fixed length as a matrix."""
    width = column.type.list_size
    flat: NDArray[np.float32] = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(-1, width)


def _means(frames: NDArray[np.float32], song: NDArray[np.int64], songs: int) -> NDArray[np.float32]:
    """Return the means of the rows of each song."""
    sums = np.zeros((songs, frames.shape[1]))
    np.add.at(sums, song, frames)
    counts = np.bincount(song, minlength=songs)
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
