"""Nearest neighbours on vectors."""

import numpy as np
import pytest
from genrenet_plugins.baselines.euclidean_knn import EuclideanNeighbours
from genrenet_plugins.shared import InputError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.helpers.estimators import vector_songs


@pytest.mark.parametrize("weights", ["votes", "distance"])
def test_neighbours_are_scikit_learns(weights):
    X, y = vector_songs()
    plain = {"votes": "uniform", "distance": "distance"}[weights]
    other = make_pipeline(StandardScaler(), KNeighborsClassifier(7, weights=plain))
    wanted = other.fit(X[:100], y[:100]).predict_proba(X[100:])
    model = EuclideanNeighbours(7, weights=weights).fit(X[:100], y[:100])
    np.testing.assert_allclose(model.predict_proba(X[100:]), wanted, atol=1e-8)


def test_more_neighbours_than_songs():
    X, y = vector_songs()
    with pytest.raises(InputError, match=r"n_neighbors = 5 .*n_samples = 4"):
        EuclideanNeighbours().fit(X[:4], y[:4])
