"""The folds of the built-in protocols."""

from __future__ import annotations

import pandas as pd

from genrenet.data.catalog import artists_known
from genrenet.data.splits import (
    Split,
    SplitError,
    by_column,
    fault_filtered,
    k_fold,
    seventy_thirty,
    with_validation,
)
from genrenet.evaluation.protocols.kinds import Fold, enough_validation


def artist_folds(table: pd.DataFrame, seed: int, n_folds: int) -> list[Split]:
    """Return folds that keep each artist's songs together.

    Raises
    ------
    SplitError
        The artists of more than a tenth of the songs are unknown, or there are too few.
    """
    if not artists_known(table):
        named = int(table["artist"].astype(bool).sum())
        raise SplitError(
            f"the protocol 'artist-{n_folds}fold' needs artists",
            found=f"the artists of {named} of {len(table)} songs",
            wanted="those of at least 90 %",
            remedy="put the artists into the files' tags or a column 'artist' of the table, or use "
            f"stratified-{n_folds}fold, whose accuracy is usually too high",
        )
    return k_fold(table, n_folds, seed, "artist")


def stratified_folds(table: pd.DataFrame, seed: int, n_folds: int) -> list[Split]:
    """Return folds of shuffled songs, with the genres balanced."""
    return k_fold(table, n_folds, seed, "genre")


def thirty_percent(table: pd.DataFrame, seed: int) -> list[Fold]:
    """Return one fold with 30 % of each genre's songs as test songs."""
    return [Fold(with_validation(table, seventy_thirty(table, seed), 0.1, seed))]


def gtzan_fold(table: pd.DataFrame, seed: int) -> list[Fold]:
    """Return the fault-filtered split of GTZAN."""
    return _given(table, fault_filtered(table), seed)


def column_fold(table: pd.DataFrame, seed: int) -> list[Fold]:
    """Return the split in the column ``split``."""
    return _given(table, by_column(table), seed)


def across_fold(table: pd.DataFrame, seed: int) -> list[Split]:
    """Return the split of two joined collections: trained on the first, tested on the second.

    Parameters
    ----------
    table : DataFrame
        As `genrenet.evaluation.across.join` makes it, with a column ``collection``.
    seed : int

    Raises
    ------
    SplitError
        The table contains only one collection.
    """
    if "collection" not in table:
        raise SplitError(
            "the protocol 'across' needs two collections",
            found="one",
            remedy="name the second one with --test-on",
        )
    parts = table["collection"].map({"learnt": "train", "judged": "test"})
    return [Split("across", pd.Series(parts.to_numpy(), pd.Index(table["track_id"]), name="split"))]


def _given(table: pd.DataFrame, split: Split, seed: int) -> list[Fold]:
    """Return a given split, whose own validation songs may be used for choosing settings."""
    counts = split.counts()
    if counts["validation"] or not counts["test"]:
        return [Fold(split, enough_validation(table, split))]
    return [Fold(with_validation(table, split, 0.1, seed))]
