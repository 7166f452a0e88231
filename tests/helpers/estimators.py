"""Tests of the built-in methods; also the Gaussians shared by several of them."""

import numpy as np
import skops.io
from genrenet_plugins.baselines.gaussian_rows import join_rows
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import make_classification
from sklearn.utils.validation import check_is_fitted, validate_data

OWN = "genrenet_plugins.baselines"


# For `AsGaussians` in a Pipeline: it keeps its fitted steps in its parameter ``steps``.
PIPELINES_OWN = dict.fromkeys(
    ("check_estimators_overwrite_params", "check_dont_overwrite_parameters"),
    "a Pipeline fits the steps that it was given",
)


def gaussians(songs, *, d=15, seed=0, spread=100.0, variances=(0.1, 1000.0), centre=0.0):
    """Rows of Gaussians with correlated numbers, as varied as those of MFCCs."""
    rng = np.random.default_rng(seed)
    means = centre + rng.uniform(-spread, spread, (songs, d))
    noise = rng.standard_normal((songs, d, 3 * d))
    covariances = noise @ noise.transpose(0, 2, 1)
    deviations = np.sqrt(10 ** rng.uniform(*np.log10(variances), (songs, d)))
    scales = deviations / np.sqrt(np.einsum("nii->ni", covariances))
    return join_rows(means, covariances * scales[:, :, None] * scales[:, None, :])


def genres(songs=20, *, d=4, seed=0):
    """Rows of Gaussians of three genres that are easy to tell apart, and their names."""
    parts = [
        gaussians(songs, d=d, seed=seed + i, spread=1.0, variances=(1.0, 4.0), centre=centre)
        for i, centre in enumerate((-6.0, 0.0, 6.0))
    ]
    return np.concatenate(parts), np.repeat(["blues", "jazz", "rock"], songs)


class AsGaussians(TransformerMixin, BaseEstimator):
    """Takes numbers as the mean of a Gaussian, for scikit-learn's checks, which know only those."""

    def fit(self, X, y=None):
        validate_data(self, X, dtype=np.float64)
        return self

    def transform(self, X):
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        return join_rows(rows, np.broadcast_to(np.eye(rows.shape[1]), (*rows.shape, rows.shape[1])))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "n_features_in_")


def stored_and_read(estimator, own, others=()):
    """The same estimator from a file that may hold only the given types."""
    data = skops.io.dumps(estimator)
    trusted = sorted([f"{OWN}.{name}" for name in own] + list(others))
    assert skops.io.get_untrusted_types(data=data) == trusted
    return skops.io.loads(data, trusted=trusted)


def vector_songs(n=150, labels=3):
    X, y = make_classification(
        n, 8, n_informative=5, n_classes=labels, n_clusters_per_class=1, random_state=0
    )
    return X * 10.0 ** np.arange(-4, 4), np.array(["blues", "jazz", "rock"])[y]
