"""The files of an evaluation of recommenders: tables, figures, and an HTML page.

``results.json``
    All results, from `genrenet.recommend.results.summarise`.
``results.md``
    The models as a Markdown table.
``figures/``
    Recall, NDCG, coverage and novelty as PNG.
``report.html``
    All of it on one page without external resources.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from genrenet.evaluation.report.html import drawings, p_value, page, writing
from genrenet.evaluation.report.ranking import number, span
from genrenet.recommend.evaluation import KS
from genrenet.recommend.results import LARGEST, MAIN
from genrenet.utils import figures
from genrenet.utils.atomic import write_text

_AT_K = [f"{metric} @{k}" for k in KS for metric in ("Precision", "Recall", "NDCG")]


def good_rows(results: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rows of the evaluated models, the best first."""
    return [row for row in results["models"] if not row["error"]]


def markdown(results: Mapping[str, Any]) -> str:
    """Return the models as a Markdown table, with the meaning of the figures.

    Parameters
    ----------
    results : mapping
        `genrenet.recommend.results.summarise`.
    """
    heads = ["model", *(f"{metric}@{k}" for k in KS for metric in ("precision", "recall", "ndcg"))]
    heads += [f"{MAIN}, 95 % interval", "times popularity, 95 % interval"]
    heads += [f"coverage@{LARGEST}", f"novelty@{LARGEST}, bits", "fit s", "score s"]
    lines = [
        f"# {results['history']}",
        "",
        _about(results),
        "",
        f"| {' | '.join(heads)} |",
        f"|{' --- |' * len(heads)}",
    ]
    lines += [f"| {' | '.join(_cells(row))} |" for row in good_rows(results)]
    for row in results["models"]:
        if row["error"]:
            why = " ".join(str(row["error"]).replace("|", " ").split())
            lines.append(f"| {row['name']} | failed: {why} |")
    lines += ["", *(f"- {name}: {text}" for name, text in results["meanings"].items()), ""]
    return "\n".join(lines)


def _cells(row: Mapping[str, Any]) -> list[str]:
    figures_ = row["figures"]
    cells = [str(row["name"]).replace("|", "\\|")]
    for k in KS:
        cells += [number(figures_[f"{m}@{k}"]["mean"]) for m in ("precision", "recall", "ndcg")]
    cells.append(span(figures_[MAIN]["ci95"], 3))
    ratio = row["ratio"]
    cells.append("" if ratio is None else f"{ratio['mean']:.2f} ({span(ratio['ci95'])})")
    cells.append(_with(figures_[f"coverage@{LARGEST}"], 3))
    cells.append(_with(figures_[f"novelty@{LARGEST}"], 2))
    return [*cells, f"{row['fit_seconds']:.1f}", f"{row['score_seconds']:.1f}"]


def _about(results: Mapping[str, Any]) -> str:
    alone = results["undivided"]
    text = (
        f"{results['users']} users, {results['items']} items, {results['entries']} pairs; "
        f"{100 * results['holdout']:g} % of each user's items held out, "
        f"{len(results['seeds'])} seed{'s' if len(results['seeds']) > 1 else ''}; "
        f"{results['judges']} users judge, with {results['held']:.0f} held-out items, "
        f"{100 * results['reachable']:.1f} % of which anybody has in training"
    )
    return f"{text}; {alone} users have one item, which stays in training" if alone else text


def _with(figure: Mapping[str, Any], digits: int) -> str:
    if figure["mean"] is None:
        return ""
    return f"{figure['mean']:.{digits}f} ({span(figure['ci95'], digits)})"


def write_report(folder: Path, results: Mapping[str, Any]) -> Path:
    """Write all results of an evaluation; those of an earlier one are replaced.

    Returns
    -------
    Path
        Path of the page.

    Raises
    ------
    ReportError
        The folder cannot be written.
    """
    drawn = _drawings(results)
    shown = _page(results, {name: figures.to_svg(figure) for name, figure in drawn.items()})
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        pictures = folder / "figures"
        shutil.rmtree(pictures, ignore_errors=True)
        pictures.mkdir()
        for name, figure in drawn.items():
            (pictures / f"{name}.png").write_bytes(figures.to_png(figure))
        write_text(folder / "results.json", text, errors="backslashreplace")
        write_text(folder / "results.md", markdown(results), errors="backslashreplace")
        write_text(folder / "report.html", shown, errors="backslashreplace")
    return folder / "report.html"


def _drawings(results: Mapping[str, Any]) -> dict[str, Figure]:
    rows = good_rows(results)
    drawn = {}
    for metric, label in (
        (MAIN, f"recall at {LARGEST}, with 95 % interval"),
        (f"ndcg@{LARGEST}", f"NDCG at {LARGEST}, with 95 % interval"),
        (f"coverage@{LARGEST}", f"coverage at {LARGEST}, with 95 % interval"),
        (f"novelty@{LARGEST}", f"novelty at {LARGEST} in bits, with 95 % interval"),
    ):
        some = [row for row in rows if row["figures"][metric]["mean"] is not None]
        if some:
            values = [row["figures"][metric]["mean"] for row in some]
            ends = [row["figures"][metric]["ci95"] for row in some]
            drawn[metric.replace("@", "-")] = figures.intervals(
                [row["name"] for row in some], values, ends, label
            )
    return drawn


def _page(results: Mapping[str, Any], svg: Mapping[str, str]) -> str:
    rows = good_rows(results)
    cells, split = [_cells(row) for row in rows], 1 + len(_AT_K)
    hits = {"Model": "w", **dict.fromkeys(_AT_K, "n")}
    rest = {"Model": "w", f"{MAIN.capitalize()}, interval": "n", "Times popularity": "n"}
    rest |= {"Coverage": "n", "Novelty, bits": "n", "Fit, s": "n", "Score, s": "n"}
    compared = [
        (
            pair["first"],
            pair["second"],
            number(pair["difference"]),
            span(pair["ci95"], 3),
            p_value(pair["p_holm"]),
            "better" if pair["p_holm"] < 0.05 else "may be chance",
        )
        for pair in results["comparisons"]
    ]
    return page(
        "recommenders.html",
        __package__,
        title=f"Which recommender is better? {results['history']}",
        results=results,
        about=_about(results),
        rows=rows,
        main=MAIN,
        largest=LARGEST,
        tables=[
            (hits, [row[:split] for row in cells]),
            (rest, [[row[0], *row[split:]] for row in cells]),
        ],
        drawings=drawings(svg),
        compared=compared,
        failed=[(row["name"], row["error"]) for row in results["models"] if row["error"]],
        settings=[
            (row["name"], ", ".join(f"{key} {value}" for key, value in row["settings"].items()))
            for row in rows
        ],
    )
