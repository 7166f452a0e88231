"""Summarise the folds of a run on songs with several genres.

The counterpart of `genrenet.evaluation.results`; the figures are defined in
`genrenet.evaluation.multi_label`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from genrenet.data.catalog.several_genres import joined, names_in
from genrenet.data.splits import artist_groups
from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.multi_label import (
    FIGURES,
    Part,
    compare,
    evaluate,
    mean_average_precision,
)
from genrenet.evaluation.results import about_run, model_row, of_all_folds
from genrenet.evaluation.runner import Judged
from genrenet.evaluation.significance import holm
from genrenet.inference.result import score_columns
from genrenet.models.thresholds import USUAL
from genrenet.utils.errors import printable

OF_MODEL = (
    *("n", *FIGURES, *(f"{name}_ci95" for name in FIGURES)),
    *(f"{name}_ci95_artists" for name in FIGURES),
    *("precision_macro", "recall_macro", "precision_micro", "recall_micro"),
    *("chance_map", "left_out", "pairs", "per_label", "by_seed"),
)
"""Keys that are None in the row of a model that could not be evaluated."""


def parts_of(judged: Judged, protocol: str, model: str) -> list[tuple[int, Part]]:
    """Return a model's predictions for each fold's songs, with the fold's seed."""
    return [
        (int(fold["seed"]), _part(judged.dataset, fold))
        for fold in judged.folds
        if (fold["protocol"], fold["model"]) == (protocol, model)
    ]


def _part(dataset: Dataset, fold: Mapping[str, Any]) -> Part:
    songs, scores = dataset.decide(fold["track_ids"], fold["scores"])
    limits = fold.get("thresholds") or [USUAL] * len(dataset.labels)
    return Part(songs, dataset.targets(songs), scores, np.array(limits, np.float64))


def predictions(judged: Judged) -> pd.DataFrame:
    """Return every prediction of a run, one per song; those of a song's segments are averaged.

    Parameters
    ----------
    judged : Judged

    Returns
    -------
    DataFrame
        ``protocol``, ``model``, ``seed``, ``fold``, ``track_id``, ``path``, ``artist``, ``genres``
        (true ones, between semicolons), ``predicted`` (all that reach their thresholds; '' for
        none), and a column ``score_<label>`` for each label.
    """
    dataset = judged.dataset
    songs = dataset.songs.set_index("track_id")

    def table_of(fold: Mapping[str, Any]) -> tuple[list[str], pd.DataFrame]:
        part = _part(dataset, fold)
        tracks = list(part.songs)
        return tracks, predictions_table(songs.loc[tracks], part, dataset.labels)

    return of_all_folds(judged, table_of)


def predictions_table(songs: pd.DataFrame, part: Part, labels: list[str]) -> pd.DataFrame:
    """Return one row per song: ``path``, ``artist``, ``genres``, ``predicted`` and the scores.

    Parameters
    ----------
    songs : DataFrame
        With columns ``path``, ``artist`` and ``genres``: the songs of the part, in its order.
    part : Part
    labels : list of str
    """
    names = np.array(labels, dtype=object)
    columns: dict[str, Any] = {
        "path": list(map(printable, songs["path"])),
        "artist": list(songs["artist"]),
        "genres": list(songs["genres"]),
        "predicted": [joined(names[row]) for row in part.named],
    }
    scores = zip(score_columns(labels).values(), part.scores.T, strict=True)
    return pd.DataFrame({**columns, **dict(scores)})


def summarise(judged: Judged) -> dict[str, Any]:
    """Return all results of a run, as plain values for JSON.

    Parameters
    ----------
    judged : Judged

    Returns
    -------
    dict
        What `genrenet.evaluation.results.summarise` returns about the run itself; ``multi_label``
        (True) and ``genres_a_song`` (the mean); ``models``: for each model and protocol the results
        of `genrenet.evaluation.multi_label.evaluate`, and ``by_seed`` (the mAP); and
        ``comparisons``: for each pair ``n``, ``groups``, and for ``map`` and ``roc_auc`` the
        results of `genrenet.evaluation.multi_label.compare`, with ``p_holm``.
    """
    dataset = judged.dataset
    cells = [len(names_in(cell)) for cell in dataset.songs["genres"]]
    rows: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    for protocol in judged.protocols:
        rows += [_row(judged, protocol.name, model) for model in judged.meanings]
        pairs += _compare(judged, protocol.name)
    return {
        **about_run(judged),
        "multi_label": True,
        "genres_a_song": float(np.mean(cells)),
        "models": rows,
        "comparisons": pairs,
    }


def _groups(judged: Judged) -> dict[str, Hashable] | None:
    """Return the artist group of each song; None if artists are unknown."""
    if not judged.dataset.artists:
        return None
    songs = judged.dataset.songs
    tracks = list(songs["track_id"])
    return dict(zip(tracks, artist_groups(songs["artist"], tracks), strict=True))


def _row(judged: Judged, protocol: str, model: str) -> dict[str, Any]:
    """Return one model under one protocol; figures are None if it could not be evaluated."""
    row = model_row(judged, protocol, model)
    parts = parts_of(judged, protocol, model)
    if row["error"] is not None or not parts:
        return {**row, **dict.fromkeys(OF_MODEL)}
    labels = judged.dataset.labels
    found = evaluate([part for _, part in parts], labels, _groups(judged))
    by_seed = [
        mean_average_precision([part for seed, part in parts if seed == mine])
        for mine in dict.fromkeys(seed for seed, _ in parts)
    ]
    return {**row, **found, "by_seed": by_seed}


def _compare(judged: Judged, protocol: str) -> list[dict[str, Any]]:
    """Return all pairs of models evaluated under a protocol, on the songs both predicted."""
    whole = {
        model: [part for _, part in parts_of(judged, protocol, model)]
        for model in judged.meanings
        if (protocol, model) not in judged.errors
    }
    groups, found = _groups(judged), list[dict[str, Any]]()
    for (first, one), (second, other) in combinations(whole.items(), 2):
        pair: Mapping[str, Any] | None = None
        if one and other:
            pair = compare(one, other, groups)
        if pair is not None:
            found.append({"protocol": protocol, "first": first, "second": second, **pair})
    for name in ("map", "roc_auc"):
        adjusted = holm([pair[name]["p"] for pair in found])
        for pair, value in zip(found, adjusted, strict=True):
            pair[name]["p_holm"] = value
    return found
