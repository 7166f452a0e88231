"""Splits: their parts, counts, and errors."""

import numpy as np
import pandas as pd
import pytest

from genrenet.data import splits
from genrenet.data.splits import PARTS, Split, SplitError
from genrenet.utils.errors import GenrenetError
from tests.helpers.split_songs import by_part, collection


def test_indices_and_counts():
    table = collection()
    split = splits.stratified(table)
    found = np.concatenate([split.indices(table, part) for part in PARTS])
    assert sorted(found) == list(range(len(table)))
    assert split.counts() == {part: len(split.indices(table, part)) for part in PARTS}
    shuffled = table.sample(frac=1, random_state=3)
    for part in PARTS:
        assert set(by_part(shuffled, split, "track_id")[part]) == set(
            by_part(table, split, "track_id")[part]
        )
    fewer = table.iloc[10:50]
    assert set(fewer["track_id"].iloc[split.indices(fewer, "test")]) <= set(
        by_part(table, split, "track_id")["test"]
    )
    with pytest.raises(SplitError, match="'tset'"):
        split.indices(table, "tset")


def test_a_split_is_checked():
    with pytest.raises(SplitError, match="'a'"):
        Split("x", pd.Series(["train", "test"], index=["a", "a"]))
    with pytest.raises(SplitError, match="'dev'"):
        Split("x", pd.Series(["train", "dev"], index=["a", "b"]))
    assert issubclass(SplitError, GenrenetError)
