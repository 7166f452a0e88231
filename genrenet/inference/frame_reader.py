"""Frames of a file's sound: from end to end in memory that stays small, or a few without the rest.

Positions are counted in samples at the settings' own rate: in the file, where nothing else is said,
or in its *sound*, which is the file without the stretches that do not sound.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genrenet import audio
from genrenet.audio.sounding import Gate, require_sound
from genrenet.data.frames import FrameSettings, frame_starts, spread, usable_part

EXTRA = 8
"""Reads besides one a frame, and one for each that is silent, that look for frames that sound."""


@dataclass(frozen=True)
class Cut:
    """A frame as it was found.

    Attributes
    ----------
    begin, end : int
        First sample in the file, and one past the last.
    samples : ndarray of float32, shape (<= frame,)
        What sounds between them.
    """

    begin: int
    end: int
    samples: NDArray[np.float32]


@dataclass
class _Sound:
    """The sound of a file so far, of which only what is still needed is kept."""

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
        """Return a stretch, and forget what lies before its end."""
        joined = np.concatenate(self._parts)
        found = joined[begin - self._kept : end - self._kept]
        last = begin + len(found)
        self._parts, self._kept = [joined[last - self._kept :]], last
        return Cut(self._in_file(begin), self._in_file(last - 1) + 1, found)

    def _in_file(self, position: int) -> int:
        sound, file = self._stretches[bisect_right(self._stretches, position, key=_first) - 1]
        return file + position - sound


def _first(pair: tuple[int, int]) -> int:
    return pair[0]


def end_to_end(
    path: str, pieces: Iterable[NDArray[np.float32]], settings: FrameSettings, notes: list[str]
) -> Generator[Cut, None, None]:
    """Cut all frames of a file while it is decoded.

    Parameters
    ----------
    path : str
        The file's name, for errors.
    pieces : iterable of ndarray of float32
        All its samples, in order.
    settings : FrameSettings
    notes : list of str
        Takes what a reader of the result should know.

    Yields
    ------
    Cut
        In order. What is kept meanwhile is a frame and the trim of both ends at most: the length of
        a song, and so where its end is trimmed, is found by decoding it.

    Raises
    ------
    AudioError
        After all frames that can be had: what ``pieces`` raised, or too little sounds.
    """
    rate, size = settings.sample_rate, settings.n_samples
    trim = round(settings.trim * rate)
    sound, count = _Sound(), 0
    ended: audio.AudioError | None = None
    try:
        for place, block in Gate(rate).through(pieces):
            sound.add(place, block)
            while sound.end >= trim + (count + 1) * size + trim:
                yield sound.cut(trim + count * size, trim + (count + 1) * size)
                count += 1
    except audio.AudioError as error:
        ended = error
    try:
        require_sound(path, sound.end, rate)
    except audio.AudioError as error:
        raise ended or error from None
    part = usable_part(sound.end, settings)
    if part.shortened:
        notes.append(f"trimmed {part.trim:.1f} s instead of {settings.trim:g} s: the song is short")
    for start in frame_starts(sound.end, settings)[count:].tolist():
        yield sound.cut(start, start + size)
    if ended is not None:
        raise ended


def some(
    path: str, duration: float, settings: FrameSettings, count: int, notes: list[str]
) -> Iterator[Cut]:
    """Cut a few frames of a file, evenly spread, and decode nothing between them.

    Parameters
    ----------
    path : str
    duration : float [seconds]
        What the file says of itself. It tells where to look.
    settings : FrameSettings
    count : int > 0
        Frames wanted, fewer than there are.
    notes : list of str
        See `end_to_end`.

    Yields
    ------
    Cut
        At most ``count``, of each of which one half sounds at least. Those that are found in the
        place of silent ones come last. There are none if all that was read is silent: that says
        nothing about the rest.

    Raises
    ------
    AudioError
        A frame cannot be decoded.
    """
    rate, length = settings.sample_rate, settings.n_samples
    starts = frame_starts(round(duration * rate), settings)
    gate, good, silent = Gate(rate), list[int](), list[int]()
    wanted = spread(np.arange(len(starts)), count).tolist()
    for reads in range(2 * count + EXTRA):
        if len(good) == count or len(good) + len(silent) == len(starts):
            return
        number = wanted[reads] if reads < count else _another(len(starts), good, silent)
        start = int(starts[number])
        span = audio.load(path, rate, start / rate, length / rate, notes=notes)
        found = list(gate.through([span]))
        samples = np.concatenate([block for _, block in found]) if found else span[:0]
        if 2 * len(samples) < length:
            silent.append(number)
            continue
        good.append(number)
        place, block = found[-1]
        yield Cut(start + found[0][0], start + place + len(block), samples)


def _another(count: int, good: list[int], silent: list[int]) -> int:
    """Return another frame to look at: beside one that sounds, or else far from all that
    are silent.
    """
    left = np.setdiff1d(np.arange(count), [*good, *silent])
    away = np.abs(left[:, None] - np.array(good or silent)).min(axis=1)
    return int(left[away.argmin() if good else away.argmax()])
