"""Find suspicious labels and inseparable genres from out-of-fold predictions.

Conventions
-----------
``decided`` is a table of `genrenet.evaluation.results.predictions`, of one protocol: no song was in
the training set of the model that predicted it. Scores of several seeds are averaged, so that every
song counts once for each method. Intervals are 95 % Wilson intervals that assume independent songs.

Sources
-------
Confident learning: C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: estimating
uncertainty in dataset labels", Journal of Artificial Intelligence Research 70, 2021. A method's
threshold for a genre is its mean score of the genre over the songs with that label; the confident
label of a song is the genre with the highest score among those that reach their threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrenet.evaluation.metrics import MetricError, top_k_accuracy, wilson_interval
from genrenet.inference.result import score_columns

MUCH = 0.25
"""Minimum share of all errors for a pair of genres to be listed even if it is separable."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def confident_genres(target: Integers, scores: Floats) -> Integers:
    """Return the confident label of each song.

    Parameters
    ----------
    target : ndarray of int, shape (songs,)
        Given labels, some of which may be wrong.
    scores : ndarray of float, shape (songs, labels)
        Of a method that was not trained on the songs.

    Returns
    -------
    ndarray of int, shape (songs,)
        -1 if no score reaches its genre's threshold.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.9, 0.1]])
    >>> confident_genres(np.array([0, 0, 1, 1]), scores).tolist()
    [0, -1, 1, 0]
    """
    known = np.bincount(target, minlength=scores.shape[1]) > 0
    thresholds = np.full(scores.shape[1], np.inf)
    for label in np.flatnonzero(known):
        thresholds[label] = scores[target == label, label].mean()
    reached = np.where(scores >= thresholds, scores, -np.inf)
    return np.where(np.isfinite(reached.max(axis=1)), reached.argmax(axis=1), -1)


def check_run(
    labels: Sequence[str], models: Sequence[Mapping[str, Any]], decided: pd.DataFrame
) -> list[dict[str, Any]]:
    """Return `check_labels` for each protocol of a run, with its name as ``protocol``.

    Parameters
    ----------
    labels : sequence of str
    models : sequence of mapping
        The rows ``models`` of `genrenet.evaluation.results.summarise`; methods without an accuracy
        are left out.
    decided : DataFrame
        Of all protocols and methods.
    """
    judged: dict[str, list[str]] = {}
    for row in models:
        if row["accuracy"] is not None:
            judged.setdefault(row["protocol"], []).append(row["name"])
    found = []
    for protocol, names in judged.items():
        mine = (decided["protocol"] == protocol) & decided["model"].isin(names)
        with suppress(MetricError):  # methods that have no song in common
            found.append({"protocol": protocol, **check_labels(decided[mine], labels)})
    return found


def check_labels(decided: pd.DataFrame, labels: Sequence[str]) -> dict[str, Any]:
    """Return the results of checking a collection's labels with out-of-fold predictions.

    Parameters
    ----------
    decided : DataFrame
        Of one protocol and all methods.
    labels : sequence of str

    Returns
    -------
    dict
        Values for JSON: ``songs`` (number that all methods predicted), ``methods``,
        ``wrong_in_all`` and ``contradicted_by_all`` (a share each, see below), ``best`` (the method
        with the highest accuracy, which the following entries refer to), ``errors`` (their number),
        ``accuracy``, ``top2``, ``pairs`` (see `hard_pairs`) and ``suspects`` (see `suspects`). A
        share is a dictionary with ``count``, ``n``, ``share`` and ``ci95``.

    Raises
    ------
    MetricError
        No song was predicted by all methods.
    """
    songs, scores = song_scores(decided, labels)
    target = _places(songs["genre"], labels)
    wrong = {name: rows.argmax(axis=1) != target for name, rows in scores.items()}
    best = min(wrong, key=lambda name: (wrong[name].sum(), name))
    found = suspects(songs, scores, labels)
    n, errors = len(songs), int(wrong[best].sum())
    top2 = top_k_accuracy(target, scores[best], 2)
    return {
        "songs": n,
        "methods": list(scores),
        "wrong_in_all": share(int(np.all(list(wrong.values()), axis=0).sum()), n),
        "contradicted_by_all": share(sum(one["methods"] == one["of"] for one in found), n),
        "best": best,
        "errors": errors,
        "accuracy": share(n - errors, n),
        "top2": share(round(top2 * n), n),
        "pairs": hard_pairs(target, scores[best], labels),
        "suspects": found,
    }


