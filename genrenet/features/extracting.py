"""Classical features of files, cached on disk, so that a second run decodes nothing."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from genrenet import audio
from genrenet.audio.sounding import only_sounding, silent
from genrenet.features.base import FeatureError, FeatureExtractor, SongFeatures
from genrenet.features.song_cache import Entry, Kept, SongCache
from genrenet.inference.song_reader import InferenceError
from genrenet.utils.cache import DAMAGE
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.hardware import best_device

SLACK = 16
"""Number of samples by which a resampled song may be too short."""


def cached_features(
    paths: Iterable[str | os.PathLike[str]],
    extractor: FeatureExtractor,
    *,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[SongFeatures]:
    """Return the features of songs, cached ones without computing them again.

    Parameters
    ----------
    paths : iterable of path
        Files, also unreadable ones. Those without features are tried again by every call.
    extractor : FeatureExtractor
    device : str, optional
        Where features are computed; by default the fastest available.
    progress : callable, optional
        Called with (different songs done, total number of different songs).

    Returns
    -------
    list of SongFeatures
        In the order of ``paths``. A file that cannot be read, is shorter than the extractor's
        ``min_seconds`` or holds only zeros has an ``error`` and no vector.

    Warns
    -----
    UserWarning
        A file in the cache was damaged; its song's features have been computed again.

    Raises
    ------
    FeatureError
        The result of the extractor does not fit its columns.
    InferenceError
        There is no such device.
    CacheError
        The cache cannot be written.
    """
    return list(iter_features(paths, extractor, device=device, progress=progress))


def iter_features(
    paths: Iterable[str | os.PathLike[str]],
    extractor: FeatureExtractor,
    *,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[SongFeatures]:
    """Yield the features of songs one after another, cached ones without computing them again.

    Every song is cached before it is yielded, so nothing is lost by stopping early. The next song
    is decoded while the features of the present one are computed.

    Parameters
    ----------
    paths, extractor, device, progress
        See `cached_features`.

    Returns
    -------
    iterator of SongFeatures
        In the order of ``paths``.

    Warns
    -----
    UserWarning
        See `cached_features`, also for what is raised.
    """
    given = [os.fspath(path) for path in paths]
    return _in_order(given, _Extraction(extractor, _device(device)), progress)


def _device(name: str | None) -> torch.device:
    try:
        found = torch.device(name or best_device())
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:  # torch raises either for a missing device
        raise InferenceError(
            f"no device '{name}'",
            found=str(error).splitlines()[0],
            remedy="omit it to use the fastest one",
        ) from error
    return found


def _in_order(
    given: list[str], extraction: _Extraction, progress: Callable[[int, int], None] | None
) -> Iterator[SongFeatures]:
    different = list(dict.fromkeys(given))
    wanted, kept = Counter(given), dict[str, SongFeatures]()
    fresh = _ahead(different, extraction)
    for path in given:
        if path not in kept:
            kept[path] = next(fresh)
            if progress is not None:
                progress(len(kept), len(different))
        song = kept[path]
        wanted[path] -= 1
        if not wanted[path]:  # only songs that occur again stay in memory
            kept[path] = SongFeatures(path)
        yield replace(song)


def _ahead(paths: list[str], extraction: _Extraction) -> Iterator[SongFeatures]:
    """Yield songs in their order, each read by a worker thread during the previous computation."""
    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(extraction.read, path) for path in paths[:1]]
        for following in [*paths[1:], None]:
            song = waiting.pop().result()
            if following is not None:
                waiting.append(pool.submit(extraction.read, following))
            yield extraction.finish(song)


@dataclass
class _Read:
    """A song from the worker thread: with features, with samples, or with an error."""

    features: SongFeatures
    entry: Entry
    samples: NDArray[np.float32] | None = None
    damaged: bool = False


class _Extraction:
    """An extractor on a device, and its folder of the cache."""

    def __init__(self, extractor: FeatureExtractor, device: torch.device) -> None:
        self.extractor, self.device = extractor, device
        self.cache = SongCache("features", extractor.key, extractor.name)

    def read(self, path: str) -> _Read:
        """Look a song up in the cache; decode it if it is missing."""
        song = _Read(SongFeatures(path), self.cache.entry(path))
        try:
            if (kept := song.entry.read()) is not None:
                song.features = self._kept(path, kept)
                return song
        except DAMAGE:
            song.damaged = True
        song.samples, song.features.error = self._decode(path)
        return song

    def finish(self, song: _Read) -> SongFeatures:
        """Compute missing features, and cache them."""
        features = song.features
        if song.damaged:
            warnings.warn(
                f"a damaged file in the cache '{printable(self.cache.folder)}': computing the "
                f"features of '{printable(features.path)}' again",
                stacklevel=4,
            )
        if song.samples is None:
            return features
        try:
            features.vector = self._extract(song.samples)
        except FeatureError:
            raise
        except GenrenetError as error:
            features.error = str(error)
            return features
        if not np.isfinite(features.vector).all():
            features.error = (
                f"the features '{self.extractor.name}' of '{printable(features.path)}' are not "
                "finite: found NaN or infinity"
            )
            features.vector = None
        else:
            song.entry.write(features.error, vector=features.vector)
        return features

    def _kept(self, path: str, kept: Kept) -> SongFeatures:
        vector = kept.arrays["vector"]
        if vector.shape != (len(self.extractor.columns),) or vector.dtype != np.float64:
            raise ValueError(f"shape {vector.shape}")
        return SongFeatures(path, vector, kept.error)

    def _decode(self, path: str) -> tuple[NDArray[np.float32] | None, str | None]:
        """Return the samples of the part that is used, or the error; both for a truncated file."""
        rate, least = self.extractor.sample_rate, self.extractor.min_seconds
        fault = None
        try:
            begin, length = self.extractor.span(audio.probe(path).duration)
            # If all is used, read to the end: only then is it known whether the end is missing.
            samples = audio.load(path, rate, begin, length if begin else None)
            sound = only_sounding(samples, rate)
            if begin and len(sound) < len(samples):  # the span refers to the sound of the song
                sound = only_sounding(audio.load(path, rate), rate)
                begin, length = self.extractor.span(len(sound) / rate)
                sound = sound[round(begin * rate) :][: round(length * rate)]
        except audio.TruncatedAudioError as error:
            sound, fault = only_sounding(error.samples, rate), str(error)
        except audio.AudioError as error:
            return None, str(error)
        if not len(sound):
            return None, fault or str(silent(path))
        if len(sound) < least * rate - SLACK:
            short = FeatureError(
                f"'{printable(path)}' is too short",
                found=f"{len(sound) / rate:.2f} s that sound",
                wanted=f"at least {least:g} s",
            )
            return None, fault or str(short)
        return sound, fault

    def _extract(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        with torch.inference_mode():
            batch = torch.from_numpy(samples)[None].to(self.device)
            rows = self.extractor.extract(batch)
        if rows.shape != (1, len(self.extractor.columns)):
            raise FeatureError(
                f"the features '{self.extractor.name}' differ from their description",
                found=f"a tensor of shape {tuple(rows.shape)}",
                wanted=f"(1, {len(self.extractor.columns)}), one for each column",
            )
        found: NDArray[np.float64] = rows[0].cpu().numpy().astype(np.float64)
        return found
