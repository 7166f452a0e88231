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
from genrenet.data.coverage import heard_starts
from genrenet.data.frames import FrameSettings, usable_part
from genrenet.data.heard import TRIM_SHARE, Heard

EXTRA = 8
"""Reads besides one a frame, and one for each that is silent, that look for frames that sound."""

NEAR, NEAR_SECONDS = 2, 30.0
"""Where so many times the frames would cover a song, or where it is no longer than that, it is
decoded whole: the rest of it costs less than finding each of them, and its silence is known."""

HELD_SECONDS = 300.0
"""Most sound that is kept to choose frames from."""


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
        """Return a stretch, and forget what lies before it: the next one may overlap with it."""
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
    """Return whether so many frames of a song of this length are best had by decoding it whole."""
    return n_samples <= _held(settings, frames)


def _held(settings: FrameSettings, frames: int) -> float:
    """Return samples of a song that are kept to choose so many frames from."""
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
        See `genrenet.data.coverage.heard_starts`. A number of them is chosen from what sounds of
        the file, or of its beginning where more sounds than they can be chosen from.
    notes : list of str
        Takes what a reader of the result should know.
    stated : int >= 0
        Length of the file as far as it is known. Where the full trim is in proportion to it, frames
        are given before so much has been decoded that it is in proportion to what sounds.

    Yields
    ------
    Cut
        In order. What is kept meanwhile is two frames and the trim of both ends, or what is needed
        to know the trim, or what a number of frames is chosen from.

    Raises
    ------
    AudioError
        After all frames that can be had: what ``pieces`` raised, or too little sounds.
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
    """Cut a few frames of a file, evenly spread, and decode nothing between them.

    Parameters
    ----------
    file : AudioFile
        What it says of its length tells where to look.
    settings : FrameSettings
    count : int > 0
        Frames wanted.
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
    """Return the start of another frame to look at, most of which has not been: beside one that
    sounds, or else far from all that are silent. None where there is none.
    """
    tried = np.abs(starts[:, None] - np.array([*good, *silent])).min(axis=1)
    left = starts[2 * tried >= size]
    if not len(left):
        return None
    away = np.abs(left[:, None] - np.array(good or silent)).min(axis=1)
    return int(left[away.argmin() if good else away.argmax()])
