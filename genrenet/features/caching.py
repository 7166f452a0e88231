"""Cache embeddings on disk: a second run with the same songs and settings decodes nothing."""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from genrenet.data.heard import HEARD_SECONDS, TRIM_SHARE, Heard
from genrenet.features.embeddings import SongEmbedding, embed_songs
from genrenet.features.song_cache import Entry, SongCache
from genrenet.inference.song_reader import open_model
from genrenet.models.checkpoints.finding import content_of
from genrenet.models.model import GenreModel
from genrenet.utils.cache import DAMAGE, digest
from genrenet.utils.errors import printable

VERSION = 2
"""Part of every name in the cache: incremented when the same settings give other numbers."""


def checkpoint_id(name_or_path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a checkpoint's content, 64 hexadecimal digits.

    Raises
    ------
    CheckpointError
        There is no such file or name; see `genrenet.models.checkpoints.finding.content_of`.
    """
    return content_of(name_or_path)


def cached_embeddings(
    paths: Iterable[str | os.PathLike[str]],
    backbone: str | os.PathLike[str],
    layer: str | Sequence[str] = "embedding",
    *,
    batch_frames: int | None = None,
    trim: float | None = None,
    frames: Heard | None = None,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[SongEmbedding]:
    """Return the embeddings of songs, cached ones without computing them again.

    Parameters
    ----------
    paths : iterable of path
        Files. Those without frames are tried again by every call: their errors are not cached.
    backbone : str or path
        Argument of `genrenet.models.checkpoints.load_model`. It is not opened if all songs are
        cached.
    layer : str or sequence of str
        See `embed_songs`.
    batch_frames : int > 0, optional
        Maximum number of frames in a batch.
    trim : float, optional
        Maximum number of seconds skipped at both ends of songs, instead of the checkpoint's
        setting.
    frames : int > 0 or {"all", "whole"}, optional
        Which frames; see `genrenet.data.coverage.heard_frames`. For training and testing, songs are
        cut into ``whole`` frames.
    device : str, optional
        Where the network runs; by default the fastest available.
    progress : callable, optional
        Called with (songs embedded, total number of songs).

    Returns
    -------
    list of SongEmbedding
        In the order of ``paths``.

    Warns
    -----
    UserWarning
        A file in the cache was damaged; its song has been embedded again.

    Raises
    ------
    CheckpointError
        No such checkpoint, or one that cannot be used.
    ModelError
        The network has no such layer.
    InferenceError
        There is no such device.
    CacheError
        The cache cannot be written.
    """
    found = iter_embeddings(
        paths,
        backbone,
        layer,
        batch_frames=batch_frames,
        trim=trim,
        frames=frames,
        device=device,
        progress=progress,
    )
    return list(found)


def iter_embeddings(
    paths: Iterable[str | os.PathLike[str]],
    backbone: str | os.PathLike[str],
    layer: str | Sequence[str] = "embedding",
    *,
    batch_frames: int | None = None,
    trim: float | None = None,
    frames: Heard | None = None,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    model: GenreModel | None = None,
) -> Iterator[SongEmbedding]:
    """Yield the embeddings of songs one after another, cached ones without computing them again.

    Every song is cached before it is yielded, so nothing is lost by stopping early.

    Parameters
    ----------
    paths, backbone, layer, batch_frames, trim, frames, device, progress
        See `cached_embeddings`.
    model : GenreModel, optional
        The model of ``backbone``, on the device to use, if it is open already.

    Returns
    -------
    iterator of SongEmbedding
        In the order of ``paths``. One song is in memory at a time, besides those that are decoded
        ahead and those that occur more than once in ``paths``.

    Warns
    -----
    UserWarning
        See `cached_embeddings`, also for what is raised.
    """
    given = [os.fspath(path) for path in paths]
    names = [layer] if isinstance(layer, str) else list(layer)
    # Results for whole frames keep the names that they had before there was a choice.
    heard = [] if frames == "whole" else [frames or f"{HEARD_SECONDS:g} s", TRIM_SHARE]
    settings = json.dumps([VERSION, checkpoint_id(backbone), names, trim, *heard])
    about = f"{', '.join(names)} of {printable(backbone)}"
    cache = _Cache(SongCache("embeddings", digest(settings.encode()), about))
    damaged = 0
    for path in dict.fromkeys(given):
        try:
            cache.look(path)
        except DAMAGE:
            damaged += 1
    if damaged:
        warnings.warn(
            f"{damaged} damaged files in the cache '{printable(cache.songs.folder)}': embedding "
            "their songs again",
            stacklevel=2,
        )

    def embed(todo: list[str]) -> Iterator[SongEmbedding]:
        opened = open_model(backbone, device) if model is None else model
        return embed_songs(todo, opened, names, batch_frames=batch_frames, trim=trim, frames=frames)

    todo = [path for path in cache.entries if path not in cache.held]
    fresh = embed(todo) if todo else iter(())
    return _in_order(given, cache, embed, fresh, len(todo), progress)


def _in_order(
    given: list[str],
    cache: _Cache,
    embed: Callable[[list[str]], Iterator[SongEmbedding]],
    fresh: Iterator[SongEmbedding],
    total: int,
    progress: Callable[[int, int], None] | None,
) -> Iterator[SongEmbedding]:
    """Yield songs from the cache and freshly embedded ones, which come in the same order."""
    done = 0
    repeated = {path for path, count in Counter(given).items() if count > 1}
    kept: dict[str, SongEmbedding] = {}
    for path in given:
        song = kept.get(path)
        if song is None and path in cache.held:
            try:
                song = cache.read(path)
            except DAMAGE:
                song = None
            if song is None:  # the cache has been cleared since it was checked
                song = next(embed([path]))
                cache.write(song)
        elif song is None:
            song = next(fresh)
            cache.write(song)
            done += 1
            if progress is not None:
                progress(done, total)
        if path in repeated:
            kept[path] = song
        yield song


class _Cache:
    """Cached embeddings of songs in their present state."""

    def __init__(self, songs: SongCache) -> None:
        self.songs = songs
        self.entries: dict[str, Entry] = {}
        self.held: set[str] = set()

    def look(self, path: str) -> None:
        """Record a song's state, and whether it is cached."""
        self.entries[path] = self.songs.entry(path)
        if self.read(path) is not None:
            self.held.add(path)

    def read(self, path: str) -> SongEmbedding | None:
        """Return a song's embedding; None if it is not cached."""
        kept = self.entries[path].read()
        if kept is None:
            return None
        frames, starts, ends = (kept.arrays[name] for name in ("frames", "starts", "ends"))
        return SongEmbedding(path, frames, starts, ends, kept.error, kept.notes)

    def write(self, song: SongEmbedding) -> None:
        """Cache a song's embedding, unless it has no frames or was not read completely."""
        if len(song.frames) and not song.passing:
            self.entries[song.path].write(
                song.error, song.notes, frames=song.frames, starts=song.starts, ends=song.ends
            )
