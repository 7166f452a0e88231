"""What an evaluation of recommenders leaves behind: a table, figures, and a page for people.

``results.json``
    Everything, as `genrenet.recommend.results.summarise` gives it.
``results.md``
    The models as a Markdown table.
``figures/``
    Recall, NDCG, coverage and novelty as PNG.
``report.html``
    All of it on one page that needs nothing from outside.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from genrenet.evaluation.report.html import cards, document, escaped, listing, section, writing
from genrenet.recommend.evaluation import KS
from genrenet.recommend.figures import intervals
from genrenet.recommend.results import LARGEST, MAIN
from genrenet.utils import figures
from genrenet.utils.atomic import write_text

PAIRS = 10  # comparisons that the page shows at once


def good_rows(results: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Rows of the models that could be judged, the best first."""
    return [row for row in results["models"] if not row["error"]]


def markdown(results: Mapping[str, Any]) -> str:
    """The models as a Markdown table, with what the figures mean.

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
        cells += [_number(figures_[f"{m}@{k}"]["mean"]) for m in ("precision", "recall", "ndcg")]
    cells.append(_span(figures_[MAIN]["ci95"]))
    ratio = row["ratio"]
    cells.append("" if ratio is None else f"{ratio['mean']:.2f} ({_span(ratio['ci95'], 2)})")
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


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _span(interval: Sequence[float] | None, digits: int = 3) -> str:
    return "" if interval is None else " to ".join(f"{end:.{digits}f}" for end in interval)


def _with(figure: Mapping[str, Any], digits: int) -> str:
    if figure["mean"] is None:
        return ""
    return f"{figure['mean']:.{digits}f} ({_span(figure['ci95'], digits)})"


def write_report(folder: Path, results: Mapping[str, Any]) -> Path:
    """Write all that an evaluation found; what an earlier one wrote there is replaced.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ReportError
        The folder cannot be written.
    """
    drawn = _drawings(results)
    page = _page(results, {name: figures.to_svg(figure) for name, figure in drawn.items()})
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
        write_text(folder / "report.html", page, errors="backslashreplace")
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
            drawn[metric.replace("@", "-")] = intervals(
                [row["name"] for row in some], values, ends, label
            )
    return drawn


def _page(results: Mapping[str, Any], svg: Mapping[str, str]) -> str:
    rows = good_rows(results)
    body = []
    if rows:
        best = rows[0]
        top = [
            f"Best: {escaped(best['name'])}<b>{best['figures'][MAIN]['mean']:.3f}</b>"
            f"<small>{MAIN}, 95 % interval {_span(best['figures'][MAIN]['ci95'])}</small>"
        ]
        if best["ratio"] is not None:
            top.append(
                f"Against popularity<b>{best['ratio']['mean']:.2f} times</b><small>its {MAIN}, "
                f"95 % interval {_span(best['ratio']['ci95'], 2)}</small>"
            )
        body.append(cards(top))
    heads = {
        "Model": "w",
        **{f"{m} @{k}": "n" for k in KS for m in ("Precision", "Recall", "NDCG")},
    }
    heads |= {"Interval": "n", "Times popularity": "n", "Coverage": "n", "Novelty, bits": "n"}
    heads |= {"Fit, s": "n", "Score, s": "n"}
    body.append(section("Recommenders", listing(heads, map(_cells, rows)) + _notes(results)))
    body += [f'<div class="wide">{drawing}</div>' for drawing in svg.values()]
    body.append(_pairs(results["comparisons"]))
    failed = [(row["name"], row["error"]) for row in results["models"] if row["error"]]
    body.append(section("Failed", listing({"Model": "w", "Why": "long"}, failed)))
    settings = [
        (row["name"], ", ".join(f"{key} {value}" for key, value in row["settings"].items()))
        for row in rows
    ]
    body.append(section("Settings", listing({"Model": "w", "Settings": "long"}, settings)))
    under = (
        f"<p>{escaped(_about(results))} <small>{escaped(results['created'])}, genrenet "
        f"{escaped(results['genrenet'])}</small></p>"
    )
    return document(f"Which recommender is better? {results['history']}", under, "\n".join(body))


def _notes(results: Mapping[str, Any]) -> str:
    meanings = "; ".join(f"{name}: {text}" for name, text in results["meanings"].items())
    return (
        f'<p class="note">{escaped(meanings)}. Coverage and novelty are those of the first '
        f"{LARGEST}. Intervals draw users again and again (bootstrap); that of the coverage leaves "
        "users out one by one (jackknife).</p>"
    )


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> str:
    head = {"Better": "w", "than": "w", "by": "n", "95 % interval": "n", "p": "n", "verdict": "w"}
    cells = [
        (
            pair["first"],
            pair["second"],
            f"{pair['difference']:.3f}",
            _span(pair["ci95"]),
            "< 0.001" if pair["p_holm"] < 0.001 else f"{pair['p_holm']:.3f}",
            "better" if pair["p_holm"] < 0.05 else "may be chance",
        )
        for pair in pairs
    ]
    body = listing(head, cells[:PAIRS])
    if len(cells) > PAIRS:
        rest = listing(head, cells[PAIRS:])
        body += f"<details><summary>and {len(cells) - PAIRS} more pairs</summary>{rest}</details>"
    note = (
        f'<p class="note">Differences of {MAIN} on the same users; p by the permutation test that '
        "swaps two models on whole users, adjusted for the number of pairs (Holm).</p>"
    )
    return section("Is it really better?", body + note if body else "")
