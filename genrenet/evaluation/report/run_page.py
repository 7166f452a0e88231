"""The HTML page of a run: the ranking of methods with their differences, by protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genrenet.evaluation.metrics import song_metrics
from genrenet.evaluation.protocols.curves import curve_table, heading
from genrenet.evaluation.report.html import drawings, p_value, page, percent, percents
from genrenet.evaluation.report.label_section import label_lines
from genrenet.evaluation.report.ranking import chosen_settings, number, ranked, verdict
from genrenet.evaluation.report.robustness_section import robustness_rows, robustness_skipped
from genrenet.evaluation.report.song_cells import SongCells

MISTAKES = 15  # rows of this table on the page

COLUMNS: dict[str, tuple[str, Callable[[Mapping[str, Any]], object]]] = {
    "Model": ("w", lambda row: row["name"]),
    "Song accuracy": ("n", lambda row: percent(row["accuracy"])),
    "95 % interval": ("n", lambda row: percents(row["ci95"])),
    "by artist": ("n", lambda row: percents(row["ci95_artists"])),
    "n": ("n", lambda row: row["n"]),
    "Frame accuracy": (
        "n",
        lambda row: "" if row["frame_accuracy"] is None else percent(row["frame_accuracy"]),
    ),
}
TIMES: dict[str, tuple[str, Callable[[Mapping[str, Any]], object]]] = {
    "Prepare, s": ("n", lambda row: number(row.get("prepare_seconds"), 1)),
    "Fit, s": ("n", lambda row: f"{row['fit_seconds']:.1f}"),
    "Predict, s": ("n", lambda row: f"{row['predict_seconds']:.1f}"),
}
"""Heading, CSS class and text of the columns of the table of models, before and after those of the
metrics; empty columns are not shown.
"""


def render(
    results: Mapping[str, Any], predictions: pd.DataFrame, svg: Mapping[str, str], folder: Path
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    results : mapping
        `genrenet.evaluation.results.summarise`; and, if there are any, published figures for
        comparison as ``reference``: a list with ``name``, ``accuracy`` and ``source``.
    predictions : DataFrame
        `genrenet.evaluation.results.predictions`.
    svg : mapping of str to str
        Drawings by name: ``accuracies <protocol>``, and ``reliability`` and ``training`` with
        ``<protocol> <model>``.
    folder : Path
        Folder of the page.
    """
    songs = SongCells(folder, predictions["path"] if len(predictions) else [])
    whole = [protocol for protocol in results["protocols"] if not protocol.get("part_of")]
    protocols = [protocol_values(results, protocol, songs) for protocol in whole]
    published = [
        (item.get("name", ""), percent(float(item["accuracy"])), item.get("source", ""))
        for item in results.get("reference") or []
    ]
    return page(
        "run.html",
        title=f"Which method is better? {results['dataset']}",
        results=results,
        protocols=protocols,
        curves=[_curve(results, curve) for curve in results.get("curves", [])],
        models=[_model(row, predictions, songs) for one in protocols for row in one["good"]],
        drawings=drawings(svg),
        published=published,
        skipped=[(songs.name(item["path"]), item["reason"]) for item in results["skipped"]],
        root=songs.root,
    )


def protocol_values(
    results: Mapping[str, Any], protocol: Mapping[str, Any], songs: SongCells | None = None
) -> dict[str, Any]:
    """Return the values for a protocol's section besides its entry in the results: ``good`` (rows
    of models, the best first), ``majority``, ``columns`` and ``table`` of the models, ``pairs``,
    ``labels`` and ``failed``.
    """
    rows = ranked(results, protocol["name"])
    good = [row for row in rows if row["accuracy"] is not None]
    columns = {
        **COLUMNS,
        **{metric.title: ("n", _figure(name)) for name, metric in song_metrics().items()},
        **TIMES,
    }
    shown = {head: column for head, column in columns.items() if any(map(column[1], good))}
    support = [entry["support"] for entry in good[0]["per_class"]] if good else [0]
    return {
        **protocol,
        "good": good,
        "majority": max(support) / max(1, sum(support)),
        "columns": {head: kind for head, (kind, _) in shown.items()},
        "table": [[cell(row) for _, cell in shown.values()] for row in good],
        "pairs": _pairs(results, protocol["name"]),
        "labels": _labels(results, protocol["name"], songs or SongCells("", [])),
        "deformed": robustness_rows(results, protocol["name"]),
        "undeformed": robustness_skipped(results, protocol["name"]),
        "failed": [
            (row["name"], row["error"] or "no songs") for row in rows if row["accuracy"] is None
        ],
    }


