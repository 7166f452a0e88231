"""Blends of collaborative filtering and content."""

import numpy as np
import pytest
from genrenet_plugins.recommenders.content_neighbours import ContentNeighbours
from genrenet_plugins.recommenders.hybrid import Hybrid
from genrenet_plugins.recommenders.popularity import Popularity
from scipy import sparse

from tests.helpers.listeners import circle, ranked, two_tastes


def test_hybrid_knows_new_songs_by_content_and_new_users_by_popularity():
    plays = two_tastes()
    plays.resize((12, 12))
    # Items 10 and 11 are new: 10 sounds like the first taste, 11 like the second.
    content = circle(*[0, 5, 8, 12, 15], *[90, 95, 98, 102, 105], 7, 97)
    estimator = Hybrid().fit(plays, content)
    assert estimator.sources(plays[:1]) == ["listeners and content"]
    for user in range(4):
        items = ranked(estimator, plays[[user]], 2)[0]
        assert set(items) == {5 * (user % 2) + user // 2 % 5, 10 + user % 2}
    liked = sparse.csr_matrix(([1.0], ([0], [11])), (1, 12), dtype=np.float32)
    assert estimator.sources(liked) == ["content"]
    assert set(ranked(estimator, liked, 5)[0]) == {5, 6, 7, 8, 9}
    nobody = sparse.csr_matrix((1, 12), dtype=np.float32)
    assert estimator.sources(nobody) == ["popularity"]
    assert ranked(estimator, nobody, 12)[0].tolist() == ranked(
        Popularity().fit(plays), nobody, 12)[0].tolist()  # fmt: skip


@pytest.mark.parametrize("collaborative", ["als", "item-knn"])
def test_hybrid_without_content_ranks_as_its_listeners_do(fitted, split, collaborative):
    some = split.training[:50]
    plain = ranked(fitted[collaborative], some)
    mixed = ranked(Hybrid(collaborative).fit(split.training), some)
    there = plain >= 0
    assert (mixed[there] == plain[there]).mean() > 0.98


def test_weights_of_nothing_and_of_everything_leave_one_part(fitted, split):
    plays = two_tastes()
    content = circle(*range(0, 100, 10))
    by_sound = ranked(ContentNeighbours().fit(plays, content), plays, 5)
    assert (
        ranked(Hybrid(weight=0.0).fit(plays, content), plays, 3) == by_sound[:, :3]
    ).mean() > 0.9
