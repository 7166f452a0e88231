"""Compare two runs: what changed from one to the other, and whether the change is significant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genrenet.evaluation.report.ranking import span
from genrenet.evaluation.results import compare_pair
from genrenet.utils.errors import GenrenetError, printable


class ComparisonError(GenrenetError):
    """Folders without runs, or runs that have nothing in common."""


def read_run(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return results and predictions of a run.

    Raises
    ------
    ComparisonError
        The folder has none, or one on songs with several genres.
    """
    try:
        results = json.loads((folder / "results.json").read_text("utf-8"))
        decided = pd.read_parquet(folder / "predictions.parquet")
        rows = results["models"]
        assert isinstance(rows, list)
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise ComparisonError(
            f"'{printable(folder)}' contains no run",
            found=str(error) or type(error).__name__,
            wanted="the folder that 'genrenet evaluate --out' wrote",
        ) from error
    if results.get("multi_label"):
        raise ComparisonError(
            f"'{printable(folder)}' contains a multi-label run",
            wanted="a run on songs with one genre each",
            remedy="to compare models, evaluate them in one run; its report compares them",
        )
    return results, decided


def compare_runs(first: Path, second: Path) -> dict[str, Any]:
    """Compare two runs.

    Models of one name under one protocol are compared on the songs that both runs predicted, if
    these have the same genres in both.

    Parameters
    ----------
    first, second : Path
        Folders of runs.

    Returns
    -------
    dict
        ``runs`` (the folders), ``datasets``, and ``models``: for each name and protocol
        ``accuracy`` and ``ci95`` of both (None if a run has none) and, if both have it, ``paired``:
        see `genrenet.evaluation.results.compare_pair` (second minus first).

    Raises
    ------
    ComparisonError
        A folder has no run.
    """
    (one, decided_one), (other, decided_other) = read_run(first), read_run(second)
    rows = [{(row["protocol"], row["name"]): row for row in run["models"]} for run in (one, other)]
    found = []
    for protocol, name in dict.fromkeys([*rows[0], *rows[1]]):
        pair = [part.get((protocol, name)) for part in rows]
        paired = None
        if all(row is not None and row["accuracy"] is not None for row in pair):
            parts = [
                run[(run["protocol"] == protocol) & (run["model"] == name)]
                for run in (decided_other, decided_one)
            ]
            paired = compare_pair(*parts) if _same_songs(*parts) else None
        found.append(
            {
                "protocol": protocol,
                "name": name,
                "accuracy": [row and row["accuracy"] for row in pair],
                "ci95": [row and (row["ci95_artists"] or row["ci95"]) for row in pair],
                "paired": paired,
            }
        )
    return {
        "runs": [printable(first), printable(second)],
        "datasets": [one["dataset"], other["dataset"]],
        "models": found,
    }


def _same_songs(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Return whether identifiers that are in both runs have the same genres."""
    one, other = (part.groupby("track_id")["genre"].first() for part in (first, second))
    common = one.index.intersection(other.index)
    return bool((one[common] == other[common]).all())


COMPARISON_COLUMNS = (
    *("protocol", "model", "first", "second"),
    *("second minus first", "95 % interval", "p", "songs"),
)


def comparison_rows(found: Mapping[str, Any]) -> list[list[str]]:
    """Return the result of `compare_runs`, as cells of `COMPARISON_COLUMNS`."""
    rows = []
    for row in found["models"]:
        ends = [
            "" if value is None else f"{value:.3f} ({span(interval)})"
            for value, interval in zip(row["accuracy"], row["ci95"], strict=True)
        ]
        paired = row["paired"]
        rest = ["", "", "", "other songs" if all(ends) else ""]
        if paired is not None:
            rest = [
                f"{paired['difference']:+.3f}",
                span(paired["ci95"]),
                f"{paired['p_permutation']:.3f}",
                str(paired["n"]),
            ]
        rows.append([row["protocol"], row["name"], *ends, *rest])
    return rows
