"""Random splits from a seed: by genre, by artist, in folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from genrenet.data.splits.base import (
    FRACTIONS,
    Split,
    SplitError,
    artists_by_genre,
    generator,
    require_enough,
    require_in_train,
    shares_of,
    songs_of,
    split_of,
)

if TYPE_CHECKING:
    import pandas as pd

_ATTEMPTS, _MOVES = 20, 1000
_CELLS = 50_000_000  # maximum of groups x genres x moves per attempt


def stratified(table: pd.DataFrame, fractions: Sequence[float] = FRACTIONS, seed: int = 0) -> Split:
    """Shuffle and divide the songs of each genre; artists may be in several parts.

    Parameters
    ----------
    table : pandas.DataFrame
        With `track_id` and `genre`.
    fractions : (float, float, float)
        Of the songs for train, validation and test, in [0, 1]; sum 1, train and test above 0.
        Every genre gets at least one song in every part whose fraction is not 0.
    seed : int >= 0
        Seed of the split.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        If the fractions are wrong or a genre has fewer songs than there are parts.
    """
    return _stratified(table, fractions, seed, f"stratified, seed {seed}")


def seventy_thirty(table: pd.DataFrame, seed: int = 0) -> Split:
    """Return 70 % of each genre's songs for training, 30 % for testing, none for validation.

    See `stratified` for parameters and errors.
    """
    return _stratified(table, (0.7, 0.0, 0.3), seed, f"70/30 stratified, seed {seed}")


def _stratified(table: pd.DataFrame, fractions: Sequence[float], seed: int, name: str) -> Split:
    shares = shares_of(fractions)
    ids, genres, _ = songs_of(table)
    require_enough(Counter(genres), len(shares), "songs", "parts")
    dealt = _deal(genres, list(shares.values()), generator(seed))
    return split_of(name, ids, [list(shares)[number] for number in dealt], table)


def _deal(genres: Sequence[str], shares: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """Assign songs to parts by genre: a part's number for each song.

    Each genre's counts are rounded so that the parts' totals are also right. A genre with at least
    as many songs as there are parts has one in each; a smaller one fills the first parts.
    """
    names, dealt = np.asarray(genres), np.empty(len(genres), int)
    debt = np.zeros(len(shares))  # accumulated rounding errors, which decide the next rounding
    for genre in sorted(set(genres)):
        rows = rng.permutation(np.flatnonzero(names == genre))
        if len(rows) < len(shares):
            dealt[rows] = np.arange(len(rows))
            continue
        exact = np.asarray(shares) * len(rows)
        counts = np.maximum(np.floor(exact).astype(int), 1)
        while counts.sum() < len(rows):
            counts[np.argmax(debt + exact - counts)] += 1
        while counts.sum() > len(rows):
            counts[np.argmax(np.where(counts > 1, counts - exact - debt, -np.inf))] -= 1
        debt += exact - counts
        dealt[rows] = np.repeat(np.arange(len(shares)), counts)
    return dealt


# --- by artist --------------------------------------------------------------------------------


def artist_disjoint(
    table: pd.DataFrame, fractions: Sequence[float] = FRACTIONS, seed: int = 0
) -> Split:
    """Keep every artist's songs in one part, with the genres balanced as well as possible.

    Several random assignments of artists are each improved by moving one artist at a time; the one
    whose number of songs per genre and part is nearest to the fractions (chi-square) is used. Every
    genre is present in the training part, and in the others unless it has too few artists: a genre
    of two artists is in the training and test parts only.

    Parameters
    ----------
    table : pandas.DataFrame
        With `track_id`, `genre` and `artist`.
    fractions : (float, float, float)
        Of the songs for train, validation and test, in [0, 1]; sum 1, train and test above 0.
    seed : int >= 0
        Seed of the split.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        If the fractions are wrong, there are fewer artists than parts, or a genre has songs by one
        artist only: genre and artist could then not be distinguished.
    """
    shares = shares_of(fractions)
    ids, genres, groups = songs_of(table, artists=True)
    require_enough({"": len(set(groups))}, len(shares), "artists", "parts")
    require_enough(artists_by_genre(genres, groups), 2, "artists", "sides, train and test")
    # A genre with few artists is needed first in training, then in the test part.
    prices = [{"train": 100, "validation": 1, "test": 10}[part] for part in shares]
    chosen = _assign(groups, genres, list(shares.values()), prices, generator(seed))
    parts = [list(shares)[number] for number in chosen]
    require_in_train(genres, parts)
    return split_of(f"artist-disjoint, seed {seed}", ids, parts, table)


def with_validation(
    table: pd.DataFrame, split: Split, share: float = 0.1, seed: int = 0, *, by: str = "genre"
) -> Split:
    """Take validation songs from a split's training songs, if it has none.

    Parameters
    ----------
    table : pandas.DataFrame
        With `track_id`, `genre` and, by artist, `artist`.
    split : Split
    share : float in (0, 1)
        Share of the training songs.
    seed : int >= 0
        Seed of the choice of songs.
    by : {"genre", "artist"}
        Stratified by genre; "artist" also keeps each artist's songs together.

    Returns
    -------
    Split
        The same test songs, under the same name.

    Raises
    ------
    SplitError
        If a genre has too few training songs, or artists, to be divided.
    """
    if split.counts()["validation"]:
        return split
    songs = table.iloc[split.indices(table, "train")]
    divide = artist_disjoint if by == "artist" else stratified
    held_out = divide(songs, (1 - share, 0.0, share), seed).parts
    parts = split.parts.copy()
    parts[held_out.index[held_out == "test"]] = "validation"
    return Split(split.name, parts)


def _assign(
    groups: Sequence[Hashable],
    genres: Sequence[str],
    shares: Sequence[float],
    prices: Sequence[float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Assign whole groups of songs to parts: a part's number for each song.

    The cost of an assignment is the sum over parts and genres of (songs - wanted)^2 / wanted, plus,
    for every genre that a part lacks, that part's price times the number of songs.
    """
    number = {group: n for n, group in enumerate(dict.fromkeys(groups))}
    names = sorted(set(genres))
    rows = np.array([number[group] for group in groups])
    songs = np.zeros((len(number), len(names)))
    np.add.at(songs, (rows, np.searchsorted(names, genres)), 1)
    wanted = np.asarray(shares)[:, None] * songs.sum(0)
    price = np.asarray(prices, float)[:, None] * len(genres)
    # Large collections are balanced without effort: fewer attempts save time.
    attempts = max(3, min(_ATTEMPTS, 20_000 // len(number)))
    starts = (rng.choice(len(shares), len(number), p=shares) for _ in range(attempts))
    found = [_improve(songs, wanted, price, start) for start in starts]
    _, best = min(found, key=lambda pair: pair[0])
    parts: np.ndarray = best[rows]
    return parts


def _improve(
    songs: np.ndarray, wanted: np.ndarray, price: np.ndarray, chosen: np.ndarray
) -> tuple[float, np.ndarray]:
    """Move single groups while that lowers the cost; return the cost and the assignment.

    `songs` is (groups, genres), `wanted` (parts, genres), `price` (parts, 1), `chosen` (groups,).
    """
    everyone, here = np.arange(len(songs)), chosen.copy()
    have = np.zeros_like(wanted)
    np.add.at(have, here, songs)
    # A large collection is balanced from the start, and each of its moves takes long.
    for _ in range(min(_MOVES, _CELLS // songs.size)):
        excess = (have - wanted) / wanted
        square = songs**2 @ (1 / wanted).T
        drift = 2 * songs @ excess.T
        gain = square + drift - (songs > 0) @ ((have == 0) * price).T
        alone = ((songs > 0) & (have[here] == songs)).sum(1)
        loss = (square - drift)[everyone, here] + alone * price[here, 0]
        change = gain + loss[:, None]
        change[everyone, here] = 0
        group, part = np.unravel_index(np.argmin(change), change.shape)
        if change[group, part] > -1e-9:
            break
        have[here[group]] -= songs[group]
        have[part] += songs[group]
        here[group] = part
    cost = ((have - wanted) ** 2 / wanted).sum() + ((have == 0) * price).sum()
    return float(cost), here


# --- folds ------------------------------------------------------------------------------------


def k_fold(
    table: pd.DataFrame,
    n_folds: int = 5,
    seed: int = 0,
    by: str = "genre",
    validation: float = 0.1,
) -> list[Split]:
    """Divide the songs into folds; each split tests on another one.

    Parameters
    ----------
    table : pandas.DataFrame
        With `track_id`, `genre` and, by artist, `artist`.
    n_folds : int >= 2
        Number of folds.
    seed : int >= 0
        Seed of the folds.
    by : {"genre", "artist"}
        Stratified by genre; "artist" also keeps each artist's songs together.
    validation : float in [0, 1)
        Share of each split's other folds that is used for validation, by the same rule. Genres with
        one song (by artist: one artist) in these folds are in training, not in validation.

    Returns
    -------
    list of Split
        Every song is a test song in exactly one.

    Raises
    ------
    SplitError
        If a number or `by` is wrong, or a genre has fewer songs (by artist: artists) than there
        are folds.
    """
    if by not in ("genre", "artist"):
        raise SplitError("unknown grouping", found=repr(by), wanted="'genre' or 'artist'")
    if n_folds < 2:
        raise SplitError("too few folds", found=str(n_folds), wanted="at least 2")
    if not 0 <= validation < 1:
        raise SplitError("bad validation", found=str(validation), wanted="a number in [0, 1)")
    ids, genres, groups = songs_of(table, artists=by == "artist")
    if by == "artist":
        require_enough(artists_by_genre(genres, groups), n_folds, "artists", "folds")
    else:
        require_enough(Counter(genres), n_folds, "songs", "folds")

    def divide(rows: np.ndarray, shares: list[float], prices: list[float], key: int) -> np.ndarray:
        rng, labels = generator(seed, key), [genres[row] for row in rows]
        if by == "genre":
            return _deal(labels, shares, rng)
        return _assign([groups[row] for row in rows], labels, shares, prices, rng)

    folds = divide(np.arange(len(ids)), [1 / n_folds] * n_folds, [10.0] * n_folds, 0)
    kind = "artist-disjoint" if by == "artist" else "stratified"
    splits = []
    for fold in range(n_folds):
        parts = np.where(folds == fold, "test", "train").astype(object)
        rest = np.flatnonzero(folds != fold)
        if validation > 0:
            held_out = divide(rest, [1 - validation, validation], [100.0, 1.0], fold + 1)
            parts[rest[held_out == 1]] = "validation"
        require_in_train(genres, parts)
        name = f"{kind} {n_folds}-fold, fold {fold + 1}, seed {seed}"
        splits.append(split_of(name, ids, parts, table))
    return splits
