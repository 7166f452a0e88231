"""Coverage: which frames are heard of a song whose genre is named.

Networks are trained and judged on whole frames that do not overlap, after a fixed trim: see
`genrenet.data.frames.frame_starts`. To name a genre, as much of a song is heard as tells something:
the trim is in proportion to its length, what remains is covered from its beginning to its end, and
the number of frames is bounded, so that songs of any length cost about the same.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from genrenet.data.frames import (
    EARLY,
    FrameError,
    FrameSettings,
    Usable,
    frame_starts,
    usable_part,
)
from genrenet.data.heard import HEARD_SECONDS, LEAST, TRIM_SHARE, Heard


def heard_frames(settings: FrameSettings, frames: Heard | None = None) -> Heard:
    """Return which frames are heard, with None for as many as `HEARD_SECONDS` and `LEAST` say.

    Raises
    ------
    FrameError
        No number of 1 or more, nor one of the words.

    Examples
    --------
    >>> [heard_frames(FrameSettings(seconds)) for seconds in (3.0, 10.0, 29.12)]
    [10, 3, 2]
    """
    if frames is None:
        return max(LEAST, math.ceil(HEARD_SECONDS / settings.seconds))
    if frames in ("all", "whole") or (isinstance(frames, int) and frames >= 1):
        return frames
    raise FrameError("number of frames", found=repr(frames), wanted="at least 1, or 'all'")


def heard_part(n_samples: int, settings: FrameSettings) -> Usable:
    """Return what is left of a song after a trim of `TRIM_SHARE` of its length at either end, and
    no more than the settings' own.

    Parameters
    ----------
    n_samples : int >= 0
        Length of the song.
    settings : FrameSettings

    Examples
    --------
    >>> [heard_part(60 * seconds, FrameSettings(3, 20, 60)).trim for seconds in (2, 15, 60, 600)]
    [0.0, 1.5, 6.0, 20.0]
    """
    rate = settings.sample_rate
    trim = min(round(settings.trim * rate), math.floor(n_samples * TRIM_SHARE))
    return usable_part(n_samples, settings.with_trim(trim / rate))


def heard_starts(n_samples: int, settings: FrameSettings, frames: Heard) -> NDArray[np.int64]:
    """Return the first samples of the frames that are heard of a song.

    The first begins where `heard_part` does, and the last ends there; a single one of several is
    its middle. They overlap where they must to cover it.

    Parameters
    ----------
    n_samples : int >= 0
        Length of the song.
    settings : FrameSettings
    frames : int > 0 or {"all", "whole"}

    Returns
    -------
    ndarray of int64, shape (frames,), frames >= 1
        Ascending.

    Examples
    --------
    >>> settings = FrameSettings(1, trim=0, sample_rate=1000)
    >>> [heard_starts(2500, settings, frames).tolist() for frames in (1, 9, "all", "whole")]
    [[750], [0, 750, 1500], [0, 1000, 1500], [0, 1000]]
    >>> heard_starts(31_000, settings, 4).tolist()
    [0, 10000, 20000, 30000]
    """
    if frames == "whole":
        return frame_starts(n_samples, settings)
    part, size = heard_part(n_samples, settings), settings.n_samples
    free = max(0, part.end - part.begin - size)
    needed = 1 + max(0, -((EARLY - free) // size))
    if frames == "all":
        places = np.minimum(size * np.arange(needed), free)
    else:
        count = min(needed, frames)
        places = np.linspace(0, free, count) if count > 1 else np.array([free / 2])
    starts: NDArray[np.int64] = part.begin + np.rint(places).astype(np.int64)
    return starts
