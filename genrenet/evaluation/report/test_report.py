"""The report of a test: results as JSON, a table of songs, figures, and an HTML page.

`write_report` writes into one folder:

``results.json``
    Every number of the page.
``predictions.csv``
    One row per song, from `predictions_table`.
``confusion_songs.png``, ``confusion_frames.png``
    The confusion matrices, for slides and papers.
``report.html``
    All of it on one page without external resources, in light and dark mode.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from genrenet.evaluation.metrics import song_metrics
from genrenet.evaluation.report.html import ReportError, page, percent, writing
from genrenet.evaluation.report.song_cells import SongCells
from genrenet.inference.result import score_columns
from genrenet.utils import figures
from genrenet.utils.atomic import replacing, write_text
from genrenet.utils.errors import printable

__all__ = ["ReportError", "predictions_table", "render", "write_predictions", "write_report"]

MISTAKES = 25  # rows of this table on the page
OPTIONAL = ("split", "created", "confusion_songs", "confusion_frames")


def predictions_table(
    songs: pd.DataFrame,
    scores: ArrayLike,
    labels: Sequence[str],
    frames: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return one row per song with a prediction.

    Parameters
    ----------
    songs : DataFrame
        With columns ``path`` and ``genre``, one row per song.
    scores : array_like of float, shape (songs, labels)
    labels : sequence of str
    frames : array_like of int, shape (songs,), optional
        Number of frames of each song; songs with none are left out.

    Returns
    -------
    DataFrame
        ``path``, ``genre``, ``predicted``, ``confidence``, ``frames`` (if given) and a column
        for each label (see `genrenet.inference.result.score_columns`).
    """
    table = np.asarray(scores, dtype=np.float64)
    columns: dict[str, Any] = {"path": list(map(printable, songs["path"]))}
    columns |= {"genre": list(songs["genre"]), "predicted": [labels[i] for i in table.argmax(1)]}
    columns["confidence"] = table.max(axis=1)
    if frames is not None:
        columns["frames"] = np.asarray(frames)
    columns |= {name: table[:, i] for i, name in enumerate(score_columns(labels).values())}
    result = pd.DataFrame(columns)
    return result if frames is None else result[result["frames"] > 0].reset_index(drop=True)


def write_predictions(file: str | os.PathLike[str], predictions: pd.DataFrame) -> Path:
    """Write a `predictions_table` as CSV, scores with six digits."""
    file = Path(file)
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as part:
            predictions.to_csv(part, index=False, float_format="%.6g", encoding="utf-8")
    return file


def write_report(
    folder: str | os.PathLike[str], results: Mapping[str, Any], predictions: pd.DataFrame
) -> Path:
    """Write the report of a test, replacing that of an earlier test.

    Parameters
    ----------
    folder : path
        Created if missing.
    results : mapping
        The results of `genrenet.evaluation.metrics.evaluate`, and, if known, ``dataset``,
        ``split``, ``method``, ``parts`` (a dictionary with ``songs`` and ``frames`` for each part),
        ``skipped`` and ``truncated`` (lists of dictionaries with ``path`` and ``reason``),
        ``checkpoint``, ``created`` and ``description`` (settings, with any nesting).
    predictions : DataFrame
        From `predictions_table`.

    Returns
    -------
    Path
        Path of the page.

    Raises
    ------
    ReportError
        The folder cannot be written.
    """
    folder = Path(folder)
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    shown = render(results, predictions, folder)
    write_predictions(folder / "predictions.csv", predictions)
    with writing(folder):
        # JSON reads the escape of a lone surrogate, which is invalid in UTF-8, as the surrogate.
        write_text(folder / "results.json", text, errors="backslashreplace")
        write_text(folder / "report.html", shown)
        for unit in ("song", "frame"):
            if f"confusion_{unit}s" in results:
                title = f"{unit.capitalize()}s: {percent(results[f'{unit}_accuracy'])} right"
                matrix = results[f"confusion_{unit}s"]
                figure = figures.confusion_matrix(matrix, results["labels"], title)
                (folder / f"confusion_{unit}s.png").write_bytes(figures.to_png(figure))
    return folder / "report.html"


# --- the page -------------------------------------------------------------------------------------


def render(results: Mapping[str, Any], predictions: pd.DataFrame, folder: Path) -> str:
    """Return the HTML page of a report in a folder; see `write_report`."""
    songs = SongCells(folder, predictions["path"])
    wrong = predictions[predictions["genre"] != predictions["predicted"]]
    wrong = wrong.sort_values("confidence", ascending=False, kind="stable")
    mistakes = wrong.head(MISTAKES)[["path", "genre", "predicted", "confidence"]]
    reasons = {
        "Songs that were skipped": "skipped",
        "Songs that were used as far as they can be read": "truncated",
    }
    settings = {"checkpoint": results.get("checkpoint"), **results.get("description", {})}
    return page(
        "test.html",
        title=f"{results.get('method') or 'Genre test'} on {results.get('dataset') or 'songs'}",
        results={**dict.fromkeys(OPTIONAL), **results},
        labels=results["labels"],
        metrics=song_metrics(),
        mistakes=[
            (songs.player(path), genre, predicted, percent(confidence))
            for path, genre, predicted, confidence in mistakes.itertuples(index=False)
        ],
        wrong=len(wrong),
        parts=[
            (name, part.get("songs") or 0, part.get("frames") or "")
            for name, part in results.get("parts", {}).items()
        ],
        reasons={
            heading: [(songs.name(item["path"]), item["reason"]) for item in results.get(key, [])]
            for heading, key in reasons.items()
        },
        settings=list(_flat(settings).items()),
        root=songs.root,
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as "network settings n mels": value, without those shown elsewhere."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{name} ")
        elif value is not None and key not in ("labels", "format", "dataset", "split"):
            flat[name] = value
    return flat
