"""Paths between songs by similarity, and towards some songs and away from others."""

import itertools

import numpy as np
import pytest

from genrenet.library.similarity import SongSpace
from genrenet.library.song_index import SongIndex
from genrenet.library.song_paths import songs_between, towards


@pytest.fixture
def index():
    rows = np.random.default_rng(0).standard_normal((500, 8))
    return SongIndex(SongSpace(rows, "embeddings"))


@pytest.mark.parametrize("count", [2, 3, 10, 60])
def test_a_path_goes_from_one_end_to_the_other(index, count):
    path = songs_between(index, 3, 77, count)
    assert (path[0], path[-1], len(path), len({*path})) == (3, 77, count, count)
    vectors = index.space.vectors[path]
    towards_end = vectors @ (vectors[-1] - vectors[0])
    if count == 10:  # on the whole, each song is nearer to the end than the one before it
        assert np.corrcoef(towards_end, np.arange(count))[0, 1] > 0.7


def test_no_artist_twice_in_a_row_where_others_are_near(index):
    artists = [f"artist {row % 3}" for row in range(500)]
    path = songs_between(index, 0, 10, 12, artists)
    pairs = [(artists[a], artists[b]) for a, b in itertools.pairwise(path)]
    assert all(one != other for one, other in pairs)
    assert len(songs_between(index, 0, 10, 12, ["same"] * 500)) == 12
    assert songs_between(index, 0, 10, 12, [""] * 500) == songs_between(index, 0, 10, 12)


def test_ends_that_are_one_song_alike_opposite_or_unknown():
    space = SongSpace([[1, 0], [1, 0], [-1, 0], [0, 0], [0, 1], [0, -1]], "embeddings")
    index = SongIndex(space)
    assert songs_between(index, 0, 0, 5)[0] == 0
    for last in (1, 2, 3):
        path = songs_between(index, 0, last, 4)
        assert (path[0], path[-1], len({*path})) == (0, last, 4)
    assert len(songs_between(index, 0, 1, 50)) == 6


def test_more_like_these_and_less_like_those():
    vectors = SongSpace([[1, 0], [0.9, 0.4], [0.9, -0.4]], "embeddings").vectors
    assert towards(vectors, [1]) == pytest.approx(vectors[1], abs=1e-6)
    found = towards(vectors, [0, 1], [2])
    assert np.linalg.norm(found) == pytest.approx(1)
    assert found @ vectors[1] > found @ vectors[2]
    assert np.isfinite(towards(np.zeros((2, 3), np.float32), [0], [1])).all()
