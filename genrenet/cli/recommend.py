"""``genrenet recommend``: recommend items to users."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from genrenet.cli.configured import unless_configured
from genrenet.cli.histories import read_all, with_names
from genrenet.cli.parsing import CommandParser, count, setting
from genrenet.cli.tables import print_table
from genrenet.cli.telling import fact, next_step, plural, say, show, warn
from genrenet.utils.errors import printable

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from genrenet.recommend import History, Recommender
    from genrenet.recommend.content import SongContent

EXAMPLES = """examples:
  genrenet recommend plays.csv --user anna
  genrenet recommend user_artists.dat --names artists.dat --model als --user 2 --top 10
  genrenet recommend plays.tsv --model item-knn --all-users --out recs.csv
  genrenet recommend u.data --columns user,item,rating,time --user 196
  genrenet recommend listenbrainz_anna.zip listenbrainz_ben.zip --unit track --user anna
  genrenet recommend plays.csv --content songs.npz --like 'Artist - Song'
  genrenet recommend songs.npz --like song.mp3 --like other.mp3
  genrenet recommend evaluate plays.csv --models popularity,item-knn,als

HISTORY is a table of users, items and plays (CSV, TSV, Parquet, HetRec's .dat), an export of
Last.fm (360K, 1K, scrobbles of one user as CSV) or of ListenBrainz (.jsonl, .json, .zip). Several
files are merged. HISTORY can also be a library, a file of 'genrenet embed' or 'genrenet scan'. Then
--like names songs, which need not be in the library: features of other audio files are computed as
for the library. Items that a user has played are never recommended.

Models: popularity, user-knn, item-knn, svd, als, content, hybrid; see 'genrenet plugins'.

exit code: 0 success, 1 rows of the history were skipped, 2 the command could not be carried out
"""

COLUMNS = (
    "columns of a history, separated by commas: user, item, artist, track, plays, rating, time, or "
    "- for others (default: from the header, or detected from the values)"
)


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser("genrenet recommend", "Recommend music.", EXAMPLES)
    add = parser.add_argument
    add(
        "history",
        nargs="+",
        metavar="HISTORY",
        help="listening history, or a library",
    )
    add("--model", metavar="NAME", help="default: hybrid; for a library: content")
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--user", action="append", metavar="U", help="a user; can be repeated")
    whom.add_argument(
        "--like",
        action="append",
        metavar="ITEM",
        help="recommend for items (or files) instead of a user; can be repeated",
    )
    whom.add_argument("--all-users", action="store_true", help="all users; needs --out")
    add("--top", type=count, default=20, metavar="N", help="items per user (default: 20)")
    add("--out", metavar="FILE", help="file to write: .csv or .parquet")
    add("--format", choices=("table", "csv", "json"), default="table", help="default: table")
    add("--unit", choices=("artist", "track"), help="kind of items (default: artist)")
    add("--columns", metavar="NAMES", help=COLUMNS)
    add("--names", metavar="FILE", help="names of items: a table with the columns id and name")
    add("--content", metavar="FILE", help="audio features: file of 'genrenet embed' or 'scan'")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter")
    add("--seed", type=int, default=0, help="default: 0")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet recommend``; see `genrenet.cli.main`."""
    if list(arguments[:1]) == ["evaluate"]:
        from genrenet.cli import recommend_evaluate

        return recommend_evaluate.run(command, arguments[1:])
    parser = make_parser(command)
    options = parser.parse_args(arguments)
    if not (options.user or options.like or options.all_users):
        parser.error("wanted --user U, --like ITEM or --all-users")
    if options.all_users and not options.out:
        parser.error("--all-users needs --out FILE")
    from genrenet.recommend.output import check_out, write_recommendations

    out = check_out(options.out) if options.out else None
    model, history, content, songs = _prepared(options)
    liked: list[int] = []
    if options.like:
        from genrenet.recommend.content import start_from
        from genrenet.utils.progress import working

        with working("computing features"):
            history, content, liked = start_from(options.like, history, content, songs)
    settings = dict(setting(text) for text in options.set)
    estimator = model.make(options.seed, **settings)
    tables = _recommended(options, model, estimator, history, content, liked)
    if out is None:
        _print(list(tables), options.format)
    else:
        rows = write_recommendations(out, tables)
        say(f"{plural(rows, 'recommendation')} in {printable(out)}")
        fact(recommendations=rows, out=printable(out), model=model.name)
    _next(options)
    return 1 if history.skipped else 0


def _next(options: argparse.Namespace) -> None:
    if options.like:
        library = options.history[0]
        place = unless_configured("table", library) and unless_configured("embeddings", library)
        words = ["--like", options.like[0], "--top", str(2 * options.top), "--out", "more.csv"]
        next_step("recommend", *place, *words, why="writes more of them to a file")
    else:
        histories = [*map(printable, options.history)]
        next_step("recommend", "evaluate", *histories, why="compares recommenders")


def _prepared(
    options: argparse.Namespace,
) -> tuple[Recommender, History, NDArray[np.float32] | None, SongContent | None]:
    """Return the model, its training data, and the source of the content."""
    from genrenet.recommend import RecommendError, recommender
    from genrenet.recommend.content import is_library, library_history, read_content

    if len(options.history) == 1 and is_library(options.history[0]):
        model = recommender(options.model or "content")
        for name in ("user", "all_users", "content", "unit", "columns"):
            if getattr(options, name):
                raise RecommendError(
                    f"--{name.replace('_', '-')}",
                    found="a library, which has no plays",
                    remedy="name songs to start from with --like, or a listening history",
                )
        if "plays" in model.needs:
            raise RecommendError(
                f"the recommender '{model.name}' needs listening histories",
                found="a library, which has no plays",
                remedy="use --model content",
            )
        songs = read_content(options.history[0])
        history = library_history(songs)
        return model, with_names(history, options.names), songs.rows, songs
    model = recommender(options.model or "hybrid")
    history, content, content_songs = read_all(
        options.history, options.unit, options.names, options.content, options.columns
    )
    if content is None and "content" in model.needs:
        raise RecommendError(
            f"the recommender '{model.name}' needs features of the songs' audio",
            remedy="pass --content FILE, a file of 'genrenet embed' or 'genrenet scan'",
        )
    return model, history, content, content_songs


def _recommended(
    options: argparse.Namespace,
    model: Recommender,
    estimator: Any,
    history: History,
    content: NDArray[np.float32] | None,
    liked: Sequence[int],
) -> Iterator[pa.Table]:
    """Yield the tables of recommendations as they are computed; report their basis at the end."""
    from scipy.sparse import vstack

    from genrenet.recommend import RecommendError
    from genrenet.recommend.output import as_table
    from genrenet.recommend.ranking import recommend
    from genrenet.utils.progress import progress_bar

    if options.all_users:
        histories, users = history.plays, history.users
    elif options.like:
        histories, users = history.one(liked), [""]
    else:
        users = list(dict.fromkeys(options.user))
        histories = vstack([_history_of(user, history, model) for user in users], format="csr")
    try:
        estimator.fit(history.plays, content)
    except (ValueError, ArithmeticError) as error:
        raise RecommendError(
            f"the recommender '{model.name}' cannot be trained on this: {error}"
        ) from error
    sources: Counter[str] = Counter()
    served = done = 0
    with progress_bar("recommending") as show:
        for block in recommend(estimator, histories, options.top):
            sources.update(block.sources)
            served += int((block.items[:, 0] >= 0).sum())
            done += len(block.rows)
            yield as_table(block, users, history)
            show(done, len(users))
    if sources:
        words = ", ".join(
            word if len(users) == 1 else f"{word}: {number}" for word, number in sources.items()
        )
        warn(f"{model.name} is based on {words}")
    if served < len(users):
        warn(
            f"nothing to recommend to {len(users) - served} of {len(users)} users: '{model.name}' "
            "knows none of their items, or they have all items"
        )


def _history_of(user: str, history: History, model: Recommender) -> Any:
    """Return a user's plays: none for a new user, if the model supports that."""
    from genrenet.recommend import HistoryError

    try:
        return history.plays[[history.user(user)]]
    except HistoryError as error:
        if model.name not in ("hybrid", "popularity"):
            raise
        warn(f"{error}; treated as a new user")
        return history.one([])


def _print(tables: Sequence[pa.Table], style: str) -> None:
    import pyarrow as pa

    from genrenet.recommend.output import write_csv

    table = pa.concat_tables(tables)
    if style == "json":
        show(table.to_pylist())
        return
    if style == "csv":
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(table.column_names)
        write_csv(rows, table)
        return
    _print_table(table)


def _print_table(table: pa.Table) -> None:
    shown = [
        name for name in ("user", "rank", "item", "name", "score") if name in table.column_names
    ]
    if len({*table["user"].to_pylist()}) <= 1:
        shown.remove("user")
    rows = ({**row, "score": f"{row['score']:.4g}"} for row in table.to_pylist())
    print_table(shown, ([row[name] for name in shown] for row in rows))
