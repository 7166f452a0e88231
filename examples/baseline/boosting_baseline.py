"""Gradient boosting of decision trees, compared like the built-in methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl
from genrenet.utils.lazy import Lazy

if TYPE_CHECKING:
    from genrenet.baselines import Baseline

TREES = "sklearn.ensemble._hist_gradient_boosting"


@hookimpl
def register_baselines(register: Callable[[Baseline], None]) -> None:
    """Add the method.

    ``grid`` has the values that are chosen among inside of each fold. ``trusted`` names types of
    scikit-learn's own that its files hold and that skops does not know: they are read only while
    this package is installed.
    """
    from genrenet.baselines import Baseline

    register(
        Baseline(
            name="boosting",
            summary="gradient boosting of decision trees",
            # Imported when it is first used.
            estimator=Lazy("sklearn.ensemble", "HistGradientBoostingClassifier"),
            features="spectral-stats",
            grid={"max_leaf_nodes": [7, 31]},
            trusted=[f"{TREES}.binning._BinMapper", f"{TREES}.predictor.TreePredictor"],
        )
    )
