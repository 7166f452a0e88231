"""Orders by confidence and at random; artists spread out."""

from collections import Counter

import numpy as np
import pytest

from genrenet.playlists.base import PlaylistSong
from genrenet.playlists.ordering import apart, by_confidence, interleave, shuffled
from tests.helpers.song_orders import repeats


def songs(artists, genre="jazz", first=0):
    return [
        PlaylistSong(row, f"/{row}.mp3", genre, 0.5, {}, genre, row / 1000, artist=artist)
        for row, artist in enumerate(artists, first)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_artists_are_apart_wherever_that_can_be(seed):
    rng = np.random.default_rng(seed)
    artists = [f"a{number}" for number in rng.zipf(1.6, 60) % 30]
    most = max(Counter(artists).values())
    order = apart(artists)
    assert sorted(order) == list(range(60))
    found = [artists[at] for at in order]
    assert repeats(found) == max(0, most - (60 - most) - 1)
    # Of one artist, the order is that given.
    for artist in set(artists):
        own = [at for at in order if artists[at] == artist]
        assert own == sorted(own)


@pytest.mark.parametrize(
    ("artists", "wanted"),
    [
        ("", 0), ("a", 0), ("aa", 1), ("aab", 0), ("abc", 0), ("aabb", 0), ("bbaaa", 0),
        ("abababcc", 0), ("aaab", 1), ("aaaaaab", 4), ("abcddddd", 1), ("cbbaaa", 0),
    ],
)  # fmt: skip
def test_small_cases(artists, wanted):
    order = apart(artists)
    assert sorted(order) == list(range(len(artists)))
    assert repeats([artists[at] for at in order]) == wanted


def test_what_is_apart_already_stays():
    assert apart("abcabcab") == list(range(8))


def test_a_shuffle_spreads_artists_more_evenly_than_chance():
    group = songs(["A"] * 6 + ["b"] * 4 + ["c "] * 3 + ["C"] * 3 + [""] * 20)

    def smallest_gap(order):
        own = [at for at, song in enumerate(order) if song.artist == "A"]
        return min(np.diff(own))

    ours, plain = [], []
    for seed in range(30):
        order = shuffled([group], np.random.default_rng(seed))
        assert sorted(song.row for song in order) == list(range(36))
        # Case and spaces make no other artist; songs without one may stand side by side.
        names = [song.artist.strip().lower() or str(song.row) for song in order]
        assert repeats(names) == 0
        ours.append(smallest_gap(order))
        mixed = np.random.default_rng(seed).permutation(36)
        plain.append(smallest_gap([group[at] for at in mixed]))
    # Six among 36: six apart at best.
    assert np.mean(ours) > 3.5 > 2 * np.mean(plain)


def test_a_shuffle_is_that_of_its_seed():
    group = songs([f"a{at % 7}" for at in range(50)])
    rows = [
        [song.row for song in shuffled([group], np.random.default_rng(seed))] for seed in (1, 1, 2)
    ]
    assert rows[0] == rows[1] != rows[2]


def test_mixes_are_interleaved_in_proportion():
    jazz, blues = songs("abcdefgh"), songs("ijkl", "blues", first=100)
    assert interleave([jazz, []]) == jazz
    for order in (
        by_confidence([jazz, blues]),
        shuffled([jazz, blues], np.random.default_rng(0)),
    ):
        for at in range(0, 12, 3):
            assert Counter(song.genre for song in order[at : at + 3]) == {"jazz": 2, "blues": 1}
    rows = [song.row for song in by_confidence([jazz, blues])]
    assert [row for row in rows if row < 100] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert [row for row in rows if row >= 100] == [103, 102, 101, 100]
