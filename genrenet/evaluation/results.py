"""Summarise the folds of a run: accuracies with intervals, comparisons, predictions.

Conventions
-----------
An accuracy is the share of correct predictions, over all seeds; ``n`` counts songs, each once,
however many seeds tested it. ``ci95`` assumes independent songs (Wilson); ``ci95_artists`` treats
songs of one artist as dependent and is wider. Confusion matrices count every seed's predictions;
each genre's figures count songs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timezone
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from genrenet.data.catalog import artists_known
from genrenet.data.splits import artist_groups, artist_key
from genrenet.evaluation import metrics
from genrenet.evaluation.label_check import check_run
from genrenet.evaluation.protocols import why_they_differ
from genrenet.evaluation.protocols.curves import curves
from genrenet.evaluation.runner import Judged
from genrenet.evaluation.significance import accuracy_interval, holm, mcnemar, paired_bootstrap
from genrenet.inference.result import score_columns
from genrenet.utils.errors import printable
from genrenet.version import __version__

FIGURES = (
    *("accuracy", "ci95", "ci95_artists", "by_seed", "n"),
    *("frame_accuracy", "n_frames", "per_class", "confusion_songs", "confusion_frames"),
)
OF_FOLDS = (
    *("prepare_seconds", "fit_seconds", "predict_seconds"),
    *("settings", "training", "skipped", "truncated"),
)
"""Keys that, with `FIGURES` and all metrics, are None for a model that could not be evaluated."""


def predictions(judged: Judged) -> pd.DataFrame:
    """Return every prediction of a run, one per song; those of a song's segments are averaged.

    Parameters
    ----------
    judged : Judged

    Returns
    -------
    DataFrame
        ``protocol``, ``model``, ``seed``, ``fold``, ``track_id``, ``path``, ``artist``, ``genre``,
        ``predicted``, ``confidence`` and a column ``score_<label>`` for each label.
    """
    from genrenet.evaluation.report.test_report import predictions_table

    labels = judged.dataset.labels
    songs = judged.dataset.songs.set_index("track_id")

    def table_of(fold: Mapping[str, Any]) -> tuple[list[str], pd.DataFrame]:
        tracks, scores = judged.dataset.decide(fold["track_ids"], fold["scores"])
        rows = songs.loc[tracks]
        part = predictions_table(rows, scores, labels)
        part.insert(1, "artist", list(rows["artist"]))
        return tracks, part

    return of_all_folds(judged, table_of)


def of_all_folds(
    judged: Judged, table_of: Callable[[Mapping[str, Any]], tuple[list[str], pd.DataFrame]]
) -> pd.DataFrame:
    """Return the tables of all folds as one, with columns for protocol, model, seed and fold.

    Parameters
    ----------
    judged : Judged
    table_of : callable
        Returns the songs of a fold, and a row for each of them.

    Returns
    -------
    DataFrame
        ``protocol``, ``model``, ``seed``, ``fold`` and ``track_id``, then the tables' columns.
    """
    parts = []
    for fold in judged.folds:
        tracks, part = table_of(fold)
        about = {key: fold[key] for key in ("protocol", "model", "seed", "fold")}
        for place, (key, value) in enumerate({**about, "track_id": tracks}.items()):
            part.insert(place, key, value)
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def summarise(judged: Judged, decided: pd.DataFrame) -> dict[str, Any]:
    """Return all results of a run, as plain values for JSON.

    Parameters
    ----------
    judged : Judged
    decided : DataFrame
        Its `predictions`.

    Returns
    -------
    dict
        ``protocol`` (names, separated by commas), ``dataset``, ``labels``, ``n_songs``,
        ``n_artists`` or None, ``notes`` (assumptions), ``seeds``, ``created``, ``genrenet``,
        ``machine``, ``protocols`` (for each its ``name``, ``meaning`` and ``leakage``,
        ``learnt_from`` and the protocol that it is part of), ``curves``
        (`genrenet.evaluation.protocols.curves.curves`), ``why_protocols_differ``, ``skipped``,
        ``models`` (`_row` for each model and protocol), ``comparisons`` (`_compare` for each pair)
        and ``label_check`` (`genrenet.evaluation.label_check.check_run`).
    """
    rows: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    for protocol in judged.protocols:
        rows += [_row(judged, decided, protocol.name, model) for model in judged.meanings]
        pairs += _compare(judged, decided, protocol.name)
    return {
        **about_run(judged),
        "models": rows,
        "comparisons": pairs,
        "curves": curves(judged.protocols, judged.learnt, rows),
        "label_check": check_run(
            judged.dataset.labels,
            # Methods trained on few songs give little evidence about the labels.
            [row for row in rows if "@" not in row["protocol"]],
            decided,
        ),
    }


def about_run(judged: Judged) -> dict[str, Any]:
    """Return the entries of `summarise` about the run itself, not about models or labels."""
    table = judged.dataset.songs
    return {
        "protocol": ",".join(protocol.name for protocol in judged.protocols),
        "dataset": judged.dataset.name,
        "labels": judged.dataset.labels,
        "n_songs": len(table),
        "n_artists": len({*map(artist_key, table["artist"])} - {""})
        if judged.dataset.artists
        else None,
        "notes": judged.dataset.notes,
        "seeds": list(judged.protocols[0].seeds),
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "genrenet": __version__,
        "machine": judged.machine,
        "protocols": [
            {
                "name": p.name,
                "meaning": p.meaning,
                "leakage": judged.leaks.get(p.name, ""),
                "learnt_from": judged.learnt.get(p.name),
                "part_of": None if p.subset is None else p.base,
            }
            for p in judged.protocols
        ],
        "why_protocols_differ": why_they_differ(judged.protocols),
        "skipped": [
            {"path": printable(problem.path), "reason": str(problem.message)}
            for problem in judged.dataset.problems
        ],
    }


def model_row(judged: Judged, protocol: str, model: str) -> dict[str, Any]:
    """Return the entries of one model under one protocol that do not depend on its predictions:
    name, error and meaning, seconds, settings, training curves, and skipped or truncated songs.
    """
    folds = [f for f in judged.folds if f["protocol"] == protocol and f["model"] == model]
    error = judged.errors.get((protocol, model))
    meaning = dict(judged.meanings[model])
    if judged.dataset.features is not None:
        meaning["features"] = f"{len(judged.dataset.columns)} columns of {judged.dataset.name}"
    about = {"name": model, "protocol": protocol, "error": error, "about": meaning}
    if error is not None or not folds:
        return {**about, **dict.fromkeys(OF_FOLDS)}
    settings = [{"seed": f["seed"], "fold": f["fold"], **f["settings"]} for f in folds]
    return {
        **about,
        "prepare_seconds": judged.prepared.get(model),
        "fit_seconds": float(sum(fold["fit_seconds"] for fold in folds)),
        "predict_seconds": float(sum(fold["predict_seconds"] for fold in folds)),
        "settings": [setting for setting in settings if len(setting) > 2],
        # Folds of an earlier version have no curves, and no names of truncated songs.
        "training": [
            {"seed": fold["seed"], "fold": fold["fold"], "curves": fold["curves"]}
            for fold in folds
            if fold.get("curves")
        ],
        **{
            key: {track: why for fold in folds for track, why in fold.get(key, {}).items()}
            for key in ("skipped", "truncated")
        },
    }


def _of(decided: pd.DataFrame, protocol: str, model: str) -> pd.DataFrame:
    if not len(decided):
        return decided
    return decided[(decided["protocol"] == protocol) & (decided["model"] == model)]


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each song's share of correct predictions (``mean``), and their number (``count``)."""
    right = (rows["genre"] == rows["predicted"]).astype(float)
    return right.groupby(rows["track_id"]).agg(["mean", "count"])


