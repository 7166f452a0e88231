"""Remove silence: long silent stretches, their coding noise, and constant offsets.

Conventions
-----------
A recording is cut into blocks of `BLOCK_SECONDS`. The level of a block is its root mean square
after removing its mean, so that a constant offset has no effect, and without `EDGE_SECONDS` at its
beginning or its end, whichever gives less: a resampler rings where an offset begins. A block has
sound if its level is above `FLOOR` and not more than `RANGE_DB` below the loudest block so far.
`PAUSE_BLOCKS` consecutive blocks without sound are a pause, which is part of the music; longer
stretches are removed completely.

The decision needs no samples later than the length of a pause, so recordings are gated during
decoding, and a store, a stream and a span of one recording are gated in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from genrenet.audio import AudioError, TooShortError
from genrenet.audio.errors import Mono, Path
from genrenet.utils.errors import printable

BLOCK_SECONDS = 0.5
"""Length of a block, the unit of silence detection, in seconds."""

EDGE_SECONDS = 0.05
"""Longer than a resampler rings where a recording begins or ends with an offset."""

PAUSE_BLOCKS = 4
"""Maximum number of consecutive silent blocks that are kept: 2 s, as long as rests in music."""

FLOOR = 5e-5
"""Level at or below which a block is silent, full scale being 1: above 16-bit dither (2e-5)."""

RANGE_DB = 60.0
"""Maximum level difference to the loudest block for a block with sound: more than in music."""

MIN_SECONDS = 0.5
"""Minimum sound to classify a file, in seconds."""


class SilentAudioError(AudioError):
    """A file that contains only silence, coding noise, or a constant offset."""


def silent(path: Path) -> SilentAudioError:
    """Return the error of a file without sound."""
    error = SilentAudioError(
        f"'{printable(path)}' is silent",
        found=f"no level above {20 * np.log10(FLOOR):.0f} dB of full scale",
        wanted="music",
    )
    error.path = path
    return error


def require_sound(path: Path, n_samples: int, sample_rate: int) -> None:
    """Raise an error for a file with too little sound to classify.

    Parameters
    ----------
    path : path-like
    n_samples : int >= 0
        Number of samples with sound.
    sample_rate : int > 0 [Hz]

    Raises
    ------
    SilentAudioError
        The file is silent.
    TooShortError
        It has less than `MIN_SECONDS` of sound.
    """
    if not n_samples:
        raise silent(path)
    if n_samples < MIN_SECONDS * sample_rate:
        error = TooShortError(
            f"'{printable(path)}' is too short",
            found=f"{n_samples / sample_rate:.2f} s that sound",
            wanted=f"at least {MIN_SECONDS:g} s",
        )
        error.path = path
        raise error


class Gate:
    """Removes the silent stretches of a recording.

    Parameters
    ----------
    sample_rate : int > 0 [Hz]

    Attributes
    ----------
    loudest : float
        Level of the loudest block so far, also over several stretches of one recording.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 12_000).astype(np.float32)
    >>> song = np.concatenate([noise, np.full(60_000, 0.2, np.float32), noise])
    >>> [start for start, _ in Gate(12_000).through([song])]
    [0, 6000, 72000, 78000]
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate, self.loudest = sample_rate, 0.0

    def through(self, pieces: Iterable[Mono]) -> Iterator[tuple[int, Mono]]:
        """Yield the sound of a stretch.

        Parameters
        ----------
        pieces : iterable of ndarray of float32
            Consecutive samples of any lengths, nominally in [-1, 1].

        Yields
        ------
        start : int
            Position in the stretch of the first of the samples.
        samples : ndarray of float32, shape (<= BLOCK_SECONDS * sample_rate,)
            Unchanged. At most `PAUSE_BLOCKS` blocks are held back at a time.

        Raises
        ------
        AudioError
            Raised by ``pieces``, after all earlier samples were yielded.
        """
        pause: list[tuple[int, Mono]] = []
        silence, sounded = 0, False
        for start, block, error in _blocks(pieces, round(BLOCK_SECONDS * self.sample_rate)):
            if len(block) and self._sounds(block):
                yield from pause
                yield start, block
                pause, silence, sounded = [], 0, True
            elif len(block):
                silence += 1
                pause = [*pause, (start, block)] if silence <= PAUSE_BLOCKS else []
            elif sounded:  # at the end: a pause there belongs to the music before it
                yield from pause
            if error is not None:
                raise error

    def _sounds(self, block: Mono) -> bool:
        edge = round(EDGE_SECONDS * self.sample_rate)
        inner = block[edge:], block[:-edge]
        level = float(min(part.std(dtype=np.float64) for part in inner)) if len(inner[0]) else 0.0
        self.loudest = max(self.loudest, level)
        return level > max(FLOOR, self.loudest * 10 ** (-RANGE_DB / 20))


def _blocks(pieces: Iterable[Mono], size: int) -> Iterator[tuple[int, Mono, AudioError | None]]:
    """Yield blocks of one length with their positions; last an empty one, with the exception that
    ended the stream.
    """
    parts: list[Mono] = []
    start = held = 0
    ended: AudioError | None = None
    try:
        for piece in pieces:
            parts.append(piece)
            held += len(piece)
            if held >= size:
                joined = np.concatenate(parts) if len(parts) > 1 else piece
                whole = held // size * size
                for begin in range(0, whole, size):
                    yield start + begin, joined[begin : begin + size], None
                parts, start, held = [joined[whole:]], start + whole, held - whole
    except AudioError as error:
        ended = error
    if held:
        yield start, np.concatenate(parts), None
    yield start + held, np.zeros(0, np.float32), ended


def only_sounding(samples: Mono, sample_rate: int) -> Mono:
    """Return the samples with sound; the same array if that is all of them.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    sample_rate : int > 0 [Hz]

    Returns
    -------
    ndarray of float32, shape (<= n,)
    """
    blocks = [block for _, block in Gate(sample_rate).through([samples])]
    if sum(map(len, blocks)) == len(samples):
        return samples
    return np.concatenate(blocks) if blocks else samples[:0]
