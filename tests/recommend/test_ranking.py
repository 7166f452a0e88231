"""Rankings: no known items, none without evidence, ties in order."""

import numpy as np
import pytest
from scipy import sparse

from genrenet.recommend import RecommendError, ranking
from genrenet.recommend.ranking import recommend


class Fixed:
    """Scores that were written down beforehand, the same for every user."""

    def __init__(self, scores):
        self.scores = np.array(scores, np.float32)
        self.asked = []

    def score(self, histories):
        self.asked.append(histories.shape[0])
        return np.tile(self.scores, (histories.shape[0], 1))


HISTORIES = sparse.csr_matrix(np.array([[0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], np.float32))


def test_owned_worthless_and_broken_scores_are_left_out():
    [block] = recommend(Fixed([0.5, 9, 0, np.nan, np.inf, 0.5]), HISTORIES, 3)
    assert block.items.tolist() == [[0, 5, -1], [1, 0, 5]]
    assert block.scores[1].tolist() == [9, 0.5, 0.5]
    assert np.isnan(block.scores[0, 2])
    [block] = recommend(Fixed([-1, -1, 0, 0, 0, 0]), HISTORIES, 2)
    assert (block.items == -1).all()


def test_more_can_be_asked_for_than_there_is():
    [block] = recommend(Fixed([1, 2, 3, 4, 5, 6]), HISTORIES, 50)
    assert block.items.shape == (2, 50)
    assert block.items[0, :6].tolist() == [5, 4, 3, 2, 0, -1]


def test_users_are_scored_in_blocks_of_bounded_size(monkeypatch):
    monkeypatch.setattr(ranking, "CELLS", 60)
    many = sparse.csr_matrix((35, 6), dtype=np.float32)
    estimator = Fixed([1, 2, 3, 4, 5, 6])
    blocks = list(recommend(estimator, many, 2))
    assert estimator.asked == [10, 10, 10, 5]
    assert np.concatenate([block.rows for block in blocks]).tolist() == list(range(35))
    some = list(recommend(estimator, many, 2, rows=np.array([30, 3])))
    assert some[0].rows.tolist() == [30, 3]


def test_scores_of_another_shape_are_told():
    with pytest.raises(RecommendError, match=r"Fixed gave scores of another shape: found \(2, 2\)"):
        list(recommend(Fixed([1, 2]), HISTORIES, 2))
