"""Popularity."""

import numpy as np
from genrenet_plugins.recommenders.popularity import Popularity
from scipy import sparse


def test_popularity_is_the_share_of_users():
    plays = sparse.csr_matrix(np.array([[1, 0], [9, 0], [1, 5], [0, 0]], np.float32))
    assert Popularity().fit(plays).score(plays[:1]).tolist() == [[0.75, 0.25]]
