"""Gaussians of songs as rows of numbers: their layout and validation.

A song is a row of ``d + d * d`` numbers: the mean, then the covariance row by row.

A covariance counts as singular if its correlation matrix has an eigenvalue below 1e-10 (for example
for a song with fewer frames than ``d``). It is then regularised: 1e-6 of each variance is added to
that variance. One that is singular even so (a variance of 0, a negative eigenvalue) is an error.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..shared import Floats, InputError

SINGULAR, RIDGE = 1e-10, 1e-6
SKEW = 1e-6


def dimension(columns: int) -> int:
    """Return the dimension d of Gaussians in rows of ``d + d * d`` columns.

    Raises
    ------
    InputError
        There is no such d.
    """
    d = (math.isqrt(1 + 4 * max(0, columns)) - 1) // 2
    if d < 1 or d + d * d != columns:
        raise InputError(
            "these rows are no Gaussians",
            found=f"{columns} columns",
            wanted="d + d * d: a mean of d numbers, then a covariance of d * d",
        )
    return d


def split_rows(X: ArrayLike, diagonal: bool = False, *, first: int = 0) -> tuple[Floats, Floats]:
    """Split rows of Gaussians into means and covariances, and check them.

    Parameters
    ----------
    X : array_like of float, shape (songs, d + d * d)
    diagonal : bool
        Use only the variances: off-diagonal elements are set to 0.
    first : int
        Number of the first row, for error messages.

    Returns
    -------
    means : ndarray of float64, shape (songs, d)
    covariances : ndarray of float64, shape (songs, d, d)
        Positive definite; regularised if needed (see above).

    Raises
    ------
    InputError
        A wrong shape; or a row with non-finite numbers, with a covariance that is not symmetric, or
        with one that stays singular. The message has the row's number.

    Examples
    --------
    >>> split_rows([[3.0, 4.0]])
    (array([[3.]]), array([[[4.]]]))
    """
    table = np.asarray(X, dtype=np.float64)
    if table.ndim != 2:
        raise InputError(
            "these rows are no Gaussians", found=f"shape {table.shape}", wanted="(songs, d + d*d)"
        )
    d = dimension(table.shape[1])
    _refuse(~np.isfinite(table).all(axis=1), first, "holds NaN or infinity", "finite numbers")
    means, covariances = table[:, :d].copy(), table[:, d:].reshape(-1, d, d)
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    _refuse(
        (variances < np.finfo(np.float64).tiny).any(axis=1),
        first,
        "has a singular covariance: a variance is not above 0",
        "a song that is neither silent nor too short",
    )
    if diagonal:
        return means, variances[:, :, None] * np.eye(d)
    deviations = np.sqrt(variances)
    scales = deviations[:, :, None] * deviations[:, None, :]
    correlations = covariances / scales
    mirrored = correlations.transpose(0, 2, 1)
    skew = np.abs(correlations - mirrored).max(axis=(1, 2), initial=0.0)
    _refuse(skew > SKEW, first, "has a covariance that is not symmetric", "a symmetric one")
    correlations = (correlations + mirrored) / 2
    least = np.linalg.eigvalsh(correlations)[:, 0]
    _refuse(
        least + RIDGE < SINGULAR,
        first,
        "has a singular covariance: it is not positive definite, even regularised",
        "the mean, then the covariance row by row",
    )
    correlations += RIDGE * (least < SINGULAR)[:, None, None] * np.eye(d)
    return means, correlations * scales


def _refuse(bad: Any, first: int, what: str, wanted: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        more = f" (and {len(rows) - 1} more like it)" if len(rows) > 1 else ""
        raise InputError(f"row {first + rows[0]} {what}{more}", wanted=wanted)


def join_rows(means: ArrayLike, covariances: ArrayLike) -> Floats:
    """Join means and covariances to rows of Gaussians, the inverse of `split_rows`.

    Parameters
    ----------
    means : array_like of float, shape (songs, d)
    covariances : array_like of float, shape (songs, d, d)

    Returns
    -------
    ndarray of float64, shape (songs, d + d * d)
    """
    left, right = np.asarray(means, np.float64), np.asarray(covariances, np.float64)
    return np.concatenate([left, right.reshape(len(left), -1)], axis=1)