def _curve(results: Mapping[str, Any], curve: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for the section of a learning curve."""
    heads, rows = curve_table(curve)
    names = dict.fromkeys(point["protocol"] for point in curve["points"])
    about = {protocol["name"]: protocol for protocol in results["protocols"]}
    failed = [p for p in curve["points"] if p["accuracy"] is None]
    return {
        "heading": heading(curve),
        "columns": dict.fromkeys(heads, "n") | {heads[0]: "w"},
        "rows": rows,
        "meaning": about[next(iter(names))]["meaning"],
        "failed": [(p["protocol"], p["model"], p["error"] or "no songs") for p in failed],
        "leakage": [about[n]["leakage"] for n in names if "@" in n and about[n]["leakage"]],
    }


def _labels(results: Mapping[str, Any], protocol: str, songs: SongCells) -> dict[str, Any] | None:
    """Return the values for the section on labels; None for a run of an earlier version."""
    for check in results.get("label_check", []):
        if check["protocol"] == protocol:
            rows = [
                (
                    songs.player(one["path"]),
                    *(one["genre"], one["suggested"], f"{one['methods']} of {one['of']}"),
                )
                for one in check["suspects"][:MISTAKES]
            ]
            total = len(check["suspects"])
            return {"lines": label_lines(check), "rows": rows, "total": total}
    return None


def _figure(metric: str) -> Callable[[Mapping[str, Any]], object]:
    return lambda row: number(row.get(metric))


def _pairs(results: Mapping[str, Any], protocol: str) -> list[Sequence[object]]:
    """Return the cells of the table of pairs: the more accurate one first, the least p on top."""
    turned = []
    for pair in results["comparisons"]:
        if pair["protocol"] != protocol:
            continue
        low, high = pair["ci95"]
        if pair["difference"] >= 0:
            names, ends = (pair["first"], pair["second"]), (pair["difference"], low, high)
        else:
            names, ends = (pair["second"], pair["first"]), (-pair["difference"], -high, -low)
        p_values = (pair["p_permutation_holm"], pair["p_mcnemar_holm"])
        turned.append((*names, *ends, pair["groups"], *p_values))
    turned.sort(key=lambda row: (row[6], -row[2]))
    return [
        (
            better,
            worse,
            f"{100 * by:.1f}",
            f"{100 * low:.1f} to {100 * high:.1f}",
            p_value(swapped),
            p_value(exact),
            verdict(groups, swapped),
        )
        for better, worse, by, low, high, groups, swapped, exact in turned
    ]


def _model(row: Mapping[str, Any], predictions: pd.DataFrame, songs: SongCells) -> dict[str, Any]:
    """Return the values for one model besides its row: settings and most confident errors."""
    name, protocol = row["name"], row["protocol"]
    mine = predictions[(predictions["model"] == name) & (predictions["protocol"] == protocol)]
    wrong = mine[mine["genre"] != mine["predicted"]]
    wrong = wrong.sort_values("confidence", ascending=False, kind="stable")
    shown = wrong.drop_duplicates("track_id").head(MISTAKES)
    return {
        **row,
        "truncated": row.get("truncated"),
        "about": {"features": None, "config": None, **row["about"]},
        "chosen": chosen_settings(row),
        "mistakes": [
            (songs.player(song.path), song.genre, song.predicted, percent(song.confidence))
            for song in shown.itertuples(index=False)
        ],
        "wrong": int(wrong["track_id"].nunique()),
    }
