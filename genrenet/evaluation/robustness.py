"""Robustness to deformations of the test songs: each model compared with itself on clean songs.

A row pairs the prediction for every deformed song with the same model's prediction for the clean
song, of the same fold: songs that could not be deformed or predicted are left out of both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from genrenet.audio.deforming import Deformation
from genrenet.evaluation.metrics import wilson_interval
from genrenet.evaluation.results import compare_pair, predictions
from genrenet.evaluation.runner import Judged
from genrenet.evaluation.significance import holm

KEYS = ["seed", "fold", "track_id"]


def robustness(
    judged: Judged, decided: pd.DataFrame, asked: list[Deformation]
) -> list[dict[str, Any]]:
    """Return the effects of deformations.

    Parameters
    ----------
    judged : Judged
        A run whose folds have predictions for deformed songs.
    decided : DataFrame
        Its `predictions`, for the clean songs.
    asked : list of Deformation

    Returns
    -------
    list of dict
        For each protocol, model and deformation ``protocol``, ``model``, ``deformation``, ``kind``,
        ``strength``, ``n`` (songs, each once), ``accuracy`` with ``ci95`` (Wilson), ``clean``
        (accuracy on the same songs, clean), ``difference`` (deformed minus clean) with
        ``difference_ci95`` (bootstrap over artists if they are known), ``p_mcnemar`` (the first
        seed) and ``p_mcnemar_holm`` (adjusted for all rows of the protocol), ``changed`` (share of
        predictions that changed) and ``skipped`` (songs, and why).
    """
    rows: list[dict[str, Any]] = []
    for protocol in judged.protocols:
        mine = [
            row
            for model in judged.meanings
            if (protocol.name, model) not in judged.errors
            for one in asked
            if (row := _row(judged, decided, protocol.name, model, one)) is not None
        ]
        for row, p in zip(mine, holm([row["p_mcnemar"] for row in mine]), strict=True):
            row["p_mcnemar_holm"] = p
        rows += mine
    return rows


def _row(
    judged: Judged, decided: pd.DataFrame, protocol: str, model: str, one: Deformation
) -> dict[str, Any] | None:
    folds = [
        {**fold, **fold["deformed"][one.name]}
        for fold in judged.folds
        if (fold["protocol"], fold["model"]) == (protocol, model)
        and one.name in fold.get("deformed", {})
    ]
    answers = predictions(replace(judged, folds=[fold for fold in folds if fold["track_ids"]]))
    if not len(answers):
        return None
    clean = decided[(decided["protocol"] == protocol) & (decided["model"] == model)]
    both = answers[KEYS].merge(clean[KEYS])
    answers, clean = (rows.merge(both, on=KEYS).sort_values(KEYS) for rows in (answers, clean))
    pair = compare_pair(answers, clean, judged)
    if pair is None:
        return None
    right = answers["genre"].to_numpy() == answers["predicted"].to_numpy()
    n = pair["n"]
    return {
        "protocol": protocol,
        "model": model,
        "deformation": one.name,
        "kind": one.kind,
        "strength": one.strength,
        "n": n,
        "accuracy": float(right.mean()),
        "ci95": list(wilson_interval(round(float(right.mean()) * n), n)),
        "clean": float((clean["genre"] == clean["predicted"]).mean()),
        "difference": pair["difference"],
        "difference_ci95": pair["ci95"],
        "p_mcnemar": pair["p_mcnemar"],
        "changed": float((answers["predicted"].to_numpy() != clean["predicted"].to_numpy()).mean()),
        "skipped": {track: why for fold in folds for track, why in fold["skipped"].items()},
    }
