"""Order songs: by confidence, or shuffled with artists spread out; genres are interleaved."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np

from genrenet.playlists.base import PlaylistSong
from genrenet.playlists.excluding import same_text

T = TypeVar("T")


def interleave(groups: Sequence[Sequence[T]]) -> list[T]:
    """Return groups merged in proportion to their sizes; each keeps its own order.

    Examples
    --------
    >>> "".join(interleave(["aaaa", "bb"]))
    'abaaba'
    """
    placed = [
        ((at + 0.5) / len(group), number, at)
        for number, group in enumerate(groups)
        for at in range(len(group))
    ]
    return [groups[number][at] for _, number, at in sorted(placed)]


def by_confidence(groups: Sequence[Sequence[PlaylistSong]]) -> list[PlaylistSong]:
    """Return songs by descending confidence; of several genres, each in turn."""
    return interleave([sorted(group, key=lambda song: -song.fit) for group in groups])


def shuffled(
    groups: Sequence[Sequence[PlaylistSong]], rng: np.random.Generator
) -> list[PlaylistSong]:
    """Return songs in random order, with those of an artist spread out and never adjacent.

    Each artist's songs are distributed evenly from a random offset, with a small random shift for
    each, and all are sorted by their positions: the balanced shuffle of M. Fiedler ("The art of
    shuffling music", 2007) in the form of L. Poláček ("How to shuffle songs?", Spotify, 2014). This
    leaves some songs of an artist adjacent; `apart` moves those. Songs without an artist count as
    one artist each.

    Parameters
    ----------
    groups : sequence of sequence of PlaylistSong
        One sequence per genre; they are interleaved in proportion.
    rng : numpy.random.Generator
    """
    merged = interleave([[group[at] for at in _spread(group, rng)] for group in groups])
    return [merged[at] for at in apart([_artist(song) for song in merged])]


def _artist(song: PlaylistSong) -> Hashable:
    return same_text(song.artist) or song.row


def _spread(songs: Sequence[PlaylistSong], rng: np.random.Generator) -> list[int]:
    """Return songs in an order in which each artist's songs are evenly spaced."""
    groups: dict[Hashable, list[int]] = {}
    for at, song in enumerate(songs):
        groups.setdefault(_artist(song), []).append(at)
    places = np.empty(len(songs))
    for group in groups.values():
        steps = np.arange(len(group)) + rng.uniform() + rng.uniform(-0.1, 0.1, len(group))
        places[rng.permutation(group)] = steps / len(group)
    return [int(at) for at in np.argsort(places, kind="stable")]


def apart(artists: Sequence[Hashable]) -> list[int]:
    """Return an order in which no artist follows itself, close to the given one.

    Songs keep their order, except that a song by the previous song's artist is delayed, and that an
    artist with more than half of the remaining songs comes next: so no songs are left over at the
    end. If an artist has more than half of all songs, the others are placed between them, one each.

    Parameters
    ----------
    artists : sequence of hashable
        The artist of each song.

    Returns
    -------
    list of int
        Positions of the songs in the given order; repeats are as few as possible.

    Examples
    --------
    >>> apart("aabbc")
    [0, 2, 1, 3, 4]
    """
    counts = Counter(artists)
    if not counts:
        return []
    top, most = counts.most_common(1)[0]
    if 2 * most > len(artists) + 1:
        return _around(artists, top)
    queues: dict[Hashable, deque[int]] = {}
    for at, artist in enumerate(artists):
        queues.setdefault(artist, deque()).append(at)
    # Numbers break ties, so artists need no order; counts of a heap's entries may be outdated.
    names = list(queues)
    heap = [(-len(queues[name]), number) for number, name in enumerate(names)]
    heapq.heapify(heap)
    order: list[int] = []
    used = [False] * len(artists)
    waiting: deque[int] = deque()
    coming, last = 0, object()
    for left in range(len(artists), 0, -1):
        while -heap[0][0] != len(queues[names[heap[0][1]]]):
            number = heap[0][1]
            heapq.heapreplace(heap, (-len(queues[names[number]]), number))
        heaviest = names[heap[0][1]]
        while waiting and used[waiting[0]]:
            waiting.popleft()
        if 2 * len(queues[heaviest]) > left:
            artist = heaviest
        elif waiting and artists[waiting[0]] != last:
            artist = artists[waiting[0]]
        else:
            while used[coming] or artists[coming] == last:
                if not used[coming]:
                    waiting.append(coming)
                coming += 1
            artist = artists[coming]
        at = queues[artist].popleft()
        used[at] = True
        order.append(at)
        last = artist
    return order


def _around(artists: Sequence[Hashable], top: Hashable) -> list[int]:
    """Spread an artist's songs, more than half of all, in even groups between the other songs."""
    mine = [at for at, artist in enumerate(artists) if artist == top]
    others = [at for at, artist in enumerate(artists) if artist != top]
    portions = np.array_split(np.array(mine), len(others) + 1)
    order = [int(at) for at in portions[0]]
    for other, portion in zip(others, portions[1:], strict=True):
        order += [other, *map(int, portion)]
    return order
