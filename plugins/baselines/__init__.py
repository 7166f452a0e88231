"""The built-in baselines, each with its default features and its grid of settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.baselines import Baseline
    from genrenet.inference.scorers import ScorerFormat

VECTORS = "five+short-term+patterns"
"""Default features of the methods on vectors."""


@hookimpl
def register_baselines(register: Callable[[Baseline], None]) -> None:
    """Add the built-in baselines."""
    from genrenet_plugins.baselines.euclidean_knn import EuclideanNeighbours
    from genrenet_plugins.baselines.feed_forward import FeedForward
    from genrenet_plugins.baselines.gaussian_kmeans import GaussianKMeans
    from genrenet_plugins.baselines.gaussian_table import GaussianTable
    from genrenet_plugins.baselines.kl_knn import KLNearestNeighbours
    from genrenet_plugins.baselines.svm import GenreSVM, OneVsRestMachines
    from genrenet_plugins.baselines.trees import decision_tree, random_forest

    from genrenet.baselines import Baseline

    def trusted(*kinds: type) -> list[str]:
        return [f"{kind.__module__}.{kind.__qualname__}" for kind in kinds]

    gaussians = trusted(GaussianTable)
    # What scikit-learn's own estimators consist of, and skops leaves to its users to trust.
    trees = ["sklearn.tree._tree.Tree"]
    calibrated = [
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.model_selection._split.StratifiedKFold",
        *trusted(GenreSVM, OneVsRestMachines),
    ]

    for method in (
        Baseline(
            "kl-knn",
            "k nearest songs under the symmetrised KL divergence of Gaussians, locally scaled",
            partial(KLNearestNeighbours, local_scaling=10),
            "mfcc-gaussian",
            "gaussians",
            {"n_neighbors": [5, 9, 15, 25], "weights": ["votes", "distance"]},
            [*trusted(KLNearestNeighbours), *gaussians],
        ),
        Baseline(
            "gaussian-kmeans",
            "clusters of songs' Gaussians, found without genres and then named by them",
            GaussianKMeans,
            "mfcc-gaussian",
            "gaussians",
            trusted=[*trusted(GaussianKMeans), *gaussians],
        ),
        Baseline(
            "svm",
            "support vector machines with a radial kernel, one for each pair of genres",
            GenreSVM,
            VECTORS,
            grid={"C": [0.3, 1, 3, 10, 30], "gamma": ["scale", 0.001]},
            trusted=calibrated,
        ),
        Baseline(
            "svm-linear",
            "linear support vector machines, one for each pair of genres",
            partial(GenreSVM, kernel="linear"),
            VECTORS,
            grid={"C": [0.001, 0.003, 0.01, 0.03, 0.1]},
            trusted=calibrated,
        ),
        Baseline(
            "svm-dag",
            "a directed acyclic graph of support vector machines for pairs of genres",
            partial(GenreSVM, strategy="dag"),
            VECTORS,
            grid={"C": [0.3, 1, 3, 10, 30], "gamma": ["scale", 0.001]},
            trusted=calibrated,
        ),
        Baseline(
            "knn",
            "k nearest songs in the Euclidean space of standardised features",
            EuclideanNeighbours,
            VECTORS,
            grid={"n_neighbors": [3, 5, 9, 15, 25], "weights": ["votes", "distance"]},
            trusted=trusted(EuclideanNeighbours),
        ),
        Baseline(
            "tree",
            "a decision tree",
            decision_tree,
            VECTORS,
            grid={"max_depth": [3, 5, 8, None], "min_samples_leaf": [2, 5, 10]},
            trusted=trees,
        ),
        Baseline(
            "forest",
            "a random forest",
            random_forest,
            VECTORS,
            grid={"max_features": ["sqrt", 0.3]},
            trusted=trees,
        ),
        Baseline(
            "mlp",
            "a feed-forward network",
            FeedForward,
            VECTORS,
            grid={"hidden": [[64], [128, 32]], "alpha": [0.1, 1.0, 10.0]},
            trusted=trusted(FeedForward),
        ),
    ):
        register(method)


@hookimpl
def register_scorers(register: Callable[[ScorerFormat], None]) -> None:
    """Open fitted baselines where a file is asked for genres."""
    from genrenet.baselines import load_baseline
    from genrenet.baselines.fitted import SUFFIX
    from genrenet.inference.scorers import ScorerFormat

    register(ScorerFormat(SUFFIX, "a baseline that was fitted", load_baseline))
