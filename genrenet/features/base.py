"""The definition of a feature extractor, and of its result for a song."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from genrenet.utils.cache import digest
from genrenet.utils.errors import GenrenetError

if TYPE_CHECKING:
    from torch import Tensor

SCHEME = 2
"""Part of every name in the cache: incremented when songs are cut or stored differently."""


class FeatureError(GenrenetError):
    """Settings or samples for which features cannot be computed."""


@dataclass(frozen=True)
class FeatureExtractor:
    """A function from samples to one feature vector per song, with its input requirements.

    Parameters
    ----------
    name : str
        Name on the command line.
    summary : str
        Description in one line.
    extract : callable
        Function of a Tensor of shape (batch, samples), float32 in [-1, 1], mono at ``sample_rate``,
        that returns one of shape (batch, len(columns)), float32 or float64, on the same device.
    columns : tuple of str
        Names of the numbers in a row.
    kind : {"vectors", "gaussians"}
        Type of a row: arbitrary numbers, or a Gaussian of d dimensions: its mean (d), then its
        covariance row by row (d*d).
    sample_rate : int > 0
        Samples per second of the input of ``extract``, in Hz.
    middle : float in (0, 1]
        Share of the song that is used, from its middle.
    max_seconds : float > 0
        Maximum number of seconds used, from the song's middle; bounds the memory for a song.
    min_seconds : float > 0
        Shorter songs have no features, and at least this length of a song is used.
    version : str
        Must change whenever ``extract`` returns other values for the same settings.
    settings : mapping
        The settings of ``extract``, as JSON values; part of the cache's key.

    Raises
    ------
    FeatureError
        Invalid values.

    Examples
    --------
    >>> def loudness(samples):
    ...     return samples.square().mean(dim=1, keepdim=True).sqrt()
    >>> FeatureExtractor("rms", "loudness", loudness, ("rms",)).sample_rate
    22050
    """

    name: str
    summary: str
    extract: Callable[[Tensor], Tensor]
    columns: tuple[str, ...]
    kind: Literal["vectors", "gaussians"] = "vectors"
    sample_rate: int = 22_050
    middle: float = 1.0
    max_seconds: float = 1200.0
    min_seconds: float = 0.5
    version: str = "1"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        what = f"the features '{self.name}' cannot be"
        if not 0 < self.middle <= 1:
            raise FeatureError(what, found=f"middle {self.middle:g}", wanted="0 < middle <= 1")
        if self.sample_rate < 1 or not 0 < self.min_seconds <= self.max_seconds:
            raise FeatureError(
                what,
                found=f"{self.min_seconds:g} to {self.max_seconds:g} s at {self.sample_rate} Hz",
                wanted="0 < min_seconds <= max_seconds and a sample rate",
            )
        dimensions = gaussian_dimensions(len(self.columns))
        if not self.columns or (self.kind == "gaussians" and not dimensions):
            raise FeatureError(
                what,
                found=f"{len(self.columns)} columns of {self.kind}",
                wanted="one at least; d + d*d for Gaussians of d dimensions",
            )

    @property
    def key(self) -> str:
        """Key of all inputs besides the song, as 32 hexadecimal digits."""
        about = [
            SCHEME,
            self.name,
            self.version,
            self.columns,
            self.kind,
            self.sample_rate,
            self.middle,
            self.max_seconds,
            self.min_seconds,
            dict(self.settings),
        ]
        return digest(json.dumps(about, sort_keys=True).encode())

    def span(self, seconds: float) -> tuple[float, float]:
        """Return the part of a song that is used.

        Parameters
        ----------
        seconds : float >= 0
            The song's length.

        Returns
        -------
        begin, length : float, seconds

        Examples
        --------
        >>> FeatureExtractor("a", "", abs, ("a",), middle=0.5).span(30.0)
        (7.5, 15.0)
        """
        wanted = max(min(self.middle * seconds, self.max_seconds), self.min_seconds)
        length = min(seconds, wanted)
        return (seconds - length) / 2, length


@dataclass
class SongFeatures:
    """Features of one file.

    Attributes
    ----------
    path : str
    vector : ndarray of float64, shape (columns,), or None
        All finite; None where there are none.
    error : str or None
        The error in reading the file, if any. A truncated file may have both an error and features
        of its readable part.
    """

    path: str
    vector: NDArray[np.float64] | None = None
    error: str | None = None


def gaussian_dimensions(n_columns: int) -> int:
    """Return the dimension d of a Gaussian with d + d*d numbers; 0 if there is no such d.

    Examples
    --------
    >>> gaussian_dimensions(240), gaussian_dimensions(241)
    (15, 0)
    """
    dimensions = (math.isqrt(1 + 4 * n_columns) - 1) // 2
    return dimensions if dimensions * (dimensions + 1) == n_columns else 0
