"""``genrenet tag``: the genres of a scanned library into the files' own tags, and back."""

from __future__ import annotations

import argparse
import os
from collections.abc import Generator, Iterable, Sequence
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
from genrenet.cli.tag_report import TagReport
from genrenet.cli.telling import next_step, say
from genrenet.utils.errors import GenrenetError
from genrenet.utils.paths import common_folder

if TYPE_CHECKING:
    from genrenet.library.tag_plans import Outcome, Wish

EXAMPLES = """examples:
  genrenet tag library.parquet                              shows what would be changed
  genrenet tag library.parquet --write
  genrenet tag library.parquet --min-confidence 0.8 --overwrite --write
  genrenet tag library.parquet --genres 3 --subgenres style --refine --write
  genrenet tag library.parquet --map names.csv --rules rules.yaml --write
  genrenet tag --undo library.parquet.undo.jsonl --write    restores the former genres

A map is a CSV file with the header 'genre,tag', or a YAML mapping. A tag may hold several genres,
separated by ';'; with an empty one, songs of this genre are left alone. Genres that the map does
not name are written as they are.
A file that has a genre is left alone unless --overwrite is given: a genre in the tag that is
written, or in one that is not (APEv2 of an mp3, the INFO list of a wav, ID3 before a flac).
--refine looks at it: what lies below ours is kept (Shoegaze where ours is rock), 'Other',
'Unknown', 'Misc' and numbers of no genre are replaced, what contradicts ours is listed.
One genre is written by default: the first is the most reliable, and many players show no other.
--genres 3 writes up to three as the table has them: as a list, in ID3v2.3 as 'Rock/Pop'.
--subgenres grouping writes ID3 GRP1, GROUPING or ©grp; style writes TXXX:STYLE or STYLE.
Rules are a YAML list; of those that match a song, the later prevail:
  - match: Podcasts              # a folder or file, anywhere; *, ? and ** as in a shell
    skip: true
  - match: ["Classical/*", Opera]
    genres: 2                    # also min-confidence, subgenres (grouping, style, no)
    existing: refine             # keep, refine or overwrite
--nfo gives a folder whose songs have one album in their tags an album.nfo, and a folder of such
folders by one artist an artist.nfo, with the genres of most of their songs. Of files that are there
only the genres change.
Audio and all other tags stay. A song is changed in a copy that takes its place once it is shown to
hold the same audio, so there must be space for one song, and an interruption damages none. Where it
cannot be shown, as of many fragmented MP4s, the song is left as it is, and counts as failed.
mp3, wav and aiff without tags get ID3v2.3.

exit code: 0 done, 1 some files failed (they are listed), 2 the request cannot be carried out
"""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
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
    parser.add_argument(
        "--nfo",
        action="store_true",
        help="write album.nfo and artist.nfo (Jellyfin, Kodi) instead of the songs' tags",
    )
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
    if options.nfo and (options.subgenres or options.albums or options.force):
        parser.error("--subgenres, --albums and --force mean nothing to --nfo")
    options.words = arguments
    from genrenet.library.nfo_folders import tag_nfo
    from genrenet.library.table import read_rows
    from genrenet.library.tagging import tag_songs, undo_tags
    from genrenet.library.undo_file import read_changes
    from genrenet.utils.progress import progress_bar

    with progress_bar("tagging") as show:
        if options.undo:
            _refuse_beside_undo(options, parser)
            changes = Path(options.undo)
            base = _library(line[0] for line in read_changes(changes))
            found = undo_tags(changes, write=options.write, show=show)
            return _tell(found, TagReport(base, options.write), options)
        table, wish = Path(options.table), _wish(options)
        undo = Path(_undo_file(options)) if options.write else None
        rules = read_rules(Path(options.rules)) if options.rules else None
        base = _library(row["path"] for row in read_rows(table, keys=["path"]))
        if options.nfo:
            found = tag_nfo(table, wish, undo=undo, rules=rules)
        else:
            found = tag_songs(table, wish, undo=undo, show=show, albums=options.albums, rules=rules)
        return _tell(found, TagReport(base, options.write), options)


def _library(paths: Iterable[str]) -> str:
    """Return the folder of all songs, which must be there."""
    from genrenet.library.table import file_of

    base = common_folder(paths)
    if base and not os.path.isdir(file_of(base)):
        raise TagError(
            f"the library '{base}' is gone",
            remedy="mount its disk, or scan where the songs are now",
        )
    return base


def _refuse_beside_undo(options: argparse.Namespace, parser: CommandParser) -> None:
    for name in (
        "min_confidence",
        "genres",
        "subgenres",
        "map",
        "rules",
        "nfo",
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


def _tell(
    outcomes: Generator[Outcome, None, None], report: TagReport, options: argparse.Namespace
) -> int:
    """Tell of outcomes as they come, and what comes next."""
    # Closed even if we are interrupted: only then is the table brought up to date.
    try:
        with closing(outcomes):
            for outcome in outcomes:
                report.add(outcome)
    except GenrenetError:
        if report.counts:
            report.end()
        raise
    code, tagged = report.end(), report.counts["tagged"]
    if options.subgenres and tagged and not report.also:
        say(
            "no song has subgenres here: the model knows none; with --taxonomy discogs, "
            "musicbrainz or beets some genres are subgenres of others"
        )
    again = [word for word in options.words if word not in ("-q", "--quiet", "--json")]
    if tagged and not options.write:
        next_step("tag", *again, "--write", why="does it")
    elif tagged and options.table:
        next_step("tag", "--undo", _undo_file(options), "--write", why="takes it back")
    elif report.counts["kept"] and not options.refine:
        next_step("tag", *again, "--refine", why="looks at the genres they have")
    return code


def _undo_file(options: argparse.Namespace) -> str:
    return str(options.undo_file or f"{options.table}.undo.jsonl")
