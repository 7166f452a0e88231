"""Similarity of songs."""

import numpy as np
import pytest

from genrenet.library.similarity import SongSpace, top


def test_columns_count_alike_whatever_their_size():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((60, 5))
    plain = SongSpace(rows, "embeddings")
    scaled = SongSpace(rows * [1, 10, 100, 1000, 1e-3] + 7, "embeddings")
    first, cosines = plain.nearest(plain.vectors, 6)
    second, _ = scaled.nearest(scaled.vectors, 6)
    assert (first == second).mean() > 0.98
    assert (first[:, 0] == np.arange(60)).all()
    assert cosines[:, 0] == pytest.approx(1, abs=1e-5)
    assert (np.diff(cosines, axis=1) <= 0).all()


def test_scores_are_compared_by_the_bhattacharyya_coefficient():
    p, q = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.3, 0.6])
    space = SongSpace([p, q], "scores")
    _, cosines = space.nearest(space.place([p]), 2)
    assert cosines[0] == pytest.approx([1, np.sqrt(p * q).sum()], abs=1e-6)


def test_a_song_without_direction_is_near_to_nothing():
    space = SongSpace([[1.0, 1.0], [1.0, 1.0]], "embeddings")  # both are the mean
    assert not space.vectors.any()
    assert space.nearest([[1.0, 0.0]], 5)[0].tolist() == [[0, 1]]


def test_top_keeps_the_first_of_equals():
    assert top([[1, 3, 3, 2, 3]], 2).tolist() == [[1, 2]]
    assert top([[1, 3, 3, 2, 3]], 5).tolist() == [[1, 2, 4, 3, 0]]
    assert top(np.zeros((2, 3)), 0).shape == (2, 0)
    rng = np.random.default_rng(1)
    table = rng.integers(0, 9, (40, 30))
    assert (top(table, 7) == np.argsort(-table, axis=1, kind="stable")[:, :7]).all()
