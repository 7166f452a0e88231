"""Read frames of a file: all of them in bounded memory, or a few without decoding the rest.

Positions are samples at the sample rate of the settings: positions in the file, unless they are
said to be in its *sound*, which is the file without its silent stretches.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genrenet import audio
from genrenet.audio.sounding import Gate, require_sound
from genrenet.data.coverage import heard_starts
from genrenet.data.frames import FrameSettings, usable_part
from genrenet.data.heard import TRIM_SHARE, Heard

EXTRA = 8
"""Additional reads, besides one per frame and one per silent frame, to find frames with sound."""

NEAR, NEAR_SECONDS = 2, 30.0
"""A song is decoded whole if this many times the frames would cover it, or if it is no longer than
this: decoding the rest costs less than seeking to each frame, and finds all silence."""

HELD_SECONDS = 300.0
"""Maximum length of the sound that is kept to choose frames from, in seconds."""


@dataclass(frozen=True)
class Cut:
    """A frame and its position in the file.

    Attributes
    ----------
    begin, end : int
        First sample in the file, and one past the last.
    samples : ndarray of float32, shape (<= frame,)
        The samples between them that are not silent, nominally in [-1, 1].
    """

    begin: int
    end: int
    samples: NDArray[np.float32]


@dataclass
class _Sound:
    """The sound of a file so far, of which only the part still needed is kept."""

    end: int = 0
    _kept: int = 0  # position of the first sample that is kept
    _parts: list[NDArray[np.float32]] = field(default_factory=list)
    _stretches: list[tuple[int, int]] = field(default_factory=list)  # where each is: sound, file

    def add(self, place: int, block: NDArray[np.float32]) -> None:
        if not self._stretches or self._in_file(self.end) != place:
            self._stretches.append((self.end, place))
        self._parts.append(block)
        self.end += len(block)

    def cut(self, begin: int, end: int) -> Cut:
        """Return a stretch, and drop what lies before it: the next one may overlap with it."""
        joined = self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)
        joined = joined[begin - self._kept :]
        self._parts, self._kept = [joined], begin
        found = joined[: end - begin]
        return Cut(self._in_file(begin), self._in_file(begin + len(found) - 1) + 1, found)

    def _in_file(self, position: int) -> int:
        sound, file = self._stretches[bisect_right(self._stretches, position, key=_first) - 1]
        return file + position - sound


def _first(pair: tuple[int, int]) -> int:
    return pair[0]


def is_near(n_samples: int, settings: FrameSettings, frames: int) -> bool:
    """Return whether this many frames of a song of this length need it to be decoded whole."""
    return n_samples <= _held(settings, frames)


def _held(settings: FrameSettings, frames: int) -> float:
    """Return how many samples of a song are kept to choose this many frames from."""
    trimmed = 2 * settings.trim * settings.sample_rate
    near = max(NEAR * frames * settings.n_samples, NEAR_SECONDS * settings.sample_rate)
    return min(near + trimmed, near / (1 - 2 * TRIM_SHARE), HELD_SECONDS * settings.sample_rate)


def end_to_end(
    path: str,
    pieces: Iterable[NDArray[np.float32]],
    settings: FrameSettings,
    frames: Heard,
    notes: list[str],
    stated: int = 0,
) -> Generator[Cut, None, None]:
    """Cut the frames of a file while it is decoded.

    Parameters
    ----------
    path : str
        The file's name, for errors.
    pieces : iterable of ndarray of float32
        All its samples, in order.
    settings : FrameSettings
    frames : int > 0 or {"all", "whole"}
        See `genrenet.data.coverage.heard_starts`. A number of frames is chosen from the sound of
        the file, or from its beginning if the sound is longer than the samples kept for the choice.
    notes : list of str
        Receives remarks for the reader of the result.
    stated : int >= 0
        Length of the file as stated in its header. If the full trim fits in proportion to it,
        frames are given before enough has been decoded for the trim to be in proportion to the
        sound.

    Yields
    ------
    Cut
        In order. Kept in memory are two frames and the trim of both ends, or the samples needed to
        determine the trim, or those that a number of frames is chosen from.

    Raises
    ------
    AudioError
        After all frames that could be read: what ``pieces`` raised, or too little sound.
    """
    rate, size = settings.sample_rate, settings.n_samples
    trim = round(settings.trim * rate)
    known = 0.0 if frames == "whole" or stated * TRIM_SHARE >= trim else trim / TRIM_SHARE
    sound, count = _Sound(), 0
    ended: audio.AudioError | None = None
    try:
        for place, block in Gate(rate).through(pieces):
            sound.add(place, block)
            if isinstance(frames, int):
                if sound.end > _held(settings, frames):
                    break
                continue
            while sound.end >= max(known, trim + (count + 1) * size + trim):
                yield sound.cut(trim + count * size, trim + (count + 1) * size)
                count += 1
    except audio.AudioError as error:
        ended = error
    try:
        require_sound(path, sound.end, rate)
    except audio.AudioError as error:
        raise ended or error from None
    if frames == "whole" and (part := usable_part(sound.end, settings)).shortened:
        notes.append(f"trimmed {part.trim:.1f} s instead of {settings.trim:g} s: the song is short")
    given = trim + (count - 1) * size if count else -1
    for start in heard_starts(sound.end, settings, frames).tolist():
        if start > given:
            yield sound.cut(start, start + size)
    if ended is not None:
        raise ended


def some(
    file: audio.AudioFile, settings: FrameSettings, count: int, notes: list[str]
) -> Iterator[Cut]:
    """Read a few frames of a file, evenly spread, and decode nothing between them.

    Parameters
    ----------
    file : AudioFile
        The opened file; its stated length determines where to look.
    settings : FrameSettings
    count : int > 0
        Number of frames wanted.
    notes : list of str
        See `end_to_end`.

    Yields
    ------
    Cut
        At most ``count``, each with sound in at least half of it. Replacements for silent frames
        come last. None if everything that was read is silent; the rest of the file may still have
        sound.

    Raises
    ------
    AudioError
        A frame cannot be decoded.
    """
    rate, size = settings.sample_rate, settings.n_samples
    n_samples = round(file.info.duration * rate)
    wanted = heard_starts(n_samples, settings, count).tolist()
    others = heard_starts(n_samples, settings, "all")
    gate, good, silent = Gate(rate), list[int](), list[int]()
    for reads in range(2 * count + EXTRA):
        start = wanted[reads] if reads < len(wanted) else _another(others, good, silent, size)
        if len(good) == len(wanted) or start is None:
            return
        span = file.load(rate, start / rate, size / rate)
        notes += [note for note in file.notes if note not in notes]
        found = list(gate.through([span]))
        samples = np.concatenate([block for _, block in found]) if found else span[:0]
        if 2 * len(samples) < size:
            silent.append(start)
            continue
        good.append(start)
        place, block = found[-1]
        yield Cut(start + found[0][0], start + place + len(block), samples)


def _another(
    starts: NDArray[np.int64], good: list[int], silent: list[int], size: int
) -> int | None:
    """Return the start of another frame to try that is mostly unread: next to one with sound, or
    else far from all silent ones. None where there is none.
    """
    tried = np.abs(starts[:, None] - np.array([*good, *silent])).min(axis=1)
    left = starts[2 * tried >= size]
    if not len(left):
        return None
    away = np.abs(left[:, None] - np.array(good or silent)).min(axis=1)
    return int(left[away.argmin() if good else away.argmax()])
