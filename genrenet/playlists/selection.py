"""Choose the songs of a playlist: by shares of genres, with a total length close to the target.

Genres take turns: the next song is of the genre that is furthest behind its share (stride
scheduling: C. A. Waldspurger and W. E. Weihl, 1995), so shares are met to within a song. A song
that would exceed the length is replaced by the one that comes closest among the next candidates,
and one exchange at the end removes most of the remaining difference. The length is exceeded if that
is closer, so by less than half of the last song.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from genrenet.playlists.base import PlaylistSong, clock
from genrenet.playlists.candidates import Supply
from genrenet.playlists.excluding import Seen

Amount = Callable[[PlaylistSong], float]
_LAST = 16
"""Number of songs of a genre that the exchange at the end may remove: the least preferred ones."""


@dataclass(frozen=True)
class Choice:
    """Chosen songs by the genre they were chosen for, in order of preference.

    ``left`` is the remainder to the target (seconds or songs), below 0 if it is exceeded; ``short``
    is true if the library has too few songs.
    """

    groups: dict[str, list[PlaylistSong]]
    left: float
    short: bool
    notes: list[str] = field(default_factory=list)


def choose(
    supplies: Sequence[Supply],
    shares: Mapping[str, float],
    *,
    length: float | None = None,
    count: int | None = None,
    first: PlaylistSong | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Choice:
    """Choose songs up to the target.

    Parameters
    ----------
    supplies : sequence of Supply
        One per genre.
    shares : mapping of str to float
        Share of each genre (above 0): of the duration if there is a ``length``, of the number of
        songs otherwise.
    length : float, optional
        Target duration in seconds. With neither this nor ``count``: all songs.
    count : int, optional
        Number of songs.
    first : PlaylistSong, optional
        Always in the playlist; it counts for the genre it was chosen for.
    progress : callable, optional
        Called with the number of songs chosen, and the total number or 0 if unknown.

    Returns
    -------
    Choice
    """
    amount: Amount = (lambda song: song.duration or 0.0) if length else (lambda song: 1.0)
    goal = length or count or math.inf
    groups: dict[str, list[PlaylistSong]] = {supply.genre: [] for supply in supplies}
    taken = dict.fromkeys(groups, 0.0)
    seen = Seen()
    if first is not None:
        genre = first.wanted if first.wanted in groups else next(iter(groups))
        seen.again(first)
        groups[genre].append(first)
        taken[genre] += amount(first)
    left = goal - sum(taken.values())
    turns = {supply.genre: supply for supply in supplies}
    while turns and left > 0:
        genre = min(turns, key=lambda name: taken[name] / shares[name])
        song = _next(turns[genre], left, amount, seen)
        if song is None:
            del turns[genre]
            continue
        groups[genre].append(song)
        taken[genre] += amount(song)
        left -= amount(song)
        if progress is not None:
            progress(sum(map(len, groups.values())), count or 0)
    if length and any(groups.values()):
        left = _exchange(groups, supplies, left, seen, first)
    used_up = [supply.genre for supply in supplies if not supply.ahead]
    # A tolerance of a hundredth for durations; numbers of songs are exact.
    lacking = left > (0.01 * goal if length else 0)
    short = math.isfinite(goal) and len(used_up) == len(supplies) and lacking
    notes = _notes(supplies, used_up, groups, shares, goal, left, short=short, timed=bool(length))
    return Choice(groups, left, short, notes)


def _next(supply: Supply, left: float, amount: Amount, seen: Seen) -> PlaylistSong | None:
    """Return the next song of a genre; None if there is none, or none that comes closer to the
    target.
    """
    while supply.fill():
        song = supply.ahead[0]
        if amount(song) > left:
            song = min(supply.ahead, key=lambda other: abs(left - amount(other)))
            if abs(left - amount(song)) >= left:
                return None
        supply.ahead.remove(song)
        if song in seen:  # the first song, or one chosen for another genre
            continue
        if not seen.again(song):
            return song
        supply.left_out["there twice"] += 1
    return None


def _exchange(
    groups: dict[str, list[PlaylistSong]],
    supplies: Sequence[Supply],
    left: float,
    seen: Seen,
    first: PlaylistSong | None,
) -> float:
    """Exchange one song if that brings the duration closer; return the new remainder."""
    while True:
        best: tuple[float, Supply, int, int] | None = None
        for supply in supplies:
            group = groups[supply.genre]
            start = max(len(group) - _LAST, int(first is not None and group[:1] == [first]))
            if not supply.ahead or start >= len(group):
                continue
            olds = np.array([song.duration or 0.0 for song in group[start:]])
            news = np.array([song.duration or 0.0 for song in supply.ahead])
            off = np.abs(left + olds[:, None] - news)
            old, new = np.unravel_index(off.argmin(), off.shape)
            if best is None or off[old, new] < best[0]:
                best = float(off[old, new]), supply, start + int(old), int(new)
        # Less than a second is not worth a more preferred song.
        if best is None or best[0] > abs(left) - 1:
            return left
        _, supply, old_at, new_at = best
        new_song = supply.ahead.pop(new_at)
        if new_song in seen:
            continue
        if seen.again(new_song):
            supply.left_out["there twice"] += 1
            continue
        old_song = groups[supply.genre][old_at]
        groups[supply.genre][old_at] = new_song
        return left + (old_song.duration or 0.0) - (new_song.duration or 0.0)


def _notes(
    supplies: Sequence[Supply],
    used_up: Sequence[str],
    groups: Mapping[str, Sequence[PlaylistSong]],
    shares: Mapping[str, float],
    goal: float,
    left: float,
    *,
    short: bool,
    timed: bool,
) -> list[str]:
    """Return notes for the user on a choice."""
    left_out = sum((supply.left_out for supply in supplies), Counter[str]())
    notes = [
        f"{number} song{'' if number == 1 else 's'} passed over: {reason}"
        for reason, number in sorted(left_out.items())
    ]
    if not math.isfinite(goal):
        return notes

    def told(amount: float) -> str:
        return clock(amount) if timed else f"{amount:.0f} songs"

    if short:
        notes.append(f"the library has too few songs: {told(goal - left)} of {told(goal)}")
    for genre in used_up if len(supplies) > 1 else ():
        wanted = goal * shares[genre] / sum(shares.values())
        found = sum((song.duration or 0.0) if timed else 1.0 for song in groups[genre])
        if found < 0.95 * wanted and wanted - found > (0 if timed else 0.5):
            rest = "" if short else "; other genres fill up the rest"
            notes.append(f"too few songs of '{genre}': {told(found)} of {told(wanted)}{rest}")
    return notes
