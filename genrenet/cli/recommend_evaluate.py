"""``genrenet recommend evaluate``: compare recommenders."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genrenet.cli.histories import read_all
from genrenet.cli.parsing import CommandParser, count
from genrenet.cli.tables import print_table
from genrenet.cli.telling import as_json, fact, next_step, say, show
from genrenet.utils.atomic import write_text
from genrenet.utils.errors import printable
from genrenet.utils.strict_json import to_json

EXAMPLES = """examples:
  genrenet recommend evaluate user_artists.dat
  genrenet recommend evaluate plays.csv --models item-knn,als --seeds 3 --out runs/recommend
  genrenet recommend evaluate plays.csv --content songs.npz
  genrenet recommend evaluate songs.npz --labels tracks.csv

A share of each user's items is held out, and recommendations from the other items are compared with
them. 'popularity' is always included for comparison. With --labels, the nearest songs of a library
are evaluated by their genre and artist, from a table with the columns path, genre and artist.

exit code: 0 every model was evaluated, 1 some could not be or rows of the history were skipped,
2 the command could not be carried out
"""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser("genrenet recommend evaluate", "Compare recommenders.", EXAMPLES)
    add = parser.add_argument
    add("history", nargs="+", metavar="HISTORY", help="as for 'genrenet recommend'")
    add("--models", metavar="NAMES", help="models, separated by commas (default: all)")
    add(
        "--holdout",
        type=float,
        default=0.2,
        metavar="X",
        help="share of items held out (default: 0.2)",
    )
    add(
        "--seeds",
        type=count,
        default=1,
        metavar="N",
        help="number of repetitions with other held-out items (default: 1)",
    )
    add("--unit", choices=("artist", "track"), help="kind of items (default: artist)")
    add("--columns", metavar="NAMES", help="as for 'genrenet recommend'")
    add("--content", metavar="FILE", help="audio features: file of 'genrenet embed' or 'scan'")
    add("--labels", metavar="FILE", help="CSV table with genres and artists of a library's songs")
    add("--out", metavar="DIR", help="folder of the report (default: runs/recommend)")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet recommend evaluate``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    options = parser.parse_args(arguments)
    return _neighbours(options) if options.labels else _history(options)


def _history(options: argparse.Namespace) -> int:
    from genrenet.recommend import RecommendError, recommender, recommenders
    from genrenet.recommend.content import is_library
    from genrenet.recommend.evaluation import judge
    from genrenet.recommend.output import check_folder
    from genrenet.recommend.report import markdown, write_report
    from genrenet.recommend.results import BASELINE, summarise

    if not 0 < options.holdout < 1:
        raise RecommendError(
            "--holdout", found=f"{options.holdout:g}", wanted="a share between 0 and 1"
        )
    if is_library(options.history[0]):
        raise RecommendError(
            f"'{printable(options.history[0])}' is a library, which has no plays",
            remedy="pass --labels FILE to evaluate its songs' neighbours, or name a history",
        )
    if options.models:
        names = [name.strip() for name in options.models.split(",")]
        models = [recommender(name) for name in dict.fromkeys([BASELINE, *names])]
    else:
        models = list(recommenders().values())
    if options.content is None:
        if options.models and (deaf := [m.name for m in models if "content" in m.needs]):
            raise RecommendError(
                f"the recommender '{deaf[0]}' needs features of the songs' audio",
                remedy="pass --content FILE, a file of 'genrenet embed' or 'genrenet scan'",
            )
        models = [model for model in models if "content" not in model.needs]
    folder = check_folder(options.out or "runs/recommend")
    history, content, _ = read_all(
        options.history, options.unit, None, options.content, options.columns
    )
    found = judge(
        history,
        models,
        content,
        share=options.holdout,
        seeds=options.seeds,
        tell=say,
    )
    name = ", ".join(printable(Path(file).name) for file in options.history)
    results = summarise(name, history, found, options.holdout, options.seeds)
    page = write_report(folder, results)
    if sys.stdout.isatty():
        _show(results)
    elif not as_json():
        print(f"\n{markdown(results)}")
    say(f"report: {printable(page)}")
    fact(report=printable(page), results=results)
    best = results["models"][0]
    if not best["error"]:
        words = ["--model", best["name"], "--all-users", "--out", "recs.csv"]
        words += ["--content", options.content] if options.content else []
        next_step("recommend", *options.history, *words, why="uses the best model")
    return 1 if history.skipped or any(model.error for model in found.models) else 0


def _show(results: dict[str, Any]) -> None:
    """Print what fits on a terminal; the report has the rest."""
    from genrenet.evaluation.report.ranking import number, span
    from genrenet.recommend.report import good_rows
    from genrenet.recommend.results import LARGEST, MAIN

    rows = []
    for row in good_rows(results):
        figures, ratio = row["figures"], row["ratio"]
        told = [number(figures[name]["mean"]) for name in (MAIN, f"ndcg@{LARGEST}")]
        times = "" if ratio is None else f"{ratio['mean']:.2f}"
        rows.append((row["name"], told[0], span(figures[MAIN]["ci95"], 3), times, told[1]))
    heads = ("model", MAIN, "95 % interval", "relative to popularity", f"ndcg@{LARGEST}")
    print_table(heads, rows)
    failed = [f"{row['name']} failed: {row['error']}" for row in results["models"] if row["error"]]
    say(*failed)


def _neighbours(options: argparse.Namespace) -> int:
    from genrenet.evaluation.report.html import writing
    from genrenet.recommend import RecommendError
    from genrenet.recommend.content import read_content
    from genrenet.recommend.neighbours import judge_neighbours, neighbours_markdown, read_labels
    from genrenet.recommend.output import check_folder

    if len(options.history) > 1 or options.models or options.content:
        raise RecommendError(
            "--labels evaluates one library", remedy="omit --models, --content and other files"
        )
    folder = check_folder(options.out) if options.out else None
    labels = read_labels(options.labels)
    found = judge_neighbours(read_content(options.history[0]), labels)
    text = neighbours_markdown(found)
    if folder is not None:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / "results.json", to_json(found, indent=1, ensure_ascii=False) + "\n")
            write_text(folder / "results.md", text)
    if as_json():
        show(found)
    else:
        print(text)
    library = printable(options.history[0])
    next_step("recommend", library, "--like", "song.mp3", why="finds similar songs")
    return 0
