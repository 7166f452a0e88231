"""``genrenet reproduce``: repeat published experiments, and compare the results."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from genrenet.cli import evaluate
from genrenet.cli.parsing import CommandParser, add_collection_options, count
from genrenet.cli.telling import fact, next_step, say
from genrenet.utils.errors import GenrenetError, printable

EXAMPLES = """examples:
  genrenet reproduce report gtzan
  genrenet reproduce report gtzan --features features_30_sec.csv --out runs/report
  genrenet reproduce report gtzan-part-1 gtzan-part-2 --quick
  genrenet reproduce four-genres gtzan

'report' repeats two publications on one page: Tables 1 to 4 of the first (classical, jazz, metal,
pop); the confusion matrices of networks and the fine-tuning curves of the second; and classical
against deep methods. 'four-genres', 'ten-genres' and 'frames-or-songs' run
'genrenet evaluate DATA --config NAME'.

Several collections are merged; a track in several of them is used once, with its longest excerpt. A
table of features among DATA, or features_30_sec.csv in or above a collection, provides the feature
vectors. The same command resumes an interrupted run. Experiments that could not be run are listed
with the reason.

exit code: 0 everything was run, 1 some parts could not be, 2 the command could not be carried out
"""

EXPERIMENTS = ("four-genres", "ten-genres", "frames-or-songs")


class ReproduceError(GenrenetError):
    """A reproduction that cannot be carried out."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet reproduce", "Repeat published experiments, and compare the results.", EXAMPLES
    )
    add = parser.add_argument
    add(
        "what",
        metavar="WHAT",
        choices=("report", *EXPERIMENTS),
        help="report, or the name of an experiment",
    )
    add("data", metavar="DATA", nargs="+", help="collections of songs; a table of features")
    add("--features", metavar="TABLE", help="table of features (default: found next to the songs)")
    add("--quick", action="store_true", help="few splits, epochs and songs; less than 15 minutes")
    add("--seeds", type=count, metavar="N", help="number of random splits (default: as published)")
    add("--parts", metavar="NAMES", help="parts of the report: tables, networks, finetuning")
    add("--out", metavar="DIR", help="folder of the run (default: runs/WHAT)")
    add_collection_options(parser)
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet reproduce``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    out = options.out or f"runs/{options.what}"
    return _report(options, out) if options.what == "report" else _experiment(options, out)


def _report(options: argparse.Namespace, out: str) -> int:
    from genrenet.evaluation.reproduction.plan import FULL, QUICK
    from genrenet.evaluation.reproduction.run import PARTS, reproduce
    from genrenet.utils.progress import working

    parts = [name.strip() for name in options.parts.split(",")] if options.parts else list(PARTS)
    if unknown := [name for name in parts if name not in PARTS]:
        raise ReproduceError("--parts", found=", ".join(unknown), wanted=", ".join(PARTS))
    plan = QUICK if options.quick else FULL
    if options.seeds:
        plan = replace(plan, seeds=options.seeds)
    with working("reproducing"):
        found = reproduce(
            options.data,
            out,
            features=options.features,
            plan=plan,
            parts=parts,
            labels=options.labels,
            tell=say,
        )
    for what, why in found.lacking:
        say(f"not run: {what}: {why}")
    say(f"report: {printable(found.page)}")
    fact(report=printable(found.page), out=printable(out), could_not_be_run=found.could_not_be_run)
    if "networks" in found.evaluations:
        place = printable(found.out / "networks")
        next_step("data", "labels", place, why="finds probable label errors")
    else:
        next_step(
            "evaluate", options.data[0], "--config", "ten-genres", why="evaluates on all genres"
        )
    return 1 if found.lacking else 0


def _experiment(options: argparse.Namespace, out: str) -> int:
    """Pass an experiment on to ``genrenet evaluate``: on vectors if there is only a table."""
    from genrenet.evaluation.reproduction.songs import find_material

    for name in ("quick", "parts"):
        if getattr(options, name):
            raise ReproduceError(f"--{name} of {options.what}", wanted="report, or no such option")
    material = find_material(
        options.data, Path(out), features=options.features, labels=options.labels
    )
    listed = (material.features, material.audio)
    data = next(path for path in (listed if options.features else listed[::-1]) if path)
    say(*material.notes)
    seeds = ["--seeds", str(options.seeds)] if options.seeds else []
    given = [*seeds, "--config", options.what, "--out", out, "--labels", options.labels]
    return evaluate.run("evaluate", [printable(data), *given])
