"""The log loss of scores, beside the built-in figures of each report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.evaluation.metrics import Metric


def log_loss(target: NDArray[np.integer], scores: NDArray[np.floating]) -> float:
    """Return the mean negative logarithm of the true genre's score; lower is better.

    Parameters
    ----------
    target : ndarray of int, shape (n,)
        Indices of the true genres.
    scores : ndarray of float, shape (n, labels)
        In [0, 1]; below 1e-12 they count as that.
    """
    chosen = scores[np.arange(len(target)), target]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


@hookimpl
def register_metrics(register: Callable[[Metric], None]) -> None:
    """Add the metric."""
    from genrenet.evaluation.metrics import Metric

    register(Metric("log_loss", "Log loss", "of the true genre's score", log_loss))
