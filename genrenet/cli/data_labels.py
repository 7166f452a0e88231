"""``genrenet data labels``: find probable label errors of a collection."""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrenet.cli.tables import print_table
from genrenet.cli.telling import as_json, fact, next_step, plural, say
from genrenet.utils.errors import GenrenetError, printable

if TYPE_CHECKING:
    import pandas as pd

QUICK = "knn@spectral-stats,svm-linear@spectral-stats,forest@spectral-stats"
"""Methods for a collection without results: on features that are fast to compute."""

SHOWN = 20


class LabelCheckError(GenrenetError):
    """Labels that cannot be checked."""


def add_label_options(action: argparse.ArgumentParser) -> None:
    """Add the options of ``genrenet data labels``."""
    action.add_argument(
        "--out", metavar="FILE.csv", help="write the songs to check, the most certain errors first"
    )
    action.add_argument(
        "--models",
        default=QUICK,
        help="methods, as in 'genrenet evaluate'; more accurate ones give fewer false alarms "
        f"(default: {QUICK})",
    )
    action.add_argument(
        "--protocol",
        help="protocol of the evaluation (default: artist-5fold, or stratified-5fold if artists "
        "are unknown)",
    )


def check(options: argparse.Namespace) -> int:
    """Run ``genrenet data labels``."""
    from genrenet.evaluation.label_check import check_run
    from genrenet.evaluation.report.label_section import label_lines

    results, decided = _results(options)
    found = check_run(results["labels"], results["models"], decided)
    if not found:
        raise LabelCheckError(
            "no method could classify the songs", remedy="see the report of the run"
        )
    for one in found:
        methods = ", ".join(one["methods"])
        say(f"{results['dataset']}, {one['protocol']}, out of fold: {methods}")
        say(*(f"  {line}" for line in label_lines(one)))
    if len(found) > 1:
        say(f"songs to check, by {found[0]['protocol']}:")
    suspects = found[0]["suspects"]
    rows = [
        (one["path"], one["genre"], one["suggested"], f"{one['methods']} of {one['of']}")
        for one in suspects
    ]
    if options.out:
        _write(Path(options.out), suspects, found[0]["methods"])
        say(f"{plural(len(rows), 'song')} to check in {printable(options.out)}")
    elif rows and not as_json():
        print_table(("song", "label", "prediction", "methods"), rows[:SHOWN])
        if len(rows) > SHOWN:
            say(f"and {len(rows) - SHOWN} more: --out FILE.csv writes all of them")
    elif not rows:
        say("no songs to check")
    fact(dataset=results["dataset"], checks=found, out=options.out)
    if rows and not options.out:
        next_step("data", "labels", options.source, "--out", "labels.csv", why="writes all of them")
    elif (Path(options.source) / "results.json").is_file():
        next_step("compare", options.source, "runs/other", why="compares it with another run")
    else:
        next_step("evaluate", options.source, "--models", "svm,knn", why="compares methods")
    return 0


def _results(options: argparse.Namespace) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return a run's results: those of a folder, or of fast methods evaluated now."""
    from genrenet.evaluation.run_difference import read_run

    source = Path(options.source)
    if (source / "results.json").is_file():
        return read_run(source)
    from genrenet.evaluation.api import evaluate
    from genrenet.evaluation.datasets import read_dataset

    protocol = options.protocol
    dataset = read_dataset(source, segments=options.segments, labels=options.labels)
    if dataset.multi_label:
        raise LabelCheckError(
            f"'{printable(source)}' has songs with several genres",
            wanted="songs with one genre each",
        )
    if protocol is None:
        known = dataset.artists
        protocol = "artist-5fold" if known else "stratified-5fold"
        if not known:
            say(
                "artists are unknown: the training set may contain other songs by the same artist, "
                "so that some label errors are missed"
            )
    with tempfile.TemporaryDirectory(prefix="genrenet-labels-") as folder:
        evaluate(
            options.source,
            [name.strip() for name in options.models.split(",")],
            protocol=[protocol],
            out=folder,
            segments=options.segments,
            labels=options.labels,
            tell=say,
        )
        return read_run(Path(folder))


def _write(file: Path, suspects: Sequence[dict[str, Any]], methods: Sequence[str]) -> None:
    """Write the songs to check as CSV."""
    from genrenet.utils.atomic import write_text

    held = io.StringIO(newline="")
    rows = csv.writer(held, lineterminator="\n")
    names = ("path", "genre", "suggested", "methods", "of", "margin")
    rows.writerow([*names, *methods])
    for one in suspects:
        told = {**one, "path": printable(one["path"]), "margin": f"{one['margin']:.4f}"}
        rows.writerow([*(told[name] for name in names), *(one["said"][m] for m in methods)])
    try:
        write_text(file, held.getvalue(), errors="backslashreplace")
    except OSError as error:
        raise LabelCheckError(
            f"cannot write '{printable(file)}'",
            found=error.strerror or str(error),
            remedy="choose a writable folder",
        ) from error
