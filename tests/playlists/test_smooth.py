"""Short paths, against optimal ones."""

from itertools import pairwise, permutations

import numpy as np
import pytest

from genrenet.playlists import smooth
from genrenet.playlists.smooth import path_length, short_path


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def chance(songs, features=6, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((songs, features)))


def arc(songs):
    """Songs along a quarter of a circle, shuffled: there is one shortest path."""
    angle = np.random.default_rng(1).permutation(np.linspace(0, np.pi / 2, songs))
    return angle, unit(np.stack([np.cos(angle), np.sin(angle)], 1))


@pytest.mark.parametrize("songs", [0, 1, 2, 3])
def test_few_songs(songs):
    vectors = chance(songs)
    assert sorted(short_path(vectors)) == list(range(songs))
    for start in range(songs):
        assert short_path(vectors, start)[0] == start


@pytest.mark.parametrize("seed", range(6))
def test_near_the_shortest_path_of_all(seed):
    vectors = chance(7, seed=seed)
    distance = 1 - vectors @ vectors.T

    def length(order):
        return sum(distance[one, two] for one, two in pairwise(order))

    paths = {order: length(order) for order in permutations(range(7))}
    found = short_path(vectors)
    assert path_length(vectors[found]) == pytest.approx(paths[tuple(found)], abs=1e-5)
    assert paths[tuple(found)] <= 1.1 * min(paths.values())
    begun = short_path(vectors, 3)
    shortest = min(length for order, length in paths.items() if order[0] == 3)
    assert begun[0] == 3
    assert paths[tuple(begun)] <= 1.1 * shortest


def test_an_arc_is_followed():
    angle, vectors = arc(60)
    steps = np.diff(angle[short_path(vectors)])
    assert (steps > 0).all() or (steps < 0).all()
    end = int(angle.argmax())
    assert (np.diff(angle[short_path(vectors, end)]) < 0).all()


def test_shorter_than_the_nearest_neighbours_and_than_chance():
    vectors = chance(300)
    path = short_path(vectors)
    nearest = smooth._nearest_neighbours(1 - vectors @ vectors.T, 0)
    assert sorted(path) == list(range(300))
    assert path_length(vectors[path]) < 0.95 * path_length(vectors[nearest])
    assert path_length(vectors[path]) < 0.4 * path_length(vectors)
    assert (path == short_path(vectors)).all()


def test_many_songs_in_blocks(monkeypatch):
    vectors = chance(500)
    whole = path_length(vectors[short_path(vectors)])
    monkeypatch.setattr(smooth, "BLOCK", 100)
    path = short_path(vectors)
    assert sorted(path) == list(range(500))
    assert path_length(vectors[path]) < 1.5 * whole
    begun = short_path(vectors, 123)
    assert begun[0] == 123
    assert sorted(begun) == list(range(500))
    same = np.ones((500, 4), np.float32) / 2
    assert sorted(short_path(same)) == list(range(500))


def test_songs_without_a_direction():
    vectors = chance(10)
    vectors[4] = 0
    assert sorted(short_path(vectors)) == list(range(10))
