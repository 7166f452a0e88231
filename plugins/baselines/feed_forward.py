"""A small feed-forward network on feature vectors.

Source
------
M. Haggblade, Y. Hong, K. Kao, "Music genre classification", Stanford CS229 2011, where a network
with one hidden layer did best. This is scikit-learn's, trained by L-BFGS (D. Liu, J. Nocedal, "On
the limited memory BFGS method for large scale optimization", 1989): on a few hundred songs it is
more accurate and faster than stochastic gradient descent, and has no learning rate.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ..shared import (
    Floats,
    Scorer,
    check_at_least,
    check_choice,
    song_rows,
    training_rows,
)


class FeedForward(Scorer):
    """Feed-forward network on standardised features.

    Every feature is standardised to mean 0 and variance 1 over the training songs.

    Parameters
    ----------
    hidden : sequence of int > 0
        Neurons of the hidden layers.
    activation : {"relu", "tanh", "logistic"}
    alpha : float >= 0
        L2 regularisation of the weights.
    max_iter : int > 0
        Maximum number of iterations. Reaching it gives no warning: see ``converged_``.
    random_state : int, RandomState or None
        Random numbers of the initial weights.

    Attributes
    ----------
    classes_ : ndarray, shape (labels,)
    n_features_in_ : int
    n_iter_ : int
        Number of iterations.
    converged_ : bool
        Whether training converged.
    """

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (64,),
        activation: Literal["relu", "tanh", "logistic"] = "relu",
        alpha: float = 1.0,
        max_iter: int = 300,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.alpha = alpha
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> FeedForward:
        """Fit to songs.

        Parameters
        ----------
        X : array_like of float, shape (songs, features)
        y : array_like, shape (songs,)
            Labels.

        Raises
        ------
        InputError
            A setting out of range.
        """
        check_choice("activation", self.activation, ("relu", "tanh", "logistic"))
        check_at_least("max_iter", self.max_iter)
        for neurons in self.hidden:
            check_at_least("hidden", neurons)
        rows, self.classes_, codes = training_rows(self, X, y)
        self.scaler_ = StandardScaler().fit(rows)
        network = MLPClassifier(
            tuple(self.hidden),
            activation=self.activation,
            solver="lbfgs",
            alpha=self.alpha,
            max_iter=self.max_iter,
            random_state=self.random_state,
        )
        # The matrices are so small that threads would wait for each other longer than they work.
        with warnings.catch_warnings(), threadpool_limits(1, "blas"):
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.network_ = network.fit(self.scaler_.transform(rows), codes)
        self.n_iter_ = int(network.n_iter_)
        self.converged_ = self.n_iter_ < self.max_iter
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the scores of songs, of shape (songs, labels); rows sum to one."""
        rows = song_rows(self, X)
        if len(self.classes_) == 1:  # scikit-learn's network would make two
            return np.ones((len(rows), 1))
        return np.asarray(self.network_.predict_proba(self.scaler_.transform(rows)), np.float64)
