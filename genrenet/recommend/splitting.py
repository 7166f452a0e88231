"""Hold out part of each user's items, to evaluate recommenders."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from genrenet.recommend.errors import RecommendError


class Split(NamedTuple):
    """Training plays and held-out plays.

    Attributes
    ----------
    training, held : csr_matrix of float32, shape (users, items)
        No entry is in both.
    undivided : int
        Number of users with one item only: it stays in training, and they are not tested.
    """

    training: sparse.csr_matrix
    held: sparse.csr_matrix
    undivided: int


def hold_out(plays: sparse.csr_matrix, share: float, seed: int) -> Split:
    """Hold out a share of every user's items.

    Parameters
    ----------
    plays : csr_matrix, shape (users, items)
    share : float in (0, 1)
        Share of each user's items, rounded; at least one is held out, and one stays in training.
    seed : int
        Seed of the choice of items.

    Raises
    ------
    RecommendError
        A share out of range, or no user with two items.
    """
    if not 0 < share < 1:
        raise RecommendError("--holdout", found=f"{share:g}", wanted="a share between 0 and 1")
    table = plays.tocsr()
    counts = np.diff(table.indptr)
    if not (counts > 1).any():
        raise RecommendError(
            "no user's items can be divided",
            found=f"{len(counts)} users with at most one item",
            wanted="users with at least two items",
        )
    rows = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((np.random.default_rng(seed).random(table.nnz), rows))
    places = np.empty(table.nnz, np.int64)
    places[order] = np.arange(table.nnz) - table.indptr[:-1][rows]
    wanted = np.clip(np.round(share * counts), 1, np.maximum(counts - 1, 1))
    out = places < np.where(counts > 1, wanted, 0)[rows]
    training, held = (
        sparse.csr_matrix((table.data[part], (rows[part], table.indices[part])), table.shape)
        for part in (~out, out)
    )
    return Split(training, held, int((counts == 1).sum()))
