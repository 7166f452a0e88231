"""Rank the models of a run, and write them as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from genrenet.evaluation.metrics import song_metrics
from genrenet.evaluation.protocols.curves import curve_table, heading
from genrenet.evaluation.report.label_section import label_lines
from genrenet.evaluation.report.robustness_section import DEFORMED_COLUMNS, robustness_rows

FEWEST = 8
"""Minimum number of artists, or songs if these are unknown, for a verdict."""


def span(interval: Sequence[float] | None, digits: int = 2) -> str:
    """Return an interval as text; empty if there is none."""
    return "" if interval is None else " to ".join(number(end, digits) for end in interval)


def number(value: float | None, digits: int = 3) -> str:
    """Return a share, or seconds, as text; empty if there is none."""
    return "" if value is None else f"{value:.{digits}f}"


def chosen_settings(row: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the settings that a model chose, as texts, each with its number of folds."""
    texts = [
        ", ".join(f"{key} {value}" for key, value in setting.items() if key not in ("seed", "fold"))
        for setting in row["settings"]
    ]
    return list(pd.Series(texts, dtype=object).value_counts().items())


def verdict(groups: int, p: float) -> str:
    """Return the verdict of a comparison; empty if artists or songs are fewer than `FEWEST`."""
    if groups < FEWEST:
        return f"too few to tell ({groups})"
    return "better" if p < 0.05 else "may be chance"


def markdown(results: Mapping[str, Any]) -> str:
    """Return the models of a run as a Markdown table, one for each protocol.

    Parameters
    ----------
    results : mapping
        `genrenet.evaluation.results.summarise`.
    """
    lines = [f"# {results['dataset']}", ""]
    lines += [line for note in results.get("notes", []) for line in (note, "")]
    for curve in results.get("curves", []):
        heads, cells = curve_table(curve)
        lines += [f"## {heading(curve)}", "", *table_lines(heads, cells), ""]
    for protocol in results["protocols"]:
        if protocol.get("part_of"):
            continue
        seeds = ", ".join(map(str, results["seeds"]))
        lines += [f"## {protocol['name']} (seeds {seeds})", "", protocol["meaning"], ""]
        heads = [*("model", "song accuracy", "95 % interval", "by artist", "n", "frames")]
        heads += [*(metric.title for metric in song_metrics().values())]
        heads += [*("prepare s", "fit s", "predict s")]
        lines += [f"| {' | '.join(heads)} |", f"| {' | '.join(['---'] * len(heads))} |"]
        for row in ranked(results, protocol["name"]):
            name = str(row["name"]).replace("|", "\\|")
            if row["accuracy"] is None:
                why = " ".join(str(row["error"]).replace("|", " ").split())
                lines.append(f"| {name} | failed: {why} |")
                continue
            lines.append(
                f"| {name} | {row['accuracy']:.3f} | {span(row['ci95'])} | "
                f"{span(row['ci95_artists'])} | {row['n']} | {number(row['frame_accuracy'])} | "
                + "".join(f"{number(row.get(name))} | " for name in song_metrics())
                + f"{number(row.get('prepare_seconds'), 1)} | {row['fit_seconds']:.1f} | "
                f"{row['predict_seconds']:.1f} |"
            )
        lines.append("")
        if deformed := robustness_rows(results, protocol["name"]):
            lines += [f"| {' | '.join(DEFORMED_COLUMNS)} |", "|---" * len(DEFORMED_COLUMNS) + "|"]
            lines += [f"| {' | '.join(map(str, row))} |" for row in deformed]
            lines.append("")
        for check in results.get("label_check", []):
            if check["protocol"] == protocol["name"]:
                lines += ["### Labels", "", *(f"- {line}" for line in label_lines(check)), ""]
    if results["why_protocols_differ"]:
        lines += [results["why_protocols_differ"], ""]
    return "\n".join(lines)


def table_lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = ([cell.replace("|", "\\|") for cell in row] for row in (heads, *rows))
    first, *others = [f"| {' | '.join(row)} |" for row in lines]
    return [first, f"| {' | '.join(['---'] * len(heads))} |", *others]


def ranked(results: Mapping[str, Any], protocol: str) -> list[dict[str, Any]]:
    """Return the rows of a protocol by number of correct songs, failed models last.

    Songs without a prediction count as wrong here, so that no model gains by skipping songs.
    """
    rows = [row for row in results["models"] if row["protocol"] == protocol]

    def right(row: Mapping[str, Any]) -> float:
        return -1.0 if row["accuracy"] is None else float(row["accuracy"] * row["n"])

    return sorted(rows, key=right, reverse=True)
