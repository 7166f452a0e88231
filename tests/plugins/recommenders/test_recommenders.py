"""The built-in recommenders: on real histories, new users and songs, against their sources."""

import numpy as np
import pytest
from genrenet_plugins.recommenders.content_neighbours import ContentNeighbours
from genrenet_plugins.recommenders.hybrid import Hybrid
from genrenet_plugins.recommenders.latent_factors import FactorALS, FactorSVD
from genrenet_plugins.recommenders.neighbourhoods import (
    ItemNeighbours,
    UserNeighbours,
)
from scipy import sparse

from genrenet.recommend import metrics, recommenders
from genrenet.utils.errors import GenrenetError
from tests.helpers.listeners import LISTENERS, ranked, two_tastes

PERSONAL = LISTENERS[1:]


def test_personal_recommenders_beat_popularity_on_real_listening(fitted, split):
    rows = np.flatnonzero(np.diff(split.held.indptr))
    histories, held = split.training[rows], split.held[rows]
    found = {
        name: metrics.recall(ranked(estimator, histories), held, 20).mean()
        for name, estimator in fitted.items()
        if name != "hybrid"
    }
    assert 0.08 < found["popularity"] < 0.12
    for name in PERSONAL[:-1]:
        assert found[name] > 2.2 * found["popularity"], found
    assert max(found.values()) > 2.6 * found["popularity"], found


@pytest.mark.parametrize("name", LISTENERS)
def test_scores_do_not_depend_on_who_else_is_asked_about(fitted, split, name):
    some = split.training[:40]
    alone = np.concatenate([fitted[name].score(some[[row]]) for row in range(0, 40, 8)])
    together = fitted[name].score(some)
    assert together.dtype == np.float32
    assert together.shape == some.shape
    # Ranks of items that are nearly equal may be swapped, and the hybrid's scores are ranks.
    if name == "hybrid":
        assert np.abs(together[::8] - alone).max() < 0.05
        assert (ranked(fitted[name], some)[::8] == ranked(fitted[name], some[::8])).mean() > 0.95
    else:
        assert np.allclose(together[::8], alone, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", LISTENERS)
def test_equal_seeds_give_equal_scores(fitted, split, name):
    again = recommenders()[name].make(0).fit(split.training)
    assert np.array_equal(again.score(split.training[:20]), fitted[name].score(split.training[:20]))


@pytest.mark.parametrize("name", PERSONAL)
def test_small_histories_and_new_users_of_either_taste(name):
    plays = two_tastes()
    estimator = recommenders()[name].make(0).fit(plays)
    items = ranked(estimator, plays, 1)
    missing = [5 * (user % 2) + user // 2 % 5 for user in range(12)]
    assert items[:, 0].tolist() == missing
    new = sparse.csr_matrix(([1.0], ([0], [7])), (1, 10), dtype=np.float32)
    assert set(ranked(estimator, new, 4)[0]) == {5, 6, 8, 9}


@pytest.mark.parametrize("name", LISTENERS)
def test_histories_of_nobody_and_of_a_single_user_do_no_harm(name):
    nobody = sparse.csr_matrix((1, 10), dtype=np.float32)
    estimator = recommenders()[name].make(0).fit(two_tastes())
    items = ranked(estimator, nobody, 10)[0]
    if name in ("popularity", "hybrid"):
        assert sorted(items) == list(range(10))
    else:
        assert (items == -1).all()
    one = two_tastes()[[0]]
    assert np.isfinite(recommenders()[name].make(0).fit(one).score(one)).all()


@pytest.mark.parametrize(
    ("maker", "settings"),
    [
        (UserNeighbours, {"n_neighbors": 0}),
        (UserNeighbours, {"amplification": -1}),
        (UserNeighbours, {"damping": "sqrt"}),
        (ItemNeighbours, {"shrinkage": "much"}),
        (ItemNeighbours, {"rarity": -0.5}),
        (FactorSVD, {"factors": 2.5}),
        (FactorSVD, {"scaling": 1.5}),
        (FactorALS, {"iterations": 0}),
        (FactorALS, {"confidence": float("nan")}),
        (ContentNeighbours, {"n_neighbors": True}),
        (Hybrid, {"collaborative": "content"}),
        (Hybrid, {"weight": 2}),
    ],
)
def test_settings_out_of_range_are_named(maker, settings):
    with pytest.raises(GenrenetError, match=f"{next(iter(settings))}.*wanted"):
        maker(**settings)
