"""Features of songs for baselines: one row per song, by the names of features.

Names are joined by ``+``. Each is the name of a registered extractor (such as ``spectral-stats``),
or of a network whose embedding is used (``musicnn-msd``, or with its layers
``msd-cnn:conv3/conv4``; ``hf:ORG/NAME:layer5``).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genrenet.baselines.base import BaselineError
from genrenet.features import FeatureExtractor
from genrenet.models.adapters import is_reference
from genrenet.models.checkpoints import published_models, shipped_checkpoints
from genrenet.models.checkpoints.finding import has_own_content
from genrenet.plugins.manager import contributions

Progress = Callable[[int, int], None]

RENAMED = {"five": "spectral-stats", "patterns": "block-level"}
"""Former names of features."""


@dataclass
class FeatureMatrix:
    """Features of songs.

    Attributes
    ----------
    rows : ndarray of float64, shape (songs, features)
        All NaN for a song that could not be used.
    kind : str
        "vectors" or "gaussians".
    errors : dict of str to str
        Errors, by path.
    """

    rows: NDArray[np.float64]
    kind: str = "vectors"
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which songs have features, of shape (songs,)."""
        return np.asarray(np.isfinite(self.rows).all(axis=1))


def known_features() -> dict[str, FeatureExtractor]:
    """Return all feature extractors by name."""
    found = contributions("register_features")
    return {name: entry.item for name, entry in found.items()}


def current_features(features: str, *, warn: bool = True) -> str:
    """Return names of features with former names replaced.

    Parameters
    ----------
    features : str
        Names, joined by ``+``.
    warn : bool
        Warn of former names.

    Examples
    --------
    >>> current_features("five+short-term", warn=False)
    'spectral-stats+short-term'
    """
    known, found = known_features(), []
    for name in features.split("+"):
        new = name if name in known else RENAMED.get(name, name)
        if warn and new != name:
            warnings.warn(
                f"the features '{name}' are now called '{new}'", FutureWarning, stacklevel=3
            )
        found.append(new)
    return "+".join(found)


def check_features(features: str) -> str:
    """Return the kind of rows that features have, without computing any.

    Raises
    ------
    BaselineError
        An unknown name, or Gaussians joined with something else.
    """
    names, known = current_features(features).split("+"), known_features()
    kinds = [known[name].kind if name in known else "vectors" for name in names]
    for name in names:
        backbone, _ = backbone_and_layers(name)
        if name not in known and not _is_network(backbone):
            networks = ", ".join([*shipped_checkpoints(), *published_models()])
            raise BaselineError(
                f"no features '{name}'",
                wanted=f"one of {', '.join(known)}, or a network such as {networks}",
                remedy="see 'genrenet plugins'",
            )
    if len(names) > 1 and "gaussians" in kinds:
        raise BaselineError(
            f"features '{features}' cannot be joined",
            found=f"Gaussians in {names[kinds.index('gaussians')]}",
            wanted="Gaussians alone, or vectors",
        )
    return kinds[0]


def backbone_and_layers(name: str) -> tuple[str, str]:
    """Return the network in a feature's name, and its layers, if given.

    Examples
    --------
    >>> backbone_and_layers("msd-cnn:conv3/conv4"), backbone_and_layers("hf:a/b:layer5")
    (('msd-cnn', 'conv3/conv4'), ('hf:a/b', 'layer5'))
    >>> backbone_and_layers("onnx:models/a.onnx")
    ('onnx:models/a.onnx', '')
    """
    first, _, rest = name.partition(":")
    if not is_reference(name):
        return first, rest
    backbone, _, layers = rest.partition(":")
    return f"{first}:{backbone}", layers


def _is_network(name: str) -> bool:
    known = name in shipped_checkpoints() or name in published_models()
    return known or has_own_content(name)


def song_features(
    paths: Sequence[str],
    features: str,
    *,
    device: str | None = None,
    progress: Progress | None = None,
) -> FeatureMatrix:
    """Return the features of songs, cached ones without computing them again.

    Parameters
    ----------
    paths : sequence of str
        Files, also unreadable ones.
    features : str
        Names, joined by ``+``.
    device : str, optional
        Where they are computed; by default the fastest available.
    progress : callable, optional
        Called with (songs done, total number of songs).

    Returns
    -------
    FeatureMatrix

    Raises
    ------
    BaselineError
        See `check_features`.
    """
    features, known = current_features(features), known_features()
    kind = check_features(features)
    blocks: list[NDArray[np.float64]] = []
    errors: dict[str, str] = {}
    for name in features.split("+"):
        if name in known:
            rows, failed = _extracted(paths, known[name], device, progress)
        else:
            rows, failed = _embedded(paths, name, device, progress)
        blocks.append(rows)
        errors = {**failed, **errors}
    return FeatureMatrix(np.concatenate(blocks, axis=1), kind, errors)


def _extracted(
    paths: Sequence[str],
    extractor: FeatureExtractor,
    device: str | None,
    progress: Progress | None,
) -> tuple[NDArray[np.float64], dict[str, str]]:
    rows = np.full((len(paths), len(extractor.columns)), np.nan)
    errors: dict[str, str] = {}
    from genrenet.features import cached_features

    songs = cached_features(paths, extractor, device=device, progress=progress)
    for row, song in enumerate(songs):
        if song.vector is not None:
            rows[row] = song.vector
        if song.error:
            errors[song.path] = song.error
    return rows, errors


def _embedded(
    paths: Sequence[str], name: str, device: str | None, progress: Progress | None
) -> tuple[NDArray[np.float64], dict[str, str]]:
    backbone, layers = backbone_and_layers(name)
    from genrenet.features import cached_embeddings, song_matrix

    songs = cached_embeddings(
        paths,
        backbone,
        re.split("[,/]", layers or "embedding"),
        frames="whole",
        device=device,
        progress=progress,
    )
    matrix, kept = song_matrix(songs)
    rows = np.full((len(songs), matrix.shape[1]), np.nan)
    rows[kept] = matrix
    return rows, {song.path: song.error for song in songs if song.error}
