"""Neighbours by content alone."""

import numpy as np
import pytest
from genrenet_plugins.recommenders.content_neighbours import ContentNeighbours
from scipy import sparse

from genrenet.library.similarity import SongSpace
from genrenet.utils.errors import GenrenetError
from tests.helpers.listeners import circle, ranked, two_tastes


def test_content_alone_finds_what_is_near():
    songs = circle(0, 10, 25, 90, 100, 180)
    estimator = ContentNeighbours().fit(sparse.csr_matrix((0, 6), dtype=np.float32), songs)
    one = sparse.csr_matrix(np.array([[1, 0, 0, 0, 0, 0]], np.float32))
    scores = estimator.score(one)[0]
    assert scores == pytest.approx(np.clip(np.cos(np.radians([0, 10, 25, 90, 100, 180])), 0, 1),
                                   abs=1e-6)  # fmt: skip
    both = sparse.csr_matrix(np.array([[1, 0, 0, 1, 0, 0]], np.float32))
    near = ranked(ContentNeighbours(n_neighbors=1).fit(one, songs), both, 2)[0]
    assert set(near) == {1, 4}


def test_content_alone_is_the_order_of_the_songs_space():
    rows = np.random.default_rng(0).standard_normal((50, 8))
    space = SongSpace(rows, "embeddings")
    estimator = ContentNeighbours().fit(sparse.csr_matrix((0, 50)), space.vectors)
    one = sparse.csr_matrix(([1.0], ([0], [3])), (1, 50), dtype=np.float32)
    songs, _ = space.nearest(space.vectors[[3]], 11)
    assert ranked(estimator, one, 10)[0].tolist() == songs[0, 1:].tolist()


def test_content_must_be_there():
    with pytest.raises(GenrenetError, match="content: found None"):
        ContentNeighbours().fit(two_tastes())
