"""Latent factors."""

import numpy as np
import pytest
from genrenet_plugins.recommenders.latent_factors import FactorSVD
from genrenet_plugins.recommenders.play_weights import PlayWeights, unit_rows

from tests.helpers.listeners import two_tastes


def test_svd_projects_on_the_main_directions_of_the_whole_table():
    plays = two_tastes()
    estimator = FactorSVD(factors=50, scaling=0, rarity=0).fit(plays)
    assert len(estimator.directions_) == 2  # a quarter of the items
    table = unit_rows(PlayWeights("log", 0).fit(plays).transform(plays)).toarray()
    _, _, directions = np.linalg.svd(table)
    own = np.log1p(plays.toarray())
    truth = own @ directions[:2].T @ directions[:2]
    assert estimator.score(plays) == pytest.approx(truth, abs=1e-4)
