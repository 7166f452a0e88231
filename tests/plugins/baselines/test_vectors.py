"""Neighbours, trees, a forest and a network on feature vectors."""

import inspect

import numpy as np
import pytest
from genrenet_plugins.baselines.euclidean_knn import EuclideanNeighbours
from genrenet_plugins.baselines.feed_forward import FeedForward
from genrenet_plugins.baselines.logistic import LinearProbe
from genrenet_plugins.baselines.trees import decision_tree, random_forest
from genrenet_plugins.shared import InputError
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.helpers.estimators import stored_and_read, vector_songs

MAKERS = [EuclideanNeighbours, decision_tree, random_forest, FeedForward, LinearProbe]


def _made(maker, **settings):
    seed = {"random_state": 0} if "random_state" in inspect.signature(maker).parameters else {}
    return maker(**seed, **settings)


# The tree and the forest are scikit-learn's own, and tested there.
@parametrize_with_checks(
    [
        EuclideanNeighbours(3),
        EuclideanNeighbours(3, weights="distance"),
        FeedForward(random_state=0),
        LinearProbe(),
    ]
)
def test_scikit_learns_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("maker", MAKERS)
def test_learns(maker):
    X, y = vector_songs()
    model = _made(maker).fit(X[:100], y[:100])
    assert model.score(X[100:], y[100:]) > 0.6
    scores = model.predict_proba(X)
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert np.array_equal(model.classes_[scores.argmax(axis=1)], model.predict(X))
    again = clone(model).fit(X[:100], y[:100])
    assert np.array_equal(again.predict_proba(X), scores)


@pytest.mark.parametrize("maker", MAKERS)
def test_two_genres_and_one(maker):
    X, y = vector_songs(60, 2)
    assert _made(maker).fit(X, y).predict_proba(X).shape == (60, 2)
    one = _made(maker).fit(X, ["jazz"] * 60)
    assert set(one.predict(X)) == {"jazz"}
    np.testing.assert_allclose(one.predict_proba(X), np.ones((60, 1)))


@pytest.mark.parametrize("maker", MAKERS)
def test_settings_of_a_maker_are_those_of_its_estimator(maker):
    given = inspect.signature(maker).parameters
    made = maker().get_params()
    assert {name: p.default for name, p in given.items()} == {name: made[name] for name in given}
    assert all(p.annotation is not inspect.Parameter.empty for p in given.values())


@pytest.mark.parametrize(
    ("maker", "settings"),
    [
        (EuclideanNeighbours, {"n_neighbors": 0}),
        (EuclideanNeighbours, {"weights": "uniform"}),
        (FeedForward, {"hidden": (0,)}),
        (FeedForward, {"activation": "step"}),
        (FeedForward, {"max_iter": 0}),
    ],
)
def test_settings_out_of_range(maker, settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        maker(**settings).fit(*vector_songs())


@pytest.mark.parametrize("maker", MAKERS)
def test_comes_back_from_a_file(maker):
    X, y = vector_songs()
    own, others = {
        EuclideanNeighbours: (["euclidean_knn.EuclideanNeighbours"], []),
        FeedForward: (["feed_forward.FeedForward"], []),
        LinearProbe: (["logistic.LinearProbe"], []),
    }.get(maker, ([], ["sklearn.tree._tree.Tree"]))
    model = _made(maker).fit(X, y)
    read = stored_and_read(model, own, others)
    assert np.array_equal(read.predict_proba(X), model.predict_proba(X))
