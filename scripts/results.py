#!/usr/bin/env python3
"""Compute the results in the documentation: predefined experiments of ``genrenet evaluate``.

    python scripts/results.py run FOLDER --work runs [NAME ...]
    python scripts/results.py page

``run`` runs the experiments on their data below FOLDER and stores their results in
``docs/results/NAME.json``; an interrupted one is resumed. ``page`` writes ``docs/results.md``
from these files.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genrenet.evaluation.api import evaluate
from genrenet.evaluation.protocols.curves import curve_table, heading
from genrenet.evaluation.report.ranking import number, ranked, span, table_lines
from genrenet.training.configs import experiment
from genrenet.utils.atomic import write_text

DOCS = Path(__file__).resolve().parents[1] / "docs"
MEANINGS = {
    "Emotify": """one-minute excerpts of four genres, by 95 artists. The head of `emotify-musicnn`
  was trained on these songs; its embeddings are those of MusiCNN, which was not.""",
    "GTZAN": "thirty-second excerpts of ten genres; here a table of 57 features of each.",
}
"""What each dataset is."""
DATA = {
    "probes": ("emotify", "Linear classifiers on embeddings (`probes`)", "Emotify"),
    "artists-curve": ("emotify", "More artists in the training set (`artists-curve`)", "Emotify"),
    "deformed": ("emotify", "Deformed songs (`deformed`)", "Emotify"),
    "ten-genres": (
        "gtzan-features/features_30_sec.csv",
        "Ten genres of GTZAN (`ten-genres`)",
        "GTZAN",
    ),
}
"""Location of the data of each experiment, title of the experiment, and name of the dataset."""

OF_RUN = ("dataset", "n_songs", "n_artists", "seeds", "protocols", "created", "genrenet", "machine")
OF_MODEL = ("name", "protocol", "accuracy", "ci95", "ci95_artists", "by_seed", "n", "macro_f1")
OF_ROW = ("protocol", "model", "deformation", "n", "accuracy", "clean", "difference")
OF_ROW += ("difference_ci95", "p_mcnemar_holm", "changed")
OF_PAIR = ("protocol", "first", "second", "n", "difference", "ci95", "groups", "p_permutation_holm")


def stated(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of ``results.json`` that is stored."""
    rows = [
        {**{key: row.get(key) for key in OF_MODEL}, "error": _without_paths(row["error"])}
        for row in results["models"]
    ]
    pairs = [{key: pair[key] for key in OF_PAIR} for pair in results["comparisons"]]
    deformed = [{key: row[key] for key in OF_ROW} for row in results["robustness"]]
    kept = {"models": rows, "comparisons": pairs, "curves": results["curves"]}
    return {**{key: results[key] for key in OF_RUN}, **kept, "robustness": deformed}


def _without_paths(error: str | None) -> str | None:
    return error and error.partition(" (traceback:")[0]


