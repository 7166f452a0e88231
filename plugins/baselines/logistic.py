"""Logistic regression on feature vectors: on a network's embeddings it is the linear probe.

Sources
-------
G. Alain, Y. Bengio, "Understanding intermediate layers using linear classifier probes", ICLR
workshops 2017. The regression is scikit-learn's, fitted by L-BFGS.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ..shared import Floats, Scorer, song_rows, training_rows


class LinearProbe(Scorer):
    """Logistic regression on standardised features.

    Every feature is standardised to mean 0 and variance 1 over the training songs.

    Parameters
    ----------
    C : float > 0
        Inverse strength of the L2 regularisation.
    class_weight : mapping, "balanced" or None
        Factors of the loss by label; 1 for missing ones.

    Attributes
    ----------
    classes_ : ndarray, shape (labels,)
    n_features_in_ : int
    """

    def __init__(
        self,
        *,
        C: float = 0.01,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
    ) -> None:
        self.C = C
        self.class_weight = class_weight

    def fit(self, X: ArrayLike, y: ArrayLike) -> LinearProbe:
        """Fit to songs.

        Parameters
        ----------
        X : array_like of float, shape (songs, features)
        y : array_like, shape (songs,)
            Labels.

        Raises
        ------
        ValueError
            scikit-learn's: a setting out of range.
        """
        rows, self.classes_, codes = training_rows(self, X, y)
        self.scaler_ = StandardScaler().fit(rows)
        if len(self.classes_) == 1:  # an error in scikit-learn's regression
            return self
        weights = self.class_weight
        if isinstance(weights, Mapping):
            known = {label: code for code, label in enumerate(self.classes_)}
            weights = {known[label]: by for label, by in weights.items() if label in known}
        regression = LogisticRegression(C=self.C, max_iter=1000, class_weight=weights)
        # The matrices are so small that threads would wait for each other longer than they work.
        with warnings.catch_warnings(), threadpool_limits(1, "blas"):
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.regression_ = regression.fit(self.scaler_.transform(rows), codes)
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the scores of songs, of shape (songs, labels); rows sum to one."""
        rows = song_rows(self, X)
        if len(self.classes_) == 1:
            return np.ones((len(rows), 1))
        return np.asarray(self.regression_.predict_proba(self.scaler_.transform(rows)), np.float64)
