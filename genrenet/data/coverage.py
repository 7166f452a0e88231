"""Coverage: which frames of a song are used in inference.

Networks are trained and evaluated on whole frames that do not overlap, after a fixed trim: see
`genrenet.data.frames.frame_starts`. In inference, the trim is in proportion to the song's length,
the rest is covered from its beginning to its end, and the number of frames is bounded, so that
songs of any length take about the same time.
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
    """Return which frames to use; for None as many as `HEARD_SECONDS` and `LEAST` determine.

    Raises
    ------
    FrameError
        Neither a number of 1 or more, nor one of the words.

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
    """Return the part of a song that is left by a trim of `TRIM_SHARE` of its length at either end,
    and no more than the settings' own.

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
    """Return the first samples of the frames of a song that are used in inference.

    The first begins where `heard_part` does, and the last ends there; a single frame lies in its
    middle. They overlap where necessary to cover it.

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
