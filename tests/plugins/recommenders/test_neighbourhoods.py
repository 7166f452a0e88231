"""Neighbours: the largest of many products."""

import numpy as np
import pytest
from genrenet_plugins.recommenders.neighbourhoods import (
    largest_products,
)
from genrenet_plugins.recommenders.play_weights import lengths
from scipy import sparse


@pytest.mark.parametrize("entries", [20_000_000, 50])
def test_largest_products_are_those_of_the_whole_table(monkeypatch, entries):
    import genrenet_plugins.recommenders.neighbourhoods as module

    monkeypatch.setattr(module, "_ENTRIES", entries)
    rng = np.random.default_rng(0)
    table = sparse.random_array((30, 12), density=0.3, rng=rng, dtype=np.float32).tocsr()
    full = (table @ table.T).toarray()
    found = largest_products(table, table, 4).toarray()
    for row in range(30):
        best = np.sort(full[row])[::-1][:4]
        assert np.sort(found[row])[::-1][:4] == pytest.approx(best)
    size = lengths(table)
    shrunk = largest_products(table, table, 30, size, 0.5).toarray()
    np.fill_diagonal(full, 0)
    assert shrunk == pytest.approx(full / (np.outer(size, size) + 0.5), rel=1e-5)
