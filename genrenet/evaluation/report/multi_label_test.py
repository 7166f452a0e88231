"""The test report of a network for songs with several genres.

The counterpart of `genrenet.evaluation.report.test_report`: ``results.json``, ``predictions.csv``
(a row per file) and ``report.html``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrenet.data.catalog import artists_known
from genrenet.data.splits import artist_groups, song_names
from genrenet.evaluation.multi_label import Part, evaluate
from genrenet.evaluation.multi_label_results import predictions_table
from genrenet.evaluation.report.html import page, writing
from genrenet.evaluation.report.multi_label_page import OF_LABELS, label_rows
from genrenet.models.thresholds import USUAL
from genrenet.utils.atomic import write_text


def judged(
    table: pd.DataFrame,
    scores: NDArray[np.float64],
    target: NDArray[np.int64],
    frames: NDArray[np.int64],
    labels: Sequence[str],
    thresholds: Mapping[str, float],
) -> Part:
    """Return a model's predictions for the songs that have frames.

    Parameters
    ----------
    table : DataFrame
        The songs.
    scores, target : ndarray, shape (songs, labels)
    frames : ndarray of int, shape (songs,)
        Songs without frames have no prediction.
    labels : sequence of str
    thresholds : mapping of str to float
        Of the checkpoint; `USUAL` where it has none.

    Raises
    ------
    MetricError
        No song has a prediction.
    """
    known = frames > 0
    limits = np.array([thresholds.get(label, USUAL) for label in labels])
    songs = np.array(song_names(table), dtype=object)[known]
    return Part(list(songs), target[known] > 0, scores[known], limits)


def results(part: Part, table: pd.DataFrame, labels: Sequence[str]) -> dict[str, Any]:
    """Return the results of `genrenet.evaluation.multi_label.evaluate`, ``labels`` and
    ``thresholds``.
    """
    groups = None
    if artists_known(table):
        names = song_names(table)
        groups = dict(zip(names, artist_groups(table["artist"], names), strict=True))
    return {
        "multi_label": True,
        "labels": list(labels),
        "thresholds": dict(zip(labels, part.thresholds.tolist(), strict=True)),
        **evaluate([part], labels, groups),
    }


def predictions(
    files: pd.DataFrame,
    scores: NDArray[np.float64],
    frames: NDArray[np.int64],
    labels: Sequence[str],
    thresholds: NDArray[np.float64],
) -> pd.DataFrame:
    """Return one row per file with a prediction; see
    `genrenet.evaluation.multi_label_results.predictions_table`.
    """
    known = frames > 0
    rows = files[known]
    target = np.zeros((len(rows), len(labels)), bool)
    part = Part(list(rows["track_id"]), target, scores[known], thresholds)
    return predictions_table(rows, part, list(labels))


def summary(found: Mapping[str, Any]) -> str:
    """Return the summary of a test in one line."""
    if found["map"] is None:
        return f"no genre to rank in the test songs (n = {found['n']}); split: {found['split']}"
    low, high = found["map_ci95_artists"] or found["map_ci95"]
    return (
        f"mAP {found['map']:.3f} (95 % interval {low:.3f} to {high:.3f}, n = {found['n']}), "
        f"ROC-AUC {found['roc_auc']:.3f}, F1 macro {found['f1_macro']:.3f}; "
        f"split: {found['split']}"
    )


def write_report(folder: Path, found: Mapping[str, Any]) -> Path:
    """Write results and the page; return the path of the page.

    Raises
    ------
    ReportError
        The folder cannot be written.
    """
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    shown = page(
        "multi_label_test.html",
        title=f"{found.get('method') or 'Genre test'} on {found.get('dataset') or 'songs'}",
        results=found,
        summary=summary(found),
        of_labels=OF_LABELS,
        labels=label_rows(found),
        reasons={
            heading: [(item["path"], item["reason"]) for item in found.get(key, [])]
            for heading, key in (
                ("Songs that were skipped", "skipped"),
                ("Songs that were used as far as they can be read", "truncated"),
            )
        },
    )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "results.json", text, errors="backslashreplace")
        write_text(folder / "report.html", shown, errors="backslashreplace")
    return folder / "report.html"
