"""Compute the content of songs outside a table in the same way as that of the table's songs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genrenet.library.song_vectors import SongVectors
from genrenet.library.table import About
from genrenet.recommend.errors import RecommendError
from genrenet.utils.errors import printable

Rows = NDArray[np.float32]


def embedded(path: str, songs: SongVectors) -> Rows:
    """Return the vector of a file with the backbone, layer, trim and frames of a file of
    embeddings.

    Parameters
    ----------
    path : str
        An audio file.
    songs : SongVectors
        Content of the file of embeddings.

    Returns
    -------
    ndarray of float32, shape (1, features)

    Raises
    ------
    RecommendError
        The song cannot be read, or the backbone is no longer the one of the table.
    CheckpointError, ModelError
        There is no such backbone or layer.
    """
    from genrenet.features import checkpoint_id, iter_embeddings

    found = checkpoint_id(songs.backbone)
    if songs.checkpoint not in ("", found):
        raise _other_model(songs.backbone, found[:12], songs.checkpoint[:12], "genrenet embed")
    (song,) = iter_embeddings(
        [path], songs.backbone, songs.layer.split(","), trim=songs.trim, frames=songs.heard
    )
    if not len(song.frames):
        raise _unusable(path, song.error)
    return song.song[None]


def scored(path: str, about: About) -> Rows:
    """Return genre scores of a file with the checkpoint, trim and frames of a scan's table.

    Parameters
    ----------
    path : str
        An audio file.
    about : About
        Metadata of the table.

    Returns
    -------
    ndarray of float32, shape (1, labels)

    Raises
    ------
    RecommendError
        The song cannot be read, or checkpoint or taxonomy are no longer those of the table.
    CheckpointError, TaxonomyError
        There is no such checkpoint or taxonomy.
    """
    from genrenet.inference.classify import open_method, score_songs
    from genrenet.inference.taxonomy import taxonomy
    from genrenet.library.scanning import identity_of

    name = about.checkpoint.rpartition("@")[0]
    found = identity_of(name)
    if found != about.checkpoint:
        raise _other_model(name, found, about.checkpoint, "genrenet scan --restart")
    trim, frames = (about.settings.get(key) for key in ("trim", "frames"))
    if "coverage" not in about.settings:  # an older table, whose songs used the frames of training
        frames = frames or "whole"
    called = about.settings.get("taxonomy")
    found_songs = score_songs(
        [path],
        open_method(name),
        checkpoint=name,
        trim=trim,
        frames=frames,
        taxonomy=taxonomy(called) if called else None,
    )
    (song,) = found_songs
    if not song.scores:
        raise _unusable(path, song.error)
    if {*song.scores} != {*about.labels}:
        raise RecommendError(
            f"the taxonomy '{printable(called or '')}' is not the taxonomy of the table",
            found=", ".join(song.scores),
            wanted=", ".join(about.labels),
            remedy="scan the library again, or start from one of its songs",
        )
    return np.array([[song.scores[label] for label in about.labels]], np.float32)


def _unusable(path: str, error: str | None) -> RecommendError:
    return RecommendError(f"cannot start from '{printable(path)}'", found=error or "no sound")


def _other_model(name: str, found: str, wanted: str, command: str) -> RecommendError:
    return RecommendError(
        f"'{printable(name)}' is not the model of the table's features",
        found=f"its file's checksum {found}",
        wanted=wanted,
        remedy=f"compute the features again with '{command}', or start from a song of the library",
    )