def page(stored: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page of all stored results, by experiment, as Markdown."""
    lines = ["# Results", ""]
    lines += ["`scripts/results.py` makes this page from predefined experiments. The figures"]
    lines += ["are in `docs/results/`; `genrenet evaluate DATA --config NAME` reproduces them."]
    lines += ["Intervals are 95 % intervals, over songs (Wilson) and, where artists are known,"]
    lines += ["over artists (bootstrap); p is adjusted for the number of comparisons (Holm).", ""]
    lines += [f"- **{name}**: {text}" for name, text in MEANINGS.items()]
    meanings = {
        protocol["name"]: f"- `{protocol['name']}`. {protocol['meaning']}"
        for results in stored.values()
        for protocol in results["protocols"]
        if "@" not in protocol["name"]
    }
    lines += [*meanings.values(), ""]
    for name, results in stored.items():
        _, title, data = DATA[name]
        lines += [f"## {title}", "", f"{data}, {results['n_songs']} songs.", ""]
        lines += [line for curve in results["curves"] for line in _curve(results, curve)]
        for protocol in results["protocols"]:
            if "@" not in protocol["name"]:
                lines += [*_protocol(results, protocol), ""]
        lines += _failures(results["models"])
    return "\n".join(lines).rstrip() + "\n"


def _failures(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a paragraph for each model that could not be evaluated, under whichever protocol."""
    errors = {row["name"]: row["error"] for row in rows if row["error"]}
    for name, error in errors.items():
        yield from (f"`{name}` could not be evaluated: {error}.", "")


def _curve(results: Mapping[str, Any], curve: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {heading(curve)}, {len(results['seeds'])} seeds", "")
    yield from table_lines(*curve_table(curve))
    yield from (
        "",
        "Accuracy with its interval over artists; the test sets are the same for all sizes.",
    )
    yield ""


def _deformed(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    heads = [
        "deformation",
        "model",
        "accuracy",
        "clean",
        "difference",
        "95 % interval",
        "p",
        "changed",
    ]
    cells = [
        [
            *(f"`{row['deformation']}`", f"`{row['model']}`"),
            *(number(row["accuracy"]), number(row["clean"]), f"{row['difference']:+.3f}"),
            *(
                span(row["difference_ci95"]),
                _p(row["p_mcnemar_holm"]),
                number(row["changed"], 2),
            ),
        ]
        for row in rows
    ]
    yield from ("", *table_lines(heads, cells), "")
    yield "The intervals are bootstraps over artists, and not adjusted; p is the p-value of"
    yield "McNemar's exact test, which takes songs as independent, adjusted (Holm). The two can"
    yield "disagree."


def _p(value: float) -> str:
    return "< 0.001" if value < 0.0005 else number(value)


def _protocol(results: Mapping[str, Any], protocol: Mapping[str, Any]) -> Iterator[str]:
    seeds = len(results["seeds"])
    yield f"### {protocol['name']}, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    yield ""
    rows = ranked(results, protocol["name"])
    cells = [
        [
            *(f"`{row['name']}`", number(row["accuracy"]), span(row["ci95"])),
            *(span(row["ci95_artists"]), number(row["macro_f1"]), str(row["n"])),
        ]
        for row in rows
        if row["accuracy"] is not None
    ]
    yield from table_lines(
        ["model", "accuracy", "95 % interval", "by artist", "macro F1", "n"], cells
    )
    yield from _comparisons(results, protocol["name"], rows[0]["name"])
    if deformed := [row for row in results["robustness"] if row["protocol"] == protocol["name"]]:
        yield from _deformed(deformed)


def _comparisons(results: Mapping[str, Any], protocol: str, best: str) -> Iterator[str]:
    """Yield a table of the paired comparisons of the best model with the others."""
    cells = []
    for pair in results["comparisons"]:
        if pair["protocol"] == protocol and best in (pair["first"], pair["second"]):
            sign = 1 if best == pair["first"] else -1
            other = pair["second"] if sign == 1 else pair["first"]
            low, high = sorted(sign * end for end in pair["ci95"])
            cells.append(
                [
                    *(f"`{other}`", f"{sign * pair['difference']:+.3f}"),
                    *(f"{low:+.3f} to {high:+.3f}", _p(pair["p_permutation_holm"])),
                ]
            )
    if cells:
        heads = [f"`{best}` minus", "difference", "95 % interval", "p (permutation)"]
        yield from ("", *table_lines(heads, cells))


def read_stored() -> dict[str, dict[str, Any]]:
    """Return the stored results of every experiment that was run."""
    files = {name: DOCS / "results" / f"{name}.json" for name in DATA}
    return {
        name: json.loads(file.read_text("utf-8")) for name, file in files.items() if file.exists()
    }


def run(folder: Path, work: Path, names: Sequence[str]) -> None:
    """Run experiments and store their results."""
    for name in names:
        settings = experiment(name)
        listed = settings["protocol"]
        settings["protocol"] = [listed] if isinstance(listed, str) else listed
        found = evaluate(folder / DATA[name][0], **{**settings, "out": work / name})
        kept = json.dumps(stated(found.results), indent=1, ensure_ascii=False)
        write_text(DOCS / "results" / f"{name}.json", f"{kept}\n")


def main() -> None:
    """Run the requested command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="carry out experiments")
    runs.add_argument("folder", type=Path, help="folder of the data")
    runs.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(DATA)}")
    runs.add_argument("--work", type=Path, default=Path("runs"), help="folder of the runs")
    commands.add_parser("page", help="write docs/results.md")
    options = parser.parse_args()
    if options.command == "run":
        if unknown := set(options.names) - set(DATA):
            parser.error(f"no experiment {', '.join(sorted(unknown))}; there is {', '.join(DATA)}")
        run(options.folder, options.work, options.names or list(DATA))
    write_text(DOCS / "results.md", page(read_stored()))


if __name__ == "__main__":
    main()
