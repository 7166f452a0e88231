"""Recommenders based on listeners, and small histories for them."""

import numpy as np
from scipy import sparse

from genrenet.recommend import History
from genrenet.recommend.ranking import recommend

LISTENERS = ["popularity", "user-knn", "item-knn", "svd", "als", "hybrid"]


def ranked(estimator, histories, top=20):
    return np.concatenate([block.items for block in recommend(estimator, histories, top)])


def two_tastes(users=12):
    """Two groups of users: the even ones play items 0 to 4, the odd ones 5 to 9, each but one."""
    table = np.zeros((users, 10), np.float32)
    for user in range(users):
        table[user, 5 * (user % 2) : 5 * (user % 2) + 5] = 3
        table[user, 5 * (user % 2) + user // 2 % 5] = 0
    return sparse.csr_matrix(table)


def circle(*degrees):
    """Songs as directions in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def tastes(users=60, items=40, seed=0):
    """Users of two tastes, each with a few items of theirs; one user has one item only."""
    rng = np.random.default_rng(seed)
    table = np.zeros((users, items), np.float32)
    for user in range(users):
        own = rng.choice(items // 2, 8, replace=False) + items // 2 * (user % 2)
        table[user, own] = rng.integers(1, 30, 8)
    table[-1] = 0
    table[-1, 0] = 4
    names = [[f"{kind}{number}" for number in range(n)] for kind, n in (("u", users), ("i", items))]
    return History(*names, sparse.csr_matrix(table))