def _artists(judged: Judged, tracks: pd.Index) -> list[Hashable] | None:
    """Return the groups of songs that are not independent; None if artists are unknown."""
    if not judged.dataset.artists:
        return None
    names = judged.dataset.songs.set_index("track_id")["artist"].loc[tracks]
    return artist_groups(names, tracks)


def _row(judged: Judged, decided: pd.DataFrame, protocol: str, model: str) -> dict[str, Any]:
    """Return one model under one protocol; figures are None if any part of it failed."""
    folds = [f for f in judged.folds if f["protocol"] == protocol and f["model"] == model]
    about = model_row(judged, protocol, model)
    rows = _of(decided, protocol, model)
    if about["error"] is not None or not len(rows):
        return {**about, **dict.fromkeys((*metrics.song_metrics(), *FIGURES))}
    labels = judged.dataset.labels
    place = {label: i for i, label in enumerate(labels)}
    target = np.array([place[genre] for genre in rows["genre"]])
    scores = rows[[*score_columns(labels).values()]].to_numpy(np.float64)
    held = [fold["frame_confusion"] for fold in folds]
    frames = None if any(h is None for h in held) else np.sum(held, axis=0)
    found = metrics.evaluate(target, scores, labels, frames)
    by_seed = [
        float((part["genre"] == part["predicted"]).mean()) for _, part in rows.groupby("seed")
    ]
    shares = _shares(rows)
    # Every prediction has equal weight; with equally many songs per seed, this is their mean.
    accuracy, n = float((rows["genre"] == rows["predicted"]).mean()), len(shares)
    interval = metrics.wilson_interval(round(accuracy * n), n)
    groups = _artists(judged, shares.index)
    return {
        **{name: found.get(f"song_{name}") for name in metrics.song_metrics()},
        **about,
        "accuracy": accuracy,
        "ci95": list(interval),
        "ci95_artists": None
        if groups is None
        else accuracy_interval(shares["mean"], groups, times=shares["count"]),
        "by_seed": by_seed,
        "n": n,
        "frame_accuracy": found.get("frame_accuracy"),
        "n_frames": found.get("n_frames"),
        "per_class": _classes(rows, labels),
        "confusion_songs": found["confusion_songs"],
        "confusion_frames": found.get("confusion_frames"),
    }


