"""``genrenet data check|labels|split|prepare|synthesise``: a collection before training."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genrenet.cli.data_labels import add_label_options, check as check_labels
from genrenet.cli.parsing import CommandParser, add_collection_options
from genrenet.cli.tables import print_table
from genrenet.cli.telling import as_json, fact, next_step, plural, say, warn
from genrenet.utils.errors import GenrenetError, printable

if TYPE_CHECKING:
    from genrenet.data.catalog import Catalog

EXAMPLES = """examples:
  genrenet data check ~/Music
  genrenet data labels ~/Music                    probable label errors
  genrenet data labels runs/methods --out labels.csv      from the results of 'genrenet evaluate'
  genrenet data split ~/Music --kind artist --seed 1 --out split.csv
  genrenet data prepare ~/Music /fast/disk/store
  genrenet data prepare ~/Music chunks --format litdata
  genrenet data synthesise corpus
"""


class DataCommandError(GenrenetError):
    """Incompatible options of ``genrenet data``."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    title = "Check, split or prepare a music collection, or synthesise one."
    parser = CommandParser("genrenet data", title, EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(name: str, line: str, *, source: bool = True) -> CommandParser:
        # argparse creates a sub-parser of the parser's own class, and sets its name.
        action: CommandParser = actions.add_parser(
            name, help=line, description=line, epilog=EXAMPLES
        )
        if source:
            action.add_argument("source", metavar="DIR", help="folder, CSV or Parquet table")
            names = ["--source-format"] if name == "prepare" else ["--source-format", "--format"]
            action.add_argument(
                *names, dest="source_format", default="auto", help="default: detected"
            )
            action.add_argument("--subset", default="small", help="subset of FMA (default: small)")
            add_collection_options(action)
            action.add_argument(
                "--segments",
                choices=("auto", "off"),
                default="auto",
                help="keep files that are segments of one song together (default: auto)",
            )
        return action

    check = add("check", "decode every song and list all problems")
    check.add_argument("--no-decode", action="store_true", help="do not decode the songs")
    add_label_options(
        add("labels", "find probable label errors, and genres that are hard to separate")
    )
    split = add("split", "split a collection into training and test set, and check for leakage")
    split.add_argument(
        "--kind", default="auto", help="auto, stratified, artist, fault-filtered ..."
    )
    split.add_argument("--seed", type=int, default=0)
    split.add_argument("--fold", type=int, help="use this fold of a cross-validation")
    split.add_argument("--folds", type=int, default=5)
    split.add_argument("--out", default="split.csv", help="default: split.csv")
    split.add_argument("--no-audio", action="store_true", help="do not look for identical audio")
    prepare = add("prepare", "decode a collection once, for faster training")
    prepare.add_argument(
        "out", metavar="OUT", nargs="?", help="folder (default: where 'genrenet fit' looks for it)"
    )
    prepare.add_argument("--store", metavar="OUT", help="the same as OUT")
    prepare.add_argument(
        "--format",
        choices=("store", "litdata"),
        default="store",
        help="store for this machine, or chunks for streaming (default: store)",
    )
    prepare.add_argument("--sample-rate", type=int, default=12_000, help="in Hz (default: 12000)")
    prepare.add_argument("--dtype", choices=("int16", "float16"), default="int16")
    synthesise = add("synthesise", "synthesise a small corpus of artificial genres", source=False)
    synthesise.add_argument("folder", metavar="DIR")
    synthesise.add_argument("--artists", type=int, default=6, help="artists per genre (default: 6)")
    synthesise.add_argument("--songs", type=int, default=3, help="songs per artist (default: 3)")
    synthesise.add_argument(
        "--seconds", type=float, default=32.0, help="length of a song (default: 32)"
    )
    synthesise.add_argument("--seed", type=int, default=0)
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet data``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    options, rest = parser.parse_known_args(arguments)
    # argparse accepts OUT only if no option is between it and DIR.
    if getattr(options, "out", "") is None and len(rest) == 1 and not rest[0].startswith("-"):
        options.out = rest.pop()
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    actions = {
        "check": _check,
        "labels": check_labels,
        "split": _split,
        "prepare": _prepare,
        "synthesise": _synthesise,
    }
    return actions[options.action](options)


def _read(options: argparse.Namespace) -> Catalog:
    from genrenet.data.catalog import read_catalog

    catalog = read_catalog(
        options.source,
        options.source_format,
        subset=options.subset,
        segments=options.segments,
        labels=options.labels,
    )
    say(*catalog.notes)
    return catalog


def _check(options: argparse.Namespace) -> int:
    from genrenet.data.catalog import check_catalog
    from genrenet.data.splits import song_names
    from genrenet.utils.progress import progress_bar

    catalog = _read(options)
    songs = catalog.table
    problems = list(catalog.problems)
    if not options.no_decode:
        with progress_bar("decoding") as show:
            problems += check_catalog(catalog, progress=show)
    rows = []
    kind = "genre"
    if catalog.multi_label:
        kind, cells = "genres", songs["genres"].str.split("; ")
        songs = songs.assign(genres=cells).explode("genres")
    for genre, group in songs.groupby(kind):
        artists = group["artist"][group["artist"] != ""].nunique()
        hours = group["duration"].sum() / 3600
        number = len(set(song_names(group)))
        rows.append((genre, number, artists or "?", f"{hours:.2f}"))
    songs = catalog.table
    say(f"{catalog.name} ({catalog.format}): {plural(len(songs), 'song')}")
    if not as_json():
        print_table(("genre", "songs", "artists", "hours"), rows)
    known = "known: each is in only one part of a split" if catalog.artists_known else "not known"
    say(f"artists {known}")
    _report(problems)
    say(plural(len(problems), "problem") if problems else "no problems")
    fact(collection=catalog.name, format=catalog.format, songs=len(songs))
    fact(genres={genre: number for genre, number, *_ in rows}, artists=catalog.artists_known)
    fact(problems=[str(problem) for problem in problems])
    next_step("data", "labels", options.source, why="finds probable label errors")
    return 1 if problems else 0


def _report(problems: Sequence[Any]) -> None:
    warn(*map(str, problems))


def _split(options: argparse.Namespace) -> int:
    from genrenet.data.splits import leakage, make_split, write_split
    from genrenet.utils.progress import progress_bar

    catalog = _read(options)
    _report(catalog.problems)
    split = make_split(
        catalog.table, options.kind, seed=options.seed, fold=options.fold, n_folds=options.folds
    )
    write_split(split, options.out)
    counts = ", ".join(f"{count} {part}" for part, count in split.counts().items())
    say(f"{split.name}: {counts}; written to {printable(options.out)}")
    with progress_bar("comparing audio") as show:
        leak = leakage(catalog.table, split, audio=not options.no_audio, progress=show)
    say(leak.report())
    fact(split=split.name, songs=split.counts(), out=printable(options.out))
    fact(leaks=bool(leak), leakage=leak.report())
    where = ["--data.source", options.source, "--data.split", options.out]
    next_step("fit", "--config", "cnn", *where, why="trains a network on it")
    return 1 if leak else 0


def _prepare(options: argparse.Namespace) -> int:
    if options.out is not None and options.store is not None:
        raise DataCommandError(
            "two folders to write to",
            found=f"'{printable(options.out)}' and --store '{printable(options.store)}'",
            wanted="one",
        )
    out = options.store if options.out is None else options.out
    made = _chunks(options, out) if options.format == "litdata" else _store(options, out)
    if made is None:
        return 2
    folder, n_songs, errors = made
    warn(*errors.values())
    good = n_songs - len(errors)
    say(f"{plural(good, 'song')} in {printable(folder)}, {len(errors)} skipped")
    fact(songs=good, skipped=len(errors), out=printable(folder), format=options.format)
    streamed = ["--data.source", folder]
    stored = ["--data.source", options.source, "--data.store", folder]
    where = streamed if options.format == "litdata" else stored
    next_step("fit", "--config", "cnn", *where, why="trains a network on it")
    return 1 if errors else 0


def _store(options: argparse.Namespace, out: str | None) -> tuple[str, int, dict[str, str]] | None:
    from genrenet.data.datamodule import GenreDataModule

    data = GenreDataModule(
        options.source,
        options.source_format,
        options.subset,
        options.segments,
        options.labels,
        store=out or "auto",
        sample_rate=options.sample_rate,
        store_dtype=options.dtype,
    )
    data.prepare_data()
    if data.store_folder is None:
        return None
    from genrenet.data.decoded_store import PreparedStore

    store = PreparedStore(data.store_folder, data.catalog.table["path"])
    return str(store.folder), len(store), store.errors


def _chunks(options: argparse.Namespace, out: str | None) -> tuple[str, int, dict[str, str]]:
    if out is None or options.dtype != "int16":
        raise DataCommandError(
            "chunks for streaming cannot be written like that",
            found="no folder" if out is None else options.dtype,
            wanted="a folder to write to: DIR OUT" if out is None else "int16",
        )
    from genrenet.data.litdata.writer import write_streamed
    from genrenet.utils.progress import progress_bar

    catalog = _read(options)
    _report(catalog.problems)
    with progress_bar("preparing songs") as show:
        made = write_streamed(catalog, out, sample_rate=options.sample_rate, progress=show)
    return out, len(catalog), made.errors


def _synthesise(options: argparse.Namespace) -> int:
    from genrenet.data.synthesis import synthesise_corpus
    from genrenet.utils.progress import progress_bar

    with progress_bar("synthesising") as show:
        folder = synthesise_corpus(
            options.folder,
            artists=options.artists,
            songs=options.songs,
            seconds=options.seconds,
            seed=options.seed,
            progress=show,
        )
    say(f"synthesised genres in {printable(folder)}")
    fact(out=printable(folder))
    next_step("data", "check", str(folder))
    return 0
