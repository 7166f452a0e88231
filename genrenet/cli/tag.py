"""``genrenet tag``: the genres of a scanned library into the files' own tags, and back."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from genrenet.cli.parsing import (
    CommandParser,
    add_albums_option,
    add_taxonomy_option,
    chosen_taxonomy,
    count,
)
from genrenet.cli.tag_files import TagError, read_map, read_rules
from genrenet.utils.errors import printable, visible

if TYPE_CHECKING:
    from genrenet.library.tag_plans import Outcome, Wish

EXAMPLES = """examples:
  genrenet tag library.parquet                              shows what would be changed
  genrenet tag library.parquet --write
  genrenet tag library.parquet --min-confidence 0.8 --overwrite --write
  genrenet tag library.parquet --map names.csv --write
  genrenet tag --undo library.parquet.undo.jsonl --write    restores the former genres

A map is a CSV file with the header 'genre,tag', or a YAML mapping. A tag may hold several genres,
separated by ';'; with an empty one, songs of this genre are left alone. Genres that the map does
not name are written as they are.
A file that has a genre is left alone unless --overwrite is given: a genre in the tag that is
written, or in one that is not (APEv2 of an mp3, the INFO list of a wav, ID3 before a flac).
Audio and all other tags stay. A song is changed in a copy that takes its place once it is shown to
hold the same audio, so there must be space for one song, and an interruption damages none. Where it
cannot be shown, as of many fragmented MP4s, the song is left as it is, and counts as failed.
mp3, wav and aiff without tags get ID3v2.3.

exit code: 0 done, 1 some files failed (they are listed), 2 the request cannot be carried out
"""

_WORDS = {
    "same": "have this genre already",
    "agrees": "keep the genre they have: it is ours, or lies below it",
    "wider": "keep the genre they have: ours lies below it",
    "against": "keep a genre that contradicts ours, listed above (--overwrite replaces it)",
    "kept": "keep the genre they have (--overwrite replaces it)",
    "unsure": "left alone: below --min-confidence",
    "skipped": "left alone: a rule says so",
    "unmapped": "left alone: the map gives them no tag",
    "nothing": "left alone: the table has no genre for them",
    "changed": "left alone: changed since",
    "gone": "gone",
    "failed": "failed",
}


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.commands.parsers`."""
    parser = CommandParser(
        "genrenet tag", "Write the genres of a scanned library into the files' own tags.", EXAMPLES
    )
    parser.add_argument("table", nargs="?", metavar="TABLE", help="what 'genrenet scan' wrote")
    parser.add_argument("--write", action="store_true", help="do it (default: only show it)")
    parser.add_argument(
        "--min-confidence", type=float, default=0.5, metavar="X", help="from 0 to 1 (default: 0.5)"
    )
    parser.add_argument(
        "--genres",
        type=count,
        default=1,
        metavar="N",
        help="write up to N genres, those likely enough, the likeliest first (default: 1)",
    )
    parser.add_argument(
        "--subgenres",
        choices=("grouping", "style"),
        help="write subgenres into this tag (default: nowhere)",
    )
    parser.add_argument("--map", metavar="FILE", help="what to write for a genre; see below")
    parser.add_argument("--rules", metavar="FILE", help="other wishes for some folders; see below")
    add_taxonomy_option(parser)
    add_albums_option(parser)
    having = parser.add_mutually_exclusive_group()
    having.add_argument(
        "--keep-existing",
        action="store_true",
        help="leave files alone that have a genre in any of their tags (the default)",
    )
    having.add_argument(
        "--overwrite", action="store_true", help="replace the genres that files have"
    )
    parser.add_argument(
        "--refine",
        action="store_true",
        help="keep what lies below our genre, replace 'Other', 'Unknown' and wrong numbers, list "
        "the genres that contradict ours",
    )
    parser.add_argument(
        "--force", action="store_true", help="also files that have changed since the scan"
    )
    parser.add_argument(
        "--undo-file", metavar="FILE", help="file of the former genres (default: TABLE.undo.jsonl)"
    )
    parser.add_argument("--undo", metavar="FILE", help="restore the genres that a run replaced")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet tag``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    options = parser.parse_args(arguments)
    if (options.table is None) == (options.undo is None):
        parser.error("either a TABLE or --undo FILE is wanted")
    from genrenet.library.tagging import tag_songs, undo_tags
    from genrenet.utils.progress import progress_bar

    with progress_bar("tagging") as show:
        if options.undo:
            _refuse_beside_undo(options, parser)
            return _tell(undo_tags(Path(options.undo), write=options.write, show=show), options)
        table, wish = Path(options.table), _wish(options)
        undo = Path(options.undo_file or f"{table}.undo.jsonl") if options.write else None
        rules = read_rules(Path(options.rules)) if options.rules else None
        found = tag_songs(table, wish, undo=undo, show=show, albums=options.albums, rules=rules)
        return _tell(found, options)


def _refuse_beside_undo(options: argparse.Namespace, parser: CommandParser) -> None:
    for name in (
        "min_confidence",
        "genres",
        "subgenres",
        "map",
        "rules",
        "taxonomy",
        "albums",
        "keep_existing",
        "overwrite",
        "refine",
        "force",
        "undo_file",
    ):
        if getattr(options, name) != parser.get_default(name):
            raise TagError(f"--{name.replace('_', '-')} means nothing to --undo")


def _wish(options: argparse.Namespace) -> Wish:
    from genrenet.library.corrections import corrected_rows, genres_of
    from genrenet.library.table import read_about
    from genrenet.library.tag_plans import Wish

    if not 0 <= options.min_confidence <= 1:
        found = f"{options.min_confidence:g}"
        raise TagError("--min-confidence", found=found, wanted="a number from 0 to 1")
    corrections = (row["correction"] for row in corrected_rows(options.table))
    labels = genres_of(read_about(options.table).labels, corrections)
    names = read_map(Path(options.map), labels) if options.map else {}
    if called := chosen_taxonomy(options):
        names = {label: (called.rename(label),) for label in labels} | names
    return Wish(
        options.min_confidence,
        names,
        keep_existing=not options.overwrite,
        force=options.force,
        genres=options.genres,
        subgenres=options.subgenres or "",
        parents=called.parents if called else {},
        refine=options.refine,
    )


def _tell(outcomes: Generator[Outcome, None, None], options: argparse.Namespace) -> int:
    """Print outcomes as they come, then how many there were of each kind."""
    from genrenet.library.tag_plans import FAILED

    counts: Counter[str] = Counter()
    # Closed even if we are interrupted: only then is the table brought up to date.
    with closing(outcomes):
        for outcome in outcomes:
            counts[outcome.kind] += 1
            if outcome.kind == "tagged":
                print(f"{printable(outcome.path)}: {_shown(outcome.old)} -> {_shown(outcome.new)}")
            elif outcome.error:
                print(f"genrenet tag: {visible(outcome.error)}", file=sys.stderr)
    done = "changed" if options.write else "would be changed (nothing is written without --write)"
    print(f"{counts['tagged']} {done}")
    for kind, words in _WORDS.items():
        if counts[kind]:
            print(f"{counts[kind]} {words}")
    failed = sum(counts[kind] for kind in FAILED)
    if failed:
        print(f"{failed} of {sum(counts.values())} files had an error", file=sys.stderr)
    return 1 if failed else 0


def _shown(genres: list[str] | None) -> str:
    from genrenet.data.catalog.base import clean

    return "—" if genres is None else "; ".join(map(clean, genres))
