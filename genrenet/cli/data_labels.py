"""``genrenet data labels``: which songs of a collection seem to be labelled wrongly."""

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
"""Methods that judge a collection for which there are no results, on features that are quick."""

SHOWN = 20


class LabelCheckError(GenrenetError):
    """Labels that cannot be checked."""


def add_label_options(action: argparse.ArgumentParser) -> None:
    """Add the options of ``genrenet data labels``."""
    action.add_argument(
        "--out", metavar="FILE.csv", help="write the songs to look at, the surest first"
    )
    action.add_argument(
        "--models",
        default=QUICK,
        help="methods that judge a collection, as of 'genrenet evaluate'; better ones accuse fewer "
        f"songs wrongly (default: {QUICK})",
    )
    action.add_argument(
        "--protocol",
        help="how a collection is judged (default: artist-5fold, or stratified-5fold where artists "
        "are not known)",
    )


def check(options: argparse.Namespace) -> int:
    """Run ``genrenet data labels``."""
    from genrenet.evaluation.label_check import check_run
    from genrenet.evaluation.report.label_section import label_lines

    results, decided = _results(options)
    found = check_run(results["labels"], results["models"], decided)
    if not found:
        raise LabelCheckError("no method could judge the songs", remedy="see the report of the run")
    for one in found:
        methods = ", ".join(one["methods"])
        say(f"{results['dataset']}, {one['protocol']}, out of fold: {methods}")
        say(*(f"  {line}" for line in label_lines(one)))
    if len(found) > 1:
        say(f"songs to look at, by {found[0]['protocol']}:")
    suspects = found[0]["suspects"]
    rows = [
        (one["path"], one["genre"], one["suggested"], f"{one['methods']} of {one['of']}")
        for one in suspects
    ]
    if options.out:
        _write(Path(options.out), suspects, found[0]["methods"])
        say(f"{plural(len(rows), 'song')} to look at in {printable(options.out)}")
    elif rows and not as_json():
        print_table(("song", "label", "methods say", "methods"), rows[:SHOWN])
        if len(rows) > SHOWN:
            say(f"and {len(rows) - SHOWN} more: --out FILE.csv writes all")
    elif not rows:
        say("no songs to look at")
    fact(dataset=results["dataset"], checks=found, out=options.out)
    if rows and not options.out:
        next_step("data", "labels", options.source, "--out", "labels.csv", why="all of them")
    elif (Path(options.source) / "results.json").is_file():
        next_step("compare", options.source, "runs/other", why="with another run")
    else:
        next_step("evaluate", options.source, "--models", "svm,knn", why="which method is better")
    return 0


def _results(options: argparse.Namespace) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return a run's results: those of a folder, or of quick methods judged now."""
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
                "artists are not known: a song's artist may be among those that judge its label, "
                "and confirm it wrongly"
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
    """Write the songs to look at as CSV."""
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
            remedy="choose a folder that can be written",
        ) from error
