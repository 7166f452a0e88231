"""Weights of plays: damped, and by rarity."""

import numpy as np
import pytest
from genrenet_plugins.recommenders.play_weights import PlayWeights, lengths, unit_rows
from scipy import sparse


def test_weights_are_damped_and_rare_items_weigh_more():
    plays = sparse.csr_matrix(np.array([[1, 0, 7], [3, 2, 0], [1, 0, 0]], np.float32))
    weights = PlayWeights("log", 1).fit(plays)
    found = weights.transform(plays).toarray()
    assert found[0, 0] == pytest.approx(np.log(2) * np.log(4 / 3))
    assert found[0, 2] == pytest.approx(np.log(8) * np.log(4 / 1))
    assert PlayWeights("binary", 0).fit(plays).transform(plays).data.tolist() == [1] * 5
    assert lengths(unit_rows(plays)) == pytest.approx(np.ones(3))