def _classes(rows: pd.DataFrame, labels: list[str]) -> list[dict[str, Any]]:
    """Return `metrics.class_table` with every song counted once, however many seeds tested it."""
    place = {label: i for i, label in enumerate(labels)}
    weight = 1 / rows.groupby("track_id")["track_id"].transform("size").to_numpy(float)
    table = np.zeros((len(labels), len(labels)))
    at = (rows["genre"].map(place).to_numpy(int), rows["predicted"].map(place).to_numpy(int))
    np.add.at(table, at, weight)
    return metrics.class_table(table, labels)


def _compare(judged: Judged, decided: pd.DataFrame, protocol: str) -> list[dict[str, Any]]:
    """Return all pairs of models evaluated under a protocol, on the songs both predicted."""
    whole = [m for m in judged.meanings if (protocol, m) not in judged.errors]
    found: list[dict[str, Any]] = []
    for first, second in combinations(whole, 2):
        pair = compare_pair(_of(decided, protocol, first), _of(decided, protocol, second), judged)
        if pair is not None:
            found.append({"protocol": protocol, "first": first, "second": second, **pair})
    for name in ("p_permutation", "p_mcnemar"):
        adjusted = holm([pair[name] for pair in found])
        for pair, value in zip(found, adjusted, strict=True):
            pair[f"{name}_holm"] = value
    return found


def compare_pair(
    first: pd.DataFrame, second: pd.DataFrame, judged: Judged | None = None
) -> Mapping[str, Any] | None:
    """Test whether one of two models is better, on the songs that both predicted.

    Parameters
    ----------
    first, second : DataFrame
        `predictions` of one model under one protocol each.
    judged : Judged, optional
        Provides the artists of songs.

    Returns
    -------
    dict or None
        ``n``, ``difference`` (first minus second), ``ci95``, ``p_permutation`` (of whole artists if
        they are known, of songs otherwise, all seeds; ``groups`` is their number) and ``p_mcnemar``
        (the first seed's predictions, assuming independent songs). None if there is no such song.
    """
    one, other = _shares(first), _shares(second)
    common = one.index.intersection(other.index)
    if not len(common):
        return None
    if judged is not None:
        groups = _artists(judged, common)
    else:
        songs = first.drop_duplicates("track_id").set_index("track_id").loc[common]
        groups = artist_groups(songs["artist"], common) if artists_known(songs) else None
    times = np.minimum(one["count"][common], other["count"][common])
    boot = paired_bootstrap(one["mean"][common], other["mean"][common], groups, times=times)
    seed = first["seed"].min()
    ones, others = (
        _shares(rows[rows["seed"] == rows["seed"].min()])["mean"] for rows in (first, second)
    )
    once = ones.index.intersection(others.index)
    exact = mcnemar(ones[once].round(), others[once].round()) if len(once) else 1.0
    return {
        "n": len(common),
        "difference": boot["difference"],
        "ci95": [boot["lower"], boot["upper"]],
        "groups": boot["groups"],
        "p_permutation": boot["p"],
        "p_mcnemar": exact,
        "mcnemar_seed": int(seed),
    }
