"""``genrenet evaluate`` and ``genrenet compare``: which method is more accurate."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genrenet.cli.parsing import (
    CommandParser,
    add_collection_options,
    add_multi_label_option,
    add_trust_option,
    count,
)
from genrenet.cli.tables import print_table
from genrenet.cli.telling import as_json, fact, next_step, say, show
from genrenet.utils.errors import GenrenetError, printable

EXAMPLES = """examples:
  genrenet evaluate ~/Music --models svm,knn,kl-knn --protocol artist-5fold --out runs/methods
  genrenet evaluate ~/Music --models cnn,transfer:musicnn-msd,svm --seeds 3 --out runs/methods
  genrenet evaluate features_30_sec.csv --models svm,forest --protocol stratified-10fold,fault-filtered
  genrenet evaluate gtzan --config four-genres --jobs 4
  genrenet evaluate ~/Music --models svm,knn --learning-curve artists --sizes 8,16,32,50% --seeds 3
  genrenet evaluate ~/Music --models svm,cnn --test-on mirdata:gtzan_genre --genre-map discogs
  genrenet evaluate songs.csv --multi-label --models svm,knn
  genrenet compare runs/methods runs/other

Models, separated by commas: a baseline (see 'genrenet plugins'), NAME@FEATURES for a baseline on
other features, cnn, crnn, transfer:BACKBONE, or config:FILE.yaml.

Deformations: mp3:64k, aac:64k, opus:32k, pitch:+1, tempo:0.9, noise:20dB, gain:-12dB, lowpass:4k,
clip:5%, crop:5s. Several strengths of one kind are drawn as a curve.

Protocols: artist-5fold, stratified-10fold (or other numbers of folds), fault-filtered, 70-30,
column, and those that 'genrenet plugins --kind protocol' lists. A suffix reduces the training set:
artist-5fold@10-songs, @25%-songs, @8-artists, @2-artists-per-genre, @5-shot.

DATA is a collection of songs or a table of features. The same command resumes an interrupted run.

exit code: 0 every model was evaluated, 1 some could not be, 2 the command could not be carried out
"""  # noqa: E501


MORE = ("learning_curve", "sizes", "shots", "test_on", "genre_map")


class EvaluateError(GenrenetError):
    """An invalid request to evaluate or compare."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    if command == "compare":
        parser = CommandParser("genrenet compare", "Compare the results of two runs.", EXAMPLES)
        parser.add_argument("runs", nargs=2, metavar="RUN", help="folders of 'genrenet evaluate'")
        parser.add_argument("--format", choices=("table", "json"), default="table")
        return parser
    parser = CommandParser(
        "genrenet evaluate", "Compare methods on the same songs, folds and metrics.", EXAMPLES
    )
    parser.add_argument("data", metavar="DATA", help="collection of songs, or table of features")
    parser.add_argument("--config", metavar="NAME", help="a predefined experiment, or a YAML file")
    parser.add_argument("--models", metavar="NAMES", help="models, separated by commas")
    parser.add_argument(
        "--protocol", metavar="NAMES", help="default: artist-5fold; with --test-on: across"
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="number of repetitions with other folds (default: 1)"
    )
    parser.add_argument(
        "--learning-curve",
        metavar="UNIT",
        help="also use parts of the training set: by songs, artists or artists-per-genre",
    )
    parser.add_argument(
        "--sizes",
        metavar="NUMBERS",
        help="sizes of the learning curve (default: 10%%,20%%,40%%,70%%)",
    )
    parser.add_argument(
        "--shots", metavar="NUMBERS", help="also use this many training songs per genre: 1,5,10"
    )
    parser.add_argument(
        "--test-on", metavar="DATA", help="train on all of DATA, and test on this collection"
    )
    parser.add_argument(
        "--genre-map",
        metavar="FILE|TAXONOMY",
        help="map its genres to those of DATA: a CSV file with the columns genre and name, or "
        "discogs, musicbrainz, beets",
    )
    parser.add_argument("--genres", metavar="NAMES", help="only songs of these genres")
    parser.add_argument(
        "--segments",
        default="auto",
        metavar="auto|off|COLUMN",
        help="combine rows that are segments of a song: detected, never, or by a column",
    )
    parser.add_argument(
        "--deform",
        metavar="NAMES",
        help="also test on deformed songs: mp3:64k,pitch:+1,tempo:0.9,noise:20dB,gain:-12dB",
    )
    add_collection_options(parser)
    add_multi_label_option(parser)
    parser.add_argument("--out", metavar="DIR", help="folder of the run (default: runs/evaluate)")
    spread = parser.add_mutually_exclusive_group()
    spread.add_argument(
        "--jobs",
        type=count,
        default=1,
        metavar="N",
        help="number of processes for folds, seeds and models (default: 1)",
    )
    spread.add_argument(
        "--dask", metavar="ADDRESS", help="use the workers of a Dask scheduler instead"
    )
    parser.add_argument(
        "--max-steps", type=int, metavar="N", help="maximum number of training steps of networks"
    )
    parser.add_argument(
        "--fit-option",
        action="append",
        default=[],
        metavar="--GROUP.OPTION=X",
        help="option of 'genrenet fit' for the networks; can be repeated",
    )
    add_trust_option(parser)
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet evaluate`` or ``genrenet compare``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    return _compare(options) if command == "compare" else _evaluate(options)


