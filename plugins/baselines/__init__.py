"""The built-in baselines, each with its default features and its grid of settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from genrenet import hookimpl
from genrenet.utils.lazy import Lazy

if TYPE_CHECKING:
    from genrenet.baselines import Baseline
    from genrenet.inference.scorers import ScorerFormat

VECTORS = "spectral-stats+short-term+block-level"
"""Default features of the methods for vectors."""


@hookimpl
def register_baselines(register: Callable[[Baseline], None]) -> None:
    """Add the built-in baselines."""
    from genrenet.baselines import Baseline

    def own(module: str, name: str) -> Lazy:
        return Lazy(f"{__name__}.{module}", name)

    euclidean, mlp = own("euclidean_knn", "EuclideanNeighbours"), own("feed_forward", "FeedForward")
    svm, kmeans = own("svm", "GenreSVM"), own("gaussian_kmeans", "GaussianKMeans")
    kl_knn, probe = own("kl_knn", "KLNearestNeighbours"), own("logistic", "LinearProbe")
    gaussians = [own("gaussian_table", "GaussianTable").path]
    # Types in scikit-learn's own estimators that skops does not trust by default.
    trees = ["sklearn.tree._tree.Tree"]
    calibrated = [
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.model_selection._split.StratifiedKFold",
        svm.path,
        own("svm", "OneVsRestMachines").path,
    ]

    for method in (
        Baseline(
            "kl-knn",
            "k nearest songs under the symmetrised KL divergence of Gaussians, locally scaled",
            partial(kl_knn, local_scaling=10),
            "mfcc-gaussian",
            "gaussians",
            {"n_neighbors": [5, 9, 15, 25], "weights": ["votes", "distance"]},
            [kl_knn.path, *gaussians, own("gaussian_filter", "GaussianFilter").path],
            multi_label="sets",
        ),
        Baseline(
            "gaussian-kmeans",
            "clusters of songs' Gaussians, found without genres and then named by them",
            kmeans,
            "mfcc-gaussian",
            "gaussians",
            trusted=[kmeans.path, *gaussians],
            multi_label="sets",
        ),
        Baseline(
            "svm",
            "support vector machines with a radial kernel, one for each pair of genres",
            svm,
            VECTORS,
            grid={"C": [0.3, 1, 3, 10, 30], "gamma": ["scale", 0.001]},
            trusted=calibrated,
        ),
        Baseline(
            "svm-linear",
            "linear support vector machines, one for each pair of genres",
            partial(svm, kernel="linear"),
            VECTORS,
            grid={"C": [0.001, 0.003, 0.01, 0.03, 0.1]},
            trusted=calibrated,
        ),
        Baseline(
            "svm-dag",
            "a directed acyclic graph of support vector machines for pairs of genres",
            partial(svm, strategy="dag"),
            VECTORS,
            grid={"C": [0.3, 1, 3, 10, 30], "gamma": ["scale", 0.001]},
            trusted=calibrated,
        ),
        Baseline(
            "knn",
            "k nearest songs in the Euclidean space of standardised features",
            euclidean,
            VECTORS,
            grid={"n_neighbors": [3, 5, 9, 15, 25], "weights": ["votes", "distance"]},
            trusted=[euclidean.path],
            multi_label="sets",
        ),
        Baseline(
            "tree",
            "a decision tree",
            own("trees", "decision_tree"),
            VECTORS,
            grid={"max_depth": [3, 5, 8, None], "min_samples_leaf": [2, 5, 10]},
            trusted=trees,
            multi_label="native",
        ),
        Baseline(
            "forest",
            "a random forest",
            own("trees", "random_forest"),
            VECTORS,
            grid={"max_features": ["sqrt", 0.3]},
            trusted=trees,
            multi_label="native",
        ),
        Baseline(
            "logistic",
            "logistic regression; on a network's embeddings, the linear probe",
            probe,
            VECTORS,
            grid={"C": [0.03, 0.001, 0.003, 0.01, 0.1, 1.0]},
            trusted=[probe.path],
        ),
        Baseline(
            "mlp",
            "a feed-forward network",
            mlp,
            VECTORS,
            grid={"hidden": [[64], [128, 32]], "alpha": [0.1, 1.0, 10.0]},
            trusted=[mlp.path],
        ),
    ):
        register(method)


@hookimpl
def register_scorers(register: Callable[[ScorerFormat], None]) -> None:
    """Open fitted baselines for classification."""
    from genrenet.inference.scorers import ScorerFormat

    load = Lazy("genrenet.baselines.fitted", "load_baseline")
    register(ScorerFormat(".skops", "a baseline that was fitted", load))
