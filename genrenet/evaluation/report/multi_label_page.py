"""The report of a run on songs with several genres: tables, figures and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from genrenet.evaluation.report.html import drawings, p_value, page, writing
from genrenet.evaluation.report.ranking import chosen_settings, number, span, verdict
from genrenet.evaluation.report.run_files import (
    model_intervals,
    training_figures,
    write_board,
    write_files,
)
from genrenet.utils import figures

HEADS = {
    "Model": "w",
    "mAP": "n",
    "95 % interval": "n",
    "by artist": "n",
    "ROC-AUC": "n",
    "AUC interval": "n",
    "F1, macro": "n",
    "F1, micro": "n",
    "Precision": "n",
    "Recall": "n",
    "n": "n",
    "left out": "n",
    "Fit, s": "n",
}
"""Headings of the table of models, and the CSS classes of their cells."""
OF_LABELS = {
    **{"Genre": "w", "Songs": "n", "Folds": "n", "Average precision": "n", "95 % interval": "n"},
    **{"ROC-AUC": "n", "interval": "n", "Threshold": "n", "Precision": "n", "Recall": "n"},
    "F1": "n",
}


def ranked(results: Mapping[str, Any], protocol: str) -> list[dict[str, Any]]:
    """Return the rows of a protocol by descending mAP, failed models last."""
    rows = [row for row in results["models"] if row["protocol"] == protocol]
    return sorted(rows, key=lambda row: -1.0 if row["map"] is None else row["map"], reverse=True)


def cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a model in the table of models; see `HEADS`."""
    wide = row["roc_auc_ci95_artists"] or row["roc_auc_ci95"]
    return [
        str(row["name"]),
        number(row["map"]),
        span(row["map_ci95"]),
        span(row["map_ci95_artists"]),
        number(row["roc_auc"]),
        span(wide),
        *(number(row[name]) for name in ("f1_macro", "f1_micro")),
        *(number(row[name]) for name in ("precision_macro", "recall_macro")),
        str(row["n"]),
        f"{row['left_out']} of {row['pairs']}",
        number(row["fit_seconds"], 1),
    ]


def markdown(results: Mapping[str, Any]) -> str:
    """Return the models of a run as a Markdown table, one for each protocol."""
    lines = [f"# {results['dataset']}", ""]
    lines += [line for note in results["notes"] for line in (note, "")]
    for protocol in results["protocols"]:
        seeds = ", ".join(map(str, results["seeds"]))
        lines += [f"## {protocol['name']} (seeds {seeds})", "", protocol["meaning"], ""]
        lines += [f"| {' | '.join(HEADS)} |", f"| {' | '.join(['---'] * len(HEADS))} |"]
        for row in ranked(results, protocol["name"]):
            if row["map"] is None:
                why = " ".join(str(row["error"] or "no genre to rank").replace("|", " ").split())
                lines.append(f"| {row['name']} | failed: {why} |")
            else:
                shown = [cell.replace("|", "\\|") for cell in cells(row)]
                lines.append(f"| {' | '.join(shown)} |")
        lines.append("")
    return "\n".join(lines)


def write_run(folder: Path, results: Mapping[str, Any], predictions: pd.DataFrame) -> Path:
    """Write all results of a run; see `genrenet.evaluation.report.run_files.write_run`.

    Parameters
    ----------
    folder : Path
    results : mapping
        From `genrenet.evaluation.multi_label_results.summarise`.
    predictions : DataFrame

    Returns
    -------
    Path
        Path of the page.

    Raises
    ------
    ReportError
        The folder cannot be written.
    """
    drawn = dict(_drawings(results))
    shown = render(results, {name: figures.to_svg(figure) for name, figure in drawn.items()})
    with writing(folder):
        write_files(folder, results, markdown(results), predictions, drawn, shown)
        write_board(folder / "tensorboard", results, markdown(results), drawn)
    return folder / "report.html"


def _drawings(results: Mapping[str, Any]) -> Iterator[tuple[str, Figure]]:
    for protocol in results["protocols"]:
        name = protocol["name"]
        rows = [row for row in ranked(results, name) if row["map"] is not None]
        if rows:
            what = "mean average precision"
            drawn = model_intervals(rows, value="map", ends="map_ci95", what=what, title=name)
            yield f"map {name}", drawn
        yield from training_figures(rows)


def label_rows(row: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the cells of the table of genres; see `OF_LABELS`."""
    return [
        (
            entry["label"],
            str(entry["support"]),
            str(entry["parts"]),
            number(entry["average_precision"]) or "none",
            span(entry["average_precision_ci95"]),
            number(entry["roc_auc"]) or "none",
            span(entry["roc_auc_ci95"]),
            *(number(entry[name]) for name in ("threshold", "precision", "recall", "f1")),
        )
        for entry in row["per_label"]
    ]


def render(results: Mapping[str, Any], svg: Mapping[str, str]) -> str:
    """Return the page of a run.

    Parameters
    ----------
    results : mapping
        `genrenet.evaluation.multi_label_results.summarise`.
    svg : mapping of str to str
        Drawings by name: ``map <protocol>`` and ``training <protocol> <model>``.
    """
    protocols = []
    for protocol in results["protocols"]:
        rows = ranked(results, protocol["name"])
        good = [row for row in rows if row["map"] is not None]
        shown = [cells(row) for row in good]
        used = [any(row[at] for row in shown) for at in range(len(HEADS))]
        heads = {head: kind for (head, kind), use in zip(HEADS.items(), used, strict=True) if use}
        protocols.append(
            {
                **protocol,
                "good": good,
                "columns": heads,
                "table": [[c for c, use in zip(row, used, strict=True) if use] for row in shown],
                "pairs": _pairs(results, protocol["name"]),
                "failed": [
                    (row["name"], row["error"] or "no genre to rank")
                    for row in rows
                    if row["map"] is None
                ],
            }
        )
    return page(
        "multi_label.html",
        title=f"Which method is better? {results['dataset']}",
        results=results,
        protocols=protocols,
        models=[
            {
                **row,
                "about": {"features": None, "config": None, **row["about"]},
                "labels": label_rows(row),
                "chosen": chosen_settings(row),
            }
            for one in protocols
            for row in one["good"]
        ],
        of_labels=OF_LABELS,
        drawings=drawings(svg),
        skipped=[(item["path"], item["reason"]) for item in results["skipped"]],
    )


def _pairs(results: Mapping[str, Any], protocol: str) -> list[tuple[str, ...]]:
    """Return the cells of the table of pairs: the better model first, the smallest p on top."""
    found = []
    for pair in results["comparisons"]:
        if pair["protocol"] != protocol:
            continue
        names, one = (pair["first"], pair["second"]), pair["map"]
        by, (low, high) = one["difference"], one["ci95"]
        if by < 0:
            names, by, low, high = names[::-1], -by, -high, -low
        shown = (
            *(f"{by:.3f}", f"{low:.3f} to {high:.3f}"),
            *(p_value(one["p_holm"]), p_value(pair["roc_auc"]["p_holm"])),
            verdict(pair["groups"], one["p_holm"]),
        )
        found.append((one["p_holm"], -by, (*names, *shown)))
    return [row for *_, row in sorted(found)]
