"""Results on deformed songs, as tables and as the panels of a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFORMED_COLUMNS = ("model", "deformation", "accuracy", "change", "95 % interval", "p", "changed")


def robustness_rows(results: Mapping[str, Any], protocol: str) -> list[tuple[object, ...]]:
    """Return the cells of `DEFORMED_COLUMNS` for a protocol; none for older runs."""
    return [
        (
            row["model"],
            row["deformation"],
            f"{row['accuracy']:.3f}",
            f"{row['difference']:+.3f}",
            " to ".join(f"{end:+.2f}" for end in row["difference_ci95"]),
            f"{row['p_mcnemar_holm']:.3f}",
            f"{100 * row['changed']:.1f} %",
        )
        for row in results.get("robustness", [])
        if row["protocol"] == protocol
    ]


def robustness_skipped(results: Mapping[str, Any], protocol: str) -> list[tuple[object, ...]]:
    """Return how many deformed songs each model has no prediction for, if any."""
    return [
        (row["model"], row["deformation"], len(row["skipped"]), next(iter(row["skipped"].values())))
        for row in results.get("robustness", [])
        if row["protocol"] == protocol and row["skipped"]
    ]


def panels(
    results: Mapping[str, Any], protocol: str
) -> dict[str, tuple[list[str], dict[str, list[float]]]]:
    """Return the input of `genrenet.utils.figures.curves`: a panel per kind, the clean songs first
    and then from the weakest deformation to the strongest.
    """
    rows = [row for row in results.get("robustness", []) if row["protocol"] == protocol]
    found: dict[str, tuple[list[str], dict[str, list[float]]]] = {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = sorted(
            (row for row in rows if row["kind"] == kind),
            key=lambda row: (
                abs(row["strength"] - NEUTRAL[row["kind"]])
                if row["kind"] in NEUTRAL
                else -row["strength"]
            ),
        )
        names = list(dict.fromkeys(row["deformation"] for row in mine))
        lines: dict[str, list[float]] = {}
        for model in dict.fromkeys(row["model"] for row in mine):
            by_name = {row["deformation"]: row for row in mine if row["model"] == model}
            clean = next(iter(by_name.values()))["clean"]
            lines[model] = [clean, *(_accuracy(by_name.get(name)) for name in names)]
        found[kind] = (["clean", *(name.partition(":")[2] for name in names)], lines)
    return found


NEUTRAL = {"pitch": 0.0, "tempo": 1.0, "gain": 0.0, "clip": 0.0}
"""Neutral strengths; for the other kinds a larger strength is a weaker deformation."""


def _accuracy(row: Mapping[str, Any] | None) -> float:
    return float("nan") if row is None else float(row["accuracy"])
