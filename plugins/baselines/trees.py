"""Decision trees and random forests on feature vectors: scikit-learn's, with their main settings.

Sources
-------
L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and regression trees", 1984;
L. Breiman, "Random forests", Machine Learning 45, 2001.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

ClassWeight = Mapping[Any, float] | Literal["balanced"] | None


def decision_tree(
    *,
    criterion: Literal["gini", "entropy", "log_loss"] = "gini",
    max_depth: int | None = None,
    min_samples_leaf: int = 3,
    ccp_alpha: float = 0.0,
    class_weight: ClassWeight = None,
    random_state: int | np.random.RandomState | None = None,
) -> DecisionTreeClassifier:
    """Return a decision tree.

    Parameters
    ----------
    criterion : {"gini", "entropy", "log_loss"}
        Criterion that a split minimises.
    max_depth : int > 0, optional
        Unlimited by default.
    min_samples_leaf : int > 0
        Minimum number of songs in a leaf; scores are the shares of labels in one.
    ccp_alpha : float >= 0
        Strength of cost-complexity pruning.
    class_weight : mapping, "balanced" or None
    random_state : int, RandomState or None
        Random order in which features are tried.

    Returns
    -------
    DecisionTreeClassifier
        Not fitted.
    """
    return DecisionTreeClassifier(
        criterion=criterion,
        max_depth=max_depth,
        min_samples_leaf=min_samples_leaf,
        ccp_alpha=ccp_alpha,
        class_weight=class_weight,
        random_state=random_state,
    )


def random_forest(
    *,
    n_estimators: int = 300,
    max_depth: int | None = None,
    max_features: Literal["sqrt", "log2"] | float | int | None = "sqrt",
    min_samples_leaf: int = 1,
    class_weight: ClassWeight | Literal["balanced_subsample"] = None,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> RandomForestClassifier:
    """Return a random forest.

    Parameters
    ----------
    n_estimators : int > 0
        Number of trees.
    max_depth : int > 0, optional
        Unlimited by default.
    max_features : {"sqrt", "log2"}, int, float or None
        Number of features tried at a split.
    min_samples_leaf : int > 0
        Minimum number of songs in a leaf.
    class_weight : mapping, "balanced", "balanced_subsample" or None
    n_jobs : int, optional
        Number of processes; results do not depend on it.
    random_state : int, RandomState or None

    Returns
    -------
    RandomForestClassifier
        Not fitted.
    """
    return RandomForestClassifier(
        n_estimators=n_estimators,
        max_depth=max_depth,
        max_features=max_features,
        min_samples_leaf=min_samples_leaf,
        class_weight=class_weight,
        n_jobs=n_jobs,
        random_state=random_state,
    )
