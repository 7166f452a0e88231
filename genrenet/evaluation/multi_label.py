"""Metrics for songs with several genres: mAP, ROC-AUC, and F1 at thresholds.

Conventions
-----------
``target`` (songs, labels) is true for the labels of each song, ``scores`` (songs, labels) are a
model's scores, from 0 to 1; labels are independent, and scores of different labels are never
compared. The predictions of one fitted model for songs outside its training set are a `Part`: a
fold, or a test. A label counts in the parts where some songs have it and some do not; the others
are left out, and their number is reported with the figures. A label's figure is the mean over its
parts, mAP and ROC-AUC are the means over the labels (macro).

Intervals are bootstraps over songs, or over artists, as songs of one artist are not independent. A
song that is drawn twice has twice the weight. Average precision is biased in such samples, as a
song drawn twice supports itself; the draws are therefore shifted so that their mean is the figure.

Sources
-------
Bootstrap: A. C. Davison, D. V. Hinkley,
"Bootstrap methods and their application", 1997.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genrenet.evaluation.metrics import MetricError
from genrenet.models.rankings import rankings

Floats = NDArray[np.float64]
Targets = NDArray[np.bool_]

RESAMPLES = 1000
FIGURES = ("map", "roc_auc", "f1_macro", "f1_micro")
"""Figures with intervals."""


@dataclass(frozen=True)
class Part:
    """Predictions of one fitted model for songs outside its training set.

    Attributes
    ----------
    songs : sequence of str
    target : ndarray of bool, shape (songs, labels)
    scores : ndarray of float64, shape (songs, labels)
    thresholds : ndarray of float64, shape (labels,)
        Chosen on validation songs.

    Raises
    ------
    MetricError
        Shapes that do not fit, no song, or scores that are not finite.
    """

    songs: Sequence[str]
    target: Targets
    scores: Floats
    thresholds: Floats

    def __post_init__(self) -> None:
        shape = (len(self.songs), len(self.thresholds))
        if not self.target.shape == self.scores.shape == shape or not shape[0]:
            raise MetricError(
                "targets and scores do not fit",
                found=f"{shape[0]} songs, {shape[1]} thresholds, shapes {self.target.shape} and "
                f"{self.scores.shape}",
                wanted="(songs, labels) with one song at least",
            )
        if not np.isfinite(self.scores).all():
            raise MetricError("scores must be numbers", wanted="finite scores")

    @property
    def named(self) -> Targets:
        """Labels predicted by the model, of shape (songs, labels)."""
        return self.scores >= self.thresholds

    def only(self, songs: set[str]) -> Part | None:
        """Return the part restricted to some songs; None if it has none of them."""
        rows = np.array([row for row, song in enumerate(self.songs) if song in songs], dtype=int)
        if not len(rows):
            return None
        kept = [self.songs[row] for row in rows]
        return Part(kept, self.target[rows], self.scores[rows], self.thresholds)


def _mean(values: Floats, axis: int) -> Floats:
    """Return means over values that are not NaN; NaN if there are none."""
    known = ~np.isnan(values)
    n = known.sum(axis=axis)
    sums = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(n > 0, sums / np.maximum(n, 1), np.nan)


def draws(parts: Sequence[Part], weights: ArrayLike, order: Sequence[str]) -> dict[str, Floats]:
    """Return the figures of samples of the songs.

    Parameters
    ----------
    parts : sequence of Part
    weights : array_like of float, shape (draws, songs)
        How often each draw contains each of the songs in ``order``.
    order : sequence of str

    Returns
    -------
    dict of ndarray, each of shape (draws,)
        `FIGURES`; NaN for a draw in which no label can be ranked.
    """
    table = np.asarray(weights, np.float64)
    place = {song: column for column, song in enumerate(order)}
    ranked: list[tuple[Floats, Floats]] = []
    counts = np.zeros((3, len(table), len(parts[0].thresholds)))
    for part in parts:
        mine = table[:, [place[song] for song in part.songs]]
        ranked.append(rankings(part.target, part.scores, mine))
        hit = part.named & part.target
        counts += [mine @ some.astype(float) for some in (hit, part.named, part.target)]
    precision, auc = (_mean(np.array(one), axis=0) for one in zip(*ranked, strict=True))
    right, named, support = counts
    known = support > 0
    f1 = np.where(known, 2 * right / np.maximum(named + support, 1e-12), np.nan)
    total = np.maximum(named.sum(axis=1) + support.sum(axis=1), 1e-12)
    return {
        "map": _mean(precision, axis=1),
        "roc_auc": _mean(auc, axis=1),
        "f1_macro": _mean(f1, axis=1),
        "f1_micro": 2 * right.sum(axis=1) / total,
    }


def sampled(groups: Sequence[object], seed: int = 0) -> Floats:
    """Return how often `RESAMPLES` bootstrap samples contain each song, shape (draws, songs).

    Parameters
    ----------
    groups : sequence, shape (songs,)
        Songs of one group (artist) are drawn together.
    seed : int
        Seed of the bootstrap.
    """
    place = {group: row for row, group in enumerate(dict.fromkeys(groups))}
    rng = np.random.default_rng(seed)
    n = len(place)
    picked = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(float)
    return np.asarray(picked[:, [place[group] for group in groups]])


def interval(value: float, drawn: Floats) -> list[float]:
    """Return the 95 % interval of a figure in [0, 1] from its bootstrap draws."""
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return [0.0, 1.0]
    ends = np.quantile(known, [0.025, 0.975]) - known.mean() + value
    return [float(end) for end in np.clip(ends, 0.0, 1.0)]


def songs_of(parts: Sequence[Part]) -> list[str]:
    """Return the songs of some parts, each once."""
    return list(dict.fromkeys(song for part in parts for song in part.songs))


def mean_average_precision(parts: Sequence[Part]) -> float | None:
    """Return only the mAP; None if no label can be ranked."""
    order = songs_of(parts)
    value = float(draws(parts, np.ones((1, len(order))), order)["map"][0])
    return value if np.isfinite(value) else None


def evaluate(
    parts: Sequence[Part], labels: Sequence[str], groups: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """Return all figures of a model, as plain values for JSON.

    Parameters
    ----------
    parts : sequence of Part
        Its folds, or its one test.
    labels : sequence of str
    groups : mapping of str to hashable, optional
        Group of each song: songs of one artist share it.

    Returns
    -------
    dict
        ``n`` songs; each of `FIGURES` with ``<figure>_ci95`` (bootstrap over songs) and
        ``<figure>_ci95_artists`` (over artists; None if unknown); ``precision_macro``,
        ``recall_macro``, ``precision_micro``, ``recall_micro``; ``chance_map`` (mAP of random
        scores: the mean share of songs with a label); ``left_out`` (number of pairs of a part and a
        label that no song of the part has, or all have, of ``pairs``); and ``per_label``: for each
        ``label``, ``support`` (songs that have it), ``parts`` (in which it counts),
        ``average_precision`` and ``roc_auc`` with ``_ci95`` over songs (None if it counts in none),
        ``threshold`` (mean over the parts), ``precision``, ``recall`` and ``f1``.
    """
    order = songs_of(parts)
    ones = np.ones((1, len(order)))
    found = {name: float(value[0]) for name, value in draws(parts, ones, order).items()}
    by_song = sampled(order)
    over_songs = draws(parts, by_song, order)
    over_artists = None
    if groups is not None:
        over_artists = draws(parts, sampled([groups[song] for song in order]), order)
    result: dict[str, Any] = {"n": len(order)}
    for name in FIGURES:
        value = found[name] if np.isfinite(found[name]) else None
        ends = None if value is None else interval(value, over_songs[name])
        wide = None
        if value is not None and over_artists is not None and ends is not None:
            # Resampling the same artists gives no information about other songs.
            low, high = interval(value, over_artists[name])
            wide = [min(low, ends[0]), max(high, ends[1])]
        result |= {name: value, f"{name}_ci95": ends, f"{name}_ci95_artists": wide}
    rows = _label_rows(parts, labels, by_song, order)
    right, named, support = (
        sum(float(some.sum()) for some in kind)
        for kind in zip(*((p.named & p.target, p.named, p.target) for p in parts), strict=True)
    )
    told = [part.target[:, _told(part)].mean() for part in parts if _told(part).any()]
    judged = [row for row in rows if row["support"]]
    pairs = len(parts) * len(labels)
    return {
        **result,
        **{
            f"{name}_macro": float(np.mean([row[name] for row in judged])) if judged else None
            for name in ("precision", "recall")
        },
        "precision_micro": right / max(1.0, named),
        "recall_micro": right / max(1.0, support),
        "chance_map": float(np.mean(told)) if told else None,
        "left_out": pairs - sum(row["parts"] for row in rows),
        "pairs": pairs,
        "per_label": rows,
    }


def _told(part: Part) -> Targets:
    """Return the labels by which a part can rank songs."""
    return np.asarray(part.target.any(axis=0) & ~part.target.all(axis=0))


def _label_rows(
    parts: Sequence[Part], labels: Sequence[str], by_song: Floats, order: Sequence[str]
) -> list[dict[str, Any]]:
    place = {song: column for column, song in enumerate(order)}
    plain = np.array([rankings(part.target, part.scores) for part in parts])
    drawn = np.array(
        [
            rankings(part.target, part.scores, by_song[:, [place[song] for song in part.songs]])
            for part in parts
        ]
    )
    values, samples = _mean(plain, axis=0), _mean(drawn, axis=0)
    counted = np.sum([_told(part) for part in parts], axis=0)
    hits, named, has = (
        np.sum([one.sum(axis=0) for one in kind], axis=0)
        for kind in zip(*((p.named & p.target, p.named, p.target) for p in parts), strict=True)
    )
    songs = np.zeros((len(order), len(labels)), bool)  # each song once, however many seeds
    for part in parts:
        songs[[place[song] for song in part.songs]] |= part.target
    rows = []
    for at, label in enumerate(labels):
        row: dict[str, Any] = {
            "label": label,
            "support": int(songs[:, at].sum()),
            "parts": int(counted[at]),
        }
        for number, name in enumerate(("average_precision", "roc_auc")):
            value = float(values[number, at])
            known = np.isfinite(value)
            row[name] = value if known else None
            row[f"{name}_ci95"] = interval(value, samples[number, :, at]) if known else None
        row["threshold"] = float(np.mean([part.thresholds[at] for part in parts]))
        row["precision"] = float(hits[at] / max(1, named[at]))
        row["recall"] = float(hits[at] / max(1, has[at]))
        row["f1"] = float(2 * hits[at] / max(1, named[at] + has[at]))
        rows.append(row)
    return rows


def compare(
    first: Sequence[Part],
    second: Sequence[Part],
    groups: Mapping[str, object] | None = None,
    seed: int = 0,
) -> dict[str, Any] | None:
    """Test whether the mAP of one of two models is higher, on the songs that both predicted.

    Parameters
    ----------
    first, second : sequence of Part
    groups : mapping of str to hashable, optional
        Group of each song, such as its artist: groups are drawn instead of songs.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict or None
        ``n`` songs, ``groups`` drawn from, and for ``map`` and ``roc_auc`` the ``difference``
        (first minus second), its ``ci95`` and two-sided ``p``: how often bootstrap differences,
        shifted to a mean of 0, are at least as large. None if no common songs can be ranked.
    """
    both = {*songs_of(first)} & {*songs_of(second)}
    order = [song for song in songs_of(first) if song in both]
    if not order:
        return None
    sides = [[kept for part in parts if (kept := part.only(both))] for parts in (first, second)]
    drawn_of = order if groups is None else [groups[song] for song in order]
    weights = sampled(drawn_of, seed)
    ones = np.ones((1, len(order)))
    plain = [draws(side, ones, order) for side in sides]
    found = [draws(side, weights, order) for side in sides]
    result: dict[str, Any] = {"n": len(order), "groups": len(set(drawn_of))}
    for name in ("map", "roc_auc"):
        difference = float(plain[0][name][0] - plain[1][name][0])
        samples = found[0][name] - found[1][name]
        samples = samples[np.isfinite(samples)]
        if not np.isfinite(difference) or not len(samples):
            return None
        moved = samples - samples.mean()
        low, high = np.quantile(moved, [0.025, 0.975]) + difference
        p = (1 + int((np.abs(moved) >= abs(difference) - 1e-12).sum())) / (1 + len(moved))
        result[name] = {"difference": difference, "ci95": [float(low), float(high)], "p": p}
    return result
