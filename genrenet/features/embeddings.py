"""Embeddings: a layer's output for every frame of songs, and one vector per song."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from genrenet.data.coverage import heard_frames
from genrenet.data.heard import Heard
from genrenet.inference.pipeline import plan, through
from genrenet.inference.song_reader import SongFrames
from genrenet.models.model import GenreModel
from genrenet.models.optimised import optimised
from genrenet.models.plain import ModelError


@dataclass
class SongEmbedding:
    """Embeddings of one file.

    Attributes
    ----------
    path : str
    frames : ndarray of float32, shape (n_frames, features)
        One row per frame; no rows where the file could not be read or is silent.
    starts, ends : ndarray of float64, shape (n_frames,)
        Start and end of the frames in the song, in seconds.
    error : str or None
        The error in reading the file, if any. A truncated file has both an error and frames.
    notes : list of str
        Remarks for the reader, such as a shortened trim.
    passing : bool
        Whether the error may be temporary: the song is then not cached, and worth another try.
    """

    path: str
    frames: NDArray[np.float32]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    passing: bool = False

    @property
    def song(self) -> NDArray[np.float32]:
        """Mean over the frames, of shape (features,); NaN if there are no frames."""
        return self._over_frames(np.mean)

    @property
    def std(self) -> NDArray[np.float32]:
        """Standard deviation over the frames, of shape (features,); NaN if there are no frames."""
        return self._over_frames(np.std)

    def _over_frames(self, reduce: Callable[..., Any]) -> NDArray[np.float32]:
        if not len(self.frames):
            return np.full(self.frames.shape[1], np.nan, np.float32)
        found: NDArray[np.float32] = reduce(self.frames, axis=0, dtype=np.float64).astype("f4")
        return found


@torch.inference_mode()
def layer_sizes(model: GenreModel) -> dict[str, int]:
    """Return the layers for `embed_songs`, in the order of the network, with their lengths.

    Parameters
    ----------
    model : GenreModel
        In eval mode.

    Returns
    -------
    dict of str to int
        Number of features of each layer.
    """
    frame = torch.zeros(1, model.frames.n_samples, device=model.device)
    layers = model.network.layers(model.frontend(frame))
    return {name: values.shape[1] for name, values in layers.items()}


def embed_songs(
    paths: Iterable[str],
    model: GenreModel,
    layer: str | Sequence[str] = "embedding",
    *,
    batch_frames: int | None = None,
    trim: float | None = None,
    frames: Heard | None = None,
) -> Iterator[SongEmbedding]:
    """Embed songs one after another.

    Parameters
    ----------
    paths : iterable of str
        Files.
    model : GenreModel
        In eval mode, on the device to use.
    layer : str or sequence of str
        One of `layer_sizes`; several are concatenated.
    batch_frames : int > 0, optional
        Frames in a batch; see `genrenet.inference.pipeline.plan`.
    trim : float, optional
        Maximum number of seconds skipped at both ends of songs, instead of the model's setting.
    frames : int > 0 or {"all", "whole"}, optional
        Which frames; see `genrenet.data.coverage.heard_frames`.

    Returns
    -------
    iterator of SongEmbedding
        In the order of ``paths``; a file that cannot be read gives one with ``error`` set.

    Raises
    ------
    ModelError
        The network has no such layer.
    FrameError
        Invalid ``frames``.
    """
    names = [layer] if isinstance(layer, str) else list(layer)
    sizes = layer_sizes(model)
    unknown = [name for name in names if name not in sizes]
    if unknown or not names:
        raise ModelError(
            f"no layer {', '.join(map(repr, unknown)) or 'named'}",
            wanted=", ".join(f"{name} ({size})" for name, size in sizes.items()),
        )
    settings = model.frames if trim is None else model.frames.with_trim(trim)
    width = sum(sizes[name] for name in names)
    of_network = model.network.batch_frames
    how = plan(model.device, settings, batch_frames=batch_frames, of_network=of_network)
    ready = optimised(model, "32")
    heard = heard_frames(settings, frames)
    songs = (SongFrames(path, settings, how.piece_frames, heard) for path in paths)
    found = through(songs, lambda frames: ready.embed(frames, names).float(), model.device, how)
    return (_result(song, rows.numpy(), width) for song, rows in found)


def _result(song: SongFrames, rows: NDArray[np.float32], width: int) -> SongEmbedding:
    frames = rows if len(rows) else np.zeros((0, width), np.float32)
    spans = np.array([song.span(i) for i in range(len(frames))], np.float64).reshape(-1, 2)
    about = song.error, song.notes, song.passing
    return SongEmbedding(song.path, frames, spans[:, 0], spans[:, 1], *about)


def song_matrix(
    embeddings: Iterable[SongEmbedding], *, std: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return songs as the rows of a matrix, for scikit-learn and the like.

    Parameters
    ----------
    embeddings : iterable of SongEmbedding
        Of one layer of one model.
    std : bool
        Append the standard deviation over the frames to the mean, which doubles the columns.

    Returns
    -------
    X : ndarray of float32, shape (kept songs, features)
    kept_rows : ndarray of int64, shape (kept songs,)
        Positions among ``embeddings`` of the songs that have frames; the others have no row.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression  # doctest: +SKIP
    >>> from sklearn.pipeline import make_pipeline  # doctest: +SKIP
    >>> from sklearn.preprocessing import StandardScaler  # doctest: +SKIP
    >>> from sklearn.svm import SVC  # doctest: +SKIP
    >>> X, kept = song_matrix(cached_embeddings(paths, "msd-cnn"))  # doctest: +SKIP
    >>> y = np.array(genres)[kept]  # doctest: +SKIP
    >>> for method in (SVC(C=10), LogisticRegression(max_iter=1000)):  # doctest: +SKIP
    ...     make_pipeline(StandardScaler(), method).fit(X, y)
    """
    given = list(embeddings)
    kept = [row for row, song in enumerate(given) if len(song.frames)]
    vectors = [
        np.concatenate([given[row].song, given[row].std]) if std else given[row].song
        for row in kept
    ]
    width = given[0].frames.shape[1] * (2 if std else 1) if given else 0
    matrix = np.stack(vectors) if vectors else np.zeros((0, width), np.float32)
    return matrix, np.array(kept, np.int64)