def song_scores(
    decided: pd.DataFrame, labels: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, Floats]]:
    """Return the songs that all methods predicted, and each method's mean scores of them.

    Returns
    -------
    songs : DataFrame
        ``track_id``, ``path`` and ``genre``.
    scores : dict of str to ndarray, shape (songs, labels)
        By method.

    Raises
    ------
    MetricError
        There is no such song.
    """
    columns = [*score_columns(labels).values()]
    means = {
        str(name): rows.groupby("track_id")[columns].mean()
        for name, rows in (decided.groupby("model", sort=False) if len(decided) else ())
    }
    common = (
        sorted(set.intersection(*(set(rows.index) for rows in means.values()))) if means else []
    )
    if not common:
        raise MetricError("labels cannot be checked", found="no song that all methods decided")
    songs = decided.drop_duplicates("track_id").set_index("track_id").loc[common].reset_index()
    return songs[["track_id", "path", "genre"]], {
        name: rows.loc[common].to_numpy(np.float64) for name, rows in means.items()
    }


def suspects(
    songs: pd.DataFrame, scores: Mapping[str, Floats], labels: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the songs whose label more than half of the methods confidently contradict.

    Parameters
    ----------
    songs, scores
        See `song_scores`.
    labels : sequence of str

    Returns
    -------
    list of dict
        ``path``, ``genre``, ``suggested`` (the genre given by most of the contradicting methods),
        ``methods`` (number that contradict), ``of`` (number of methods), ``margin`` (suggested
        genre's score minus the label's, averaged over all methods) and ``said`` (the first genre of
        each method); most methods first, then the largest margin.
    """
    target, names = _places(songs["genre"], labels), np.array(labels)
    confident = np.stack([confident_genres(target, rows) for rows in scores.values()])
    against = (confident >= 0) & (confident != target)
    mean = np.mean(list(scores.values()), axis=0)
    said = {name: names[rows.argmax(axis=1)] for name, rows in scores.items()}
    found = []
    for row in np.flatnonzero(2 * against.sum(axis=0) > len(confident)):
        votes = np.bincount(confident[against[:, row], row], minlength=len(labels))
        # Of genres with equally many votes, the one with the higher mean score.
        suggested = int(np.lexsort((mean[row], votes))[-1])
        found.append(
            {
                "path": str(songs["path"].iloc[row]),
                "genre": str(songs["genre"].iloc[row]),
                "suggested": str(labels[suggested]),
                "methods": int(against[:, row].sum()),
                "of": len(confident),
                "margin": float(mean[row, suggested] - mean[row, target[row]]),
                "said": {name: str(genres[row]) for name, genres in said.items()},
            }
        )
    return sorted(found, key=lambda one: (-one["methods"], -one["margin"], one["path"]))


def hard_pairs(target: Integers, scores: Floats, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return pairs of genres that a method cannot separate, or with a large share of its errors.

    Parameters
    ----------
    target : ndarray of int, shape (songs,)
    scores : ndarray of float, shape (songs, labels)
    labels : sequence of str

    Returns
    -------
    list of dict
        ``genres`` (two), ``within`` (accuracy on the songs of both if only these two labels may be
        predicted), ``chance`` (share of the larger of both), ``told_apart`` (whether the interval
        of ``within`` lies above chance), ``errors`` (share of all errors that confuse the two) and
        ``merged`` (accuracy if both are one genre); most errors first. Only pairs with an error
        between them, and either not separable or with a quarter of all errors (`MUCH`).
    """
    said = scores.argmax(axis=1)
    errors = int((said != target).sum())
    found = []
    for first, second in combinations(range(len(labels)), 2):
        mine = (target == first) | (target == second)
        swapped = mine & (said != target) & ((said == first) | (said == second))
        if not swapped.any():
            continue
        of_first = scores[mine, first] >= scores[mine, second]
        within = share(int((of_first == (target[mine] == first)).sum()), int(mine.sum()))
        chance = max((target[mine] == one).mean() for one in (first, second))
        told_apart = bool(within["ci95"][0] > chance)
        confused = share(int(swapped.sum()), errors)
        if told_apart and confused["share"] < MUCH:
            continue
        found.append(
            {
                "genres": [labels[first], labels[second]],
                "within": within,
                "chance": float(chance),
                "told_apart": told_apart,
                "errors": confused,
                "merged": share(int((said == target).sum() + swapped.sum()), len(target)),
            }
        )
    return sorted(found, key=lambda pair: -pair["errors"]["count"])


def share(count: int, n: int) -> dict[str, Any]:
    """Return a share and its counts: ``count``, ``n``, ``share`` and ``ci95``.

    Examples
    --------
    >>> share(8, 10)["share"]
    0.8
    """
    ends = [float(end) for end in wilson_interval(count, n)]
    return {"count": count, "n": n, "share": count / max(1, n), "ci95": ends}


def _places(genres: pd.Series, labels: Sequence[str]) -> Integers:
    place = {label: number for number, label in enumerate(labels)}
    return np.array([place[genre] for genre in genres], np.int64)
