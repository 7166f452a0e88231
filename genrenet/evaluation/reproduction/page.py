"""The HTML page: the source report's tables, matrices and curves next to genrenet's results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from genrenet.evaluation.metrics import wilson_interval
from genrenet.evaluation.report.html import drawings, page, percent
from genrenet.evaluation.report.run_files import model_intervals
from genrenet.evaluation.report.run_page import protocol_values
from genrenet.evaluation.reproduction.curves import learning_curves
from genrenet.evaluation.reproduction.plan import Reproduction
from genrenet.evaluation.reproduction.published import (
    GENRES,
    SOURCE,
    PublishedTable,
    published_tables,
)
from genrenet.evaluation.reproduction.tuning import OPTIMISERS, STAGES, overfitting_start
from genrenet.training.configs import experiment
from genrenet.utils import figures
from genrenet.version import __version__

NAMES = {"cnn": "CNN", "crnn": "CRNN"}


def plain_name(model: str) -> str:
    """Return a model's name as used on the page.

    Examples
    --------
    >>> plain_name("config:short/crnn"), plain_name("transfer:msd-cnn"), plain_name("svm-dag")
    ('CRNN', 'head on msd-cnn', 'svm-dag')
    """
    bare = model.removeprefix("config:short/")
    return NAMES.get(bare, bare.replace("transfer:", "head on "))


def render(found: Reproduction) -> str:
    """Return the page as HTML."""
    tables = [_table(table, found) for table in published_tables()]
    networks = found.evaluations.get("networks")
    named = None if networks is None else _renamed(networks)
    svg, protocols = {}, []
    if named is not None:
        protocols = [protocol_values(named, protocol) for protocol in named["protocols"]]
        for protocol in protocols:
            rows = protocol["good"]
            if rows:
                svg[protocol["name"]] = figures.to_svg(model_intervals(rows))
    curves = _curves(found.tuned)
    svg |= {name: figures.to_svg(learning_curves(rows)) for name, rows in curves.items()}
    frames = [
        _frames(row, protocol["name"])
        for protocol in protocols[:1]
        for row in protocol["good"]
        if row["confusion_frames"] is not None
    ]
    return page(
        "reproduction.html",
        __package__,
        title="Music genre classification: the source report, reproduced",
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        version=__version__,
        source=SOURCE,
        found=found,
        genres=list(GENRES),
        tables=tables,
        glance=[_glance(table) for table in tables],
        networks=named,
        protocols=protocols,
        frames=frames,
        drawings=drawings(svg),
        curves=list(curves),
        tuning=[_tuning(row) for row in found.tuned],
        tuned=found.tuned[0] if found.tuned else None,
        published=[
            (item["name"], percent(item["accuracy"]), item["source"])
            for item in experiment("frames-or-songs").get("reference", [])
        ],
        runs=list(found.evaluations),
    )


def _renamed(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return results with the models' names as used on the page."""
    models = [{**row, "name": plain_name(row["name"])} for row in results["models"]]
    pairs = [
        {**pair, **{side: plain_name(pair[side]) for side in ("first", "second")}}
        for pair in results["comparisons"]
    ]
    return {**results, "models": models, "comparisons": pairs}


def _table(table: PublishedTable, found: Reproduction) -> dict[str, Any]:
    """Return a published table and the measured counterpart; ``ours`` is None if there is none."""
    ours, model = None, found.plan.methods[table.method]
    for name in ("vectors", "gaussians"):
        results = found.evaluations.get(name, {"models": [], "seeds": []})
        for row in results["models"]:
            if row["name"] == model and row["accuracy"] is not None:
                ours = {**row, "run": name, "seeds": results["seeds"]}
    return {"published": table, "model": model, "ours": ours}


def _glance(table: Mapping[str, Any]) -> tuple[object, ...]:
    published, ours = table["published"], table["ours"]
    theirs = (percent(published.accuracy), _ends(published.ci95), published.n)
    measured: tuple[object, ...] = ("not run", "", "", "")
    if ours is not None:
        measured = (percent(ours["accuracy"]), _ends(ours["ci95"]), ours["n"], len(ours["seeds"]))
    return (published.name, *theirs, *measured)


def _ends(interval: Sequence[float]) -> str:
    return " to ".join(f"{100 * end:.1f}" for end in interval)


def _frames(row: Mapping[str, Any], protocol: str) -> dict[str, Any]:
    """Return both matrices of a network, and whether its songs had more than one frame."""
    matrix = row["confusion_frames"]
    right, n = sum(matrix[at][at] for at in range(len(matrix))), row["n_frames"]
    decisions = sum(map(sum, row["confusion_songs"]))
    return {
        **row,
        "frames_ci95": wilson_interval(right, n),
        "several": n > decisions,
        "frames_a_song": n / max(1, decisions),
        "protocol": protocol,
    }


def _curves(tuned: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of every figure, by its title."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in tuned:
        title = f"{NAMES.get(row['network'], row['network'])}: {STAGES[row['stages']]}"
        found.setdefault(title, []).append(row)
    return found


def _tuning(row: Mapping[str, Any]) -> tuple[object, ...]:
    start, history = overfitting_start(row["history"]), row["history"]
    best = history[row["best_epoch"] - 1]
    return (
        NAMES.get(row["network"], row["network"]),
        STAGES[row["stages"]],
        OPTIMISERS[row["optimiser"]],
        percent(row["song_accuracy"]),
        _ends(row["song_ci95"]),
        row["n_songs"],
        f"{row['best_epoch']} of {len(history)}",
        start or "not yet",
        percent(best["train/frame_accuracy"]),
        percent(best["val/frame_accuracy"]),
        f"{row['seconds']:.0f}",
    )
