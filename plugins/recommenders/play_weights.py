"""Weights of plays: damped, and lower for items that most users have.

Sources
-------
Damping by the logarithm: Y. Hu, Y. Koren, C. Volinsky, "Collaborative filtering for implicit
feedback datasets", ICDM 2008 (their equation 6). Inverse frequency: K. Spärck Jones, Journal of
Documentation 28, 1972, as J. Breese, D. Heckerman and C. Kadie use it for items, UAI 1998.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..shared import InputError, check_choice


class PlayWeights:
    """Weights of plays, fitted to a history.

    Parameters
    ----------
    damping : {"log", "binary", "none"}
        ``log(1 + plays)``, 1 for any number of plays, or the number itself.
    rarity : float >= 0
        Power of the items' inverse frequency ``log(users / users of the item)``; 0 weights all
        items equally.

    Attributes
    ----------
    frequency_ : ndarray of float32, shape (items,)
        The factor of each item.
    """

    def __init__(self, damping: str = "log", rarity: float = 0.5) -> None:
        check_choice("damping", damping, ("log", "binary", "none"))
        check_number("rarity", rarity)
        self.damping = damping
        self.rarity = rarity

    def fit(self, plays: sparse.csr_matrix) -> PlayWeights:
        """Count the users of each item."""
        users = np.bincount(plays.indices, minlength=plays.shape[1])
        # As if there were one more user without plays: an item of all users keeps some weight.
        inverse = np.log((plays.shape[0] + 1) / np.maximum(users, 1))
        self.frequency_ = (inverse**self.rarity).astype(np.float32)
        return self

    def transform(self, histories: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return the weights of the plays of any users, of the shape of ``histories``."""
        found = histories.tocsr().astype(np.float32)
        if self.damping == "log":
            found.data = np.log1p(found.data)
        elif self.damping == "binary":
            found.data = np.ones_like(found.data)
        return times_columns(found, self.frequency_)


def unit_rows(table: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return rows normalised to length one; empty ones stay empty."""
    length = lengths(table)
    scale = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
    found = table.tocsr().astype(np.float32)
    found.data *= np.repeat(scale, np.diff(found.indptr)).astype(np.float32)
    return found


def times_columns(table: sparse.csr_matrix, factors: NDArray[np.float32]) -> sparse.csr_matrix:
    """Return a matrix with each column multiplied by a factor."""
    found = table.copy()
    found.data = found.data * factors[found.indices]
    return found


def lengths(table: sparse.csr_matrix) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row, of shape (rows,)."""
    squares = np.asarray(table.multiply(table).sum(axis=1), np.float64).ravel()
    found: NDArray[np.float64] = np.sqrt(squares)
    return found


def check_number(setting: str, value: object, least: float = 0.0, most: float = np.inf) -> None:
    """Check a setting that is a number in a range.

    Raises
    ------
    InputError
        It is out of range, or not a number.
    """
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not least <= float(value) <= most:  # type: ignore[arg-type]
        wanted = f"a number of at least {least:g}"
        if most < np.inf:
            wanted = f"a number from {least:g} to {most:g}"
        raise InputError(setting, found=repr(value), wanted=wanted)
