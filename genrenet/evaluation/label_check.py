"""Labels that look wrong, and genres that cannot be told apart, from what methods said out of fold.

Conventions
-----------
``decided`` is a table as `genrenet.evaluation.results.predictions` gives it, of one protocol: no
method has seen the songs that it decides. Scores of several seeds are averaged, so that every song
counts once for each method. Intervals are Wilson's, of 95 %, and take songs to be independent.

Sources
-------
Confident learning: C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: estimating
uncertainty in dataset labels", Journal of Artificial Intelligence Research 70, 2021. A method's
threshold for a genre is its mean score of the genre over the songs with that label; a song counts
confidently as the genre with the highest score among those that reach their threshold.
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
"""Share of all errors from which on a pair of genres is listed even if it can be told apart."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def confident_genres(target: Integers, scores: Floats) -> Integers:
    """Return what each song confidently counts as.

    Parameters
    ----------
    target : ndarray of int, shape (songs,)
        Labels, perhaps wrong ones.
    scores : ndarray of float, shape (songs, labels)
        Of a method that has not seen the songs.

    Returns
    -------
    ndarray of int, shape (songs,)
        -1 where no score reaches its genre's threshold.

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
    """Return what out-of-fold predictions say of a collection's labels.

    Parameters
    ----------
    decided : DataFrame
        Of one protocol and all methods.
    labels : sequence of str

    Returns
    -------
    dict
        Plain values that JSON can hold: ``songs`` (those that all methods decided), ``methods``,
        ``wrong_in_all`` and ``contradicted_by_all`` (a share each, see below), ``best`` (the method
        with the highest accuracy, which the rest is about), ``errors`` (their number),
        ``accuracy``, ``top2``, ``pairs`` (see `hard_pairs`) and ``suspects`` (see `suspects`). A
        share is a dictionary with ``count``, ``n``, ``share`` and ``ci95``.

    Raises
    ------
    MetricError
        No song was decided by all methods.
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
    """Return the songs that all methods decided, and each method's mean scores of them.

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
        ``path``, ``genre``, ``suggested`` (the genre that most of the contradicting methods give),
        ``methods`` (how many contradict), ``of`` (how many there are), ``margin`` (by how much, on
        average over all methods, the suggested genre's score is above the label's) and ``said``
        (the first genre of each method); most methods first, then the largest margin.
    """
    target, names = _places(songs["genre"], labels), np.array(labels)
    confident = np.stack([confident_genres(target, rows) for rows in scores.values()])
    against = (confident >= 0) & (confident != target)
    mean = np.mean(list(scores.values()), axis=0)
    said = {name: names[rows.argmax(axis=1)] for name, rows in scores.items()}
    found = []
    for row in np.flatnonzero(2 * against.sum(axis=0) > len(confident)):
        votes = np.bincount(confident[against[:, row], row], minlength=len(labels))
        # Of genres with as many votes, the one with the higher mean score.
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
    """Return pairs of genres that a method cannot tell apart, or that make up much of its errors.

    Parameters
    ----------
    target : ndarray of int, shape (songs,)
    scores : ndarray of float, shape (songs, labels)
    labels : sequence of str

    Returns
    -------
    list of dict
        ``genres`` (two), ``within`` (share of the songs of both that are right where only these
        two may be answered), ``chance`` (share of the larger of both), ``told_apart`` (whether the
        interval of ``within`` lies above chance), ``errors`` (share of all errors that take one for
        the other) and ``merged`` (accuracy where both count as one genre); most errors first.
        Only pairs with an error between them, and either not told apart or with a quarter of all
        errors (`MUCH`).
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
    """Return a share with what it was counted from: ``count``, ``n``, ``share`` and ``ci95``.

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