def _evaluate(options: argparse.Namespace) -> int:
    from genrenet.training.configs import experiment

    settings: dict[str, Any] = {"seeds": 1, "out": "runs/evaluate"}
    if options.config:
        settings |= experiment(options.config)
    given = {key: value for key, value in vars(options).items() if value is not None}
    settings |= {
        key: given[key]
        for key in ("models", "protocol", "seeds", "genres", "deform", "out", *MORE)
        if key in given
    }
    if "models" not in settings:
        raise EvaluateError("no models to evaluate", remedy="pass --models NAMES or --config NAME")
    if options.max_steps is not None and options.max_steps < 1:
        raise EvaluateError("--max-steps", found=str(options.max_steps), wanted="at least 1")
    from genrenet.evaluation.api import evaluate
    from genrenet.utils.hardware import stoppable
    from genrenet.utils.progress import working

    steps = [] if options.max_steps is None else [f"--trainer.max_steps={options.max_steps}"]
    with stoppable(), working("evaluating"):
        found = evaluate(
            options.data,
            _names(settings["models"]),
            protocol=_names(settings.get("protocol") or []),
            seeds=settings["seeds"],
            learning_curve=settings.get("learning_curve"),
            sizes=_names(settings.get("sizes") or []),
            shots=_names(settings.get("shots") or []),
            test_on=settings.get("test_on"),
            genre_map=settings.get("genre_map"),
            genres=_names(settings["genres"]) if settings.get("genres") else (),
            out=settings["out"],
            segments=options.segments,
            labels=options.labels,
            multi_label=options.multi_label or None,
            fit_options=[*steps, *options.fit_option],
            reference=settings.get("reference", []),
            deform=_names(settings["deform"]) if settings.get("deform") else (),
            jobs=options.jobs,
            dask=options.dask,
            tell=say,
        )
    several = found.results.get("multi_label", False)
    if not as_json():
        (_show_several if several else _show)(found.results)
    out = printable(settings["out"])
    say(f"report: {printable(found.page)}")
    fact(report=printable(found.page), out=out, complete=found.complete, results=found.results)
    if not several:
        next_step("data", "labels", out, why="finds probable label errors")
    return 0 if found.complete else 1


def _show(results: dict[str, Any]) -> None:
    """Print a table per protocol; the report and its ``results.md`` have the rest."""
    from genrenet.evaluation.protocols.curves import curve_table, heading
    from genrenet.evaluation.report.ranking import number, ranked, span
    from genrenet.evaluation.report.robustness_section import DEFORMED_COLUMNS, robustness_rows

    for curve in results.get("curves", []):
        say(heading(curve))
        heads, cells = curve_table(curve)
        print_table(heads, cells)
    for protocol in results["protocols"]:
        if protocol.get("part_of"):
            continue
        say(f"{protocol['name']}: {protocol['meaning']}")
        rows: list[tuple[object, ...]] = []
        for row in ranked(results, protocol["name"]):
            judged = row["accuracy"] is not None
            ends = (span(row["ci95"]), span(row["ci95_artists"]), row["n"]) if judged else ()
            rows.append((row["name"], number(row["accuracy"]) or "failed", *ends))
        print_table(("model", "accuracy", "95 % interval", "by artist", "n"), rows)
        deformed = robustness_rows(results, protocol["name"])
        if deformed:
            print_table(DEFORMED_COLUMNS, deformed)


def _show_several(results: dict[str, Any]) -> None:
    """Print a table per protocol, for songs with several genres."""
    from genrenet.evaluation.report.multi_label_page import ranked
    from genrenet.evaluation.report.ranking import number, span

    for protocol in results["protocols"]:
        say(f"{protocol['name']}: {protocol['meaning']}")
        rows: list[tuple[object, ...]] = []
        for row in ranked(results, protocol["name"]):
            ends = row["map_ci95_artists"] or row["map_ci95"]
            more = (span(ends), number(row["roc_auc"]), number(row["f1_macro"]), row["n"])
            judged = row["map"] is not None
            rows.append((row["name"], number(row["map"]) or "failed", *(more if judged else ())))
        print_table(("model", "mAP", "95 % interval", "ROC-AUC", "F1, macro", "n"), rows)


def _names(value: Any) -> list[str]:
    """Return names from a YAML list, in which they may contain commas, or from the command line."""
    listed = value if isinstance(value, list) else str(value).split(",")
    return [str(name).strip() for name in listed if str(name).strip()]


def _compare(options: argparse.Namespace) -> int:
    from genrenet.evaluation.run_difference import COMPARISON_COLUMNS, compare_runs, comparison_rows

    found = compare_runs(*map(Path, options.runs))
    if options.format == "json":
        show(found)
    else:
        for which, name, dataset in zip(
            ("first", "second"), found["runs"], found["datasets"], strict=True
        ):
            print(f"{which}: {name} ({dataset})")
        print_table(COMPARISON_COLUMNS, comparison_rows(found))
        if not any(row["paired"] for row in found["models"]):
            say("nothing is compared: no model is in both runs, with the same songs and protocol")
    run = printable(options.runs[0])
    next_step("data", "labels", run, why="finds probable label errors")
    return 0
