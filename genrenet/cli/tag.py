"""``genrenet tag``: write the genres of a scanned library into the files' tags, and undo it."""

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
  genrenet tag library.parquet                              shows what would change
  genrenet tag library.parquet --write
  genrenet tag library.parquet --min-confidence 0.8 --overwrite --write
  genrenet tag library.parquet --genres 3 --subgenres style --refine --write
  genrenet tag library.parquet --map names.csv --rules rules.yaml --write
  genrenet tag --undo library.parquet.undo.jsonl --write    restores the old genres

Which songs: a file that has a genre is left alone unless --overwrite is given. The genre may be in
the tag that is written or in another one (APEv2 of an MP3, the INFO list of a WAV, ID3 before a
FLAC). With --refine, genres that are more specific than the prediction are kept (Shoegaze for
rock), 'Other', 'Unknown', 'Misc' and invalid numbers are replaced, and contradictions are listed.

Which genres: one genre is written by default; the first is the most reliable, and many players show
no other. --genres 3 writes up to three: as a list, or as 'Rock/Pop' in ID3v2.3. --subgenres
grouping writes to ID3 GRP1, GROUPING or ©grp; style writes to TXXX:STYLE or STYLE.

--map: a CSV file with the header 'genre,tag', or a YAML mapping. A tag may hold several genres,
separated by ';'. If it is empty, songs of this genre are left alone. Genres that are not in the map
are written as they are.

--rules: a YAML list. If several rules match a song, later ones take precedence:
  - match: Podcasts              # a folder or file, anywhere; *, ? and ** as in a shell
    skip: true
  - match: ["Classical/*", Opera]
    genres: 2                    # also min-confidence, subgenres (grouping, style, no)
    existing: refine             # keep, refine or overwrite

--nfo writes an album.nfo for each folder whose songs have the same album tag, and an artist.nfo for
each folder of such folders by one artist, with the most frequent genres of the songs. In existing
NFO files only the genres are changed.

Safety: the audio and all other tags stay as they are. The tag is written to a copy, which replaces
the file only if it contains the same audio. This needs disk space for one song, and an interruption
damages no file. If the audio cannot be compared, as in many fragmented MP4 files, the file is not
changed and counts as failed. MP3, WAV and AIFF files without tags get ID3v2.3.

exit code: 0 success, 1 some files failed (they are listed), 2 the command could not be carried out
"""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet tag", "Write the genres of a scanned library into the files' tags.", EXAMPLES
    )
    parser.add_argument("table", nargs="?", metavar="TABLE", help="table of 'genrenet scan'")
    parser.add_argument(
        "--write", action="store_true", help="write the tags (default: only show the changes)"
    )
    parser.add_argument(
        "--min-confidence",
        type=float,
        default=0.5,
        metavar="X",
        help="minimum confidence, 0 to 1 (default: 0.5)",
    )
    parser.add_argument(
        "--genres",
        type=count,
        default=1,
        metavar="N",
        help="write up to N genres that are likely enough, the most likely first (default: 1)",
    )
    parser.add_argument(
        "--subgenres",
        choices=("grouping", "style"),
        help="write subgenres into this tag (default: none)",
    )
    parser.add_argument("--map", metavar="FILE", help="names to write for genres; see below")
    parser.add_argument("--rules", metavar="FILE", help="other options for some folders; see below")
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
        help="do not change files that have a genre in any of their tags (the default)",
    )
    having.add_argument(
        "--overwrite", action="store_true", help="replace the genres that files have"
    )
    parser.add_argument(
        "--refine",
        action="store_true",
        help="keep more specific genres, replace 'Other', 'Unknown' and invalid numbers, and list "
        "genres that contradict the prediction",
    )
    parser.add_argument(
        "--force", action="store_true", help="also write to files that have changed since the scan"
    )
    parser.add_argument(
        "--undo-file", metavar="FILE", help="file for the old genres (default: TABLE.undo.jsonl)"
    )
    parser.add_argument(
        "--undo", metavar="FILE", help="restore the genres that an earlier run replaced"
    )
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet tag``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    options = parser.parse_args(arguments)
    if (options.table is None) == (options.undo is None):
        parser.error("wanted either TABLE or --undo FILE")
    if options.nfo and (options.subgenres or options.albums or options.force):
        parser.error("--subgenres, --albums and --force cannot be used with --nfo")
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
            return _tell(found, TagReport(base, options.write, options.min_confidence), options)
        table, wish = Path(options.table), _wish(options)
        undo = Path(_undo_file(options)) if options.write else None
        rules = read_rules(Path(options.rules)) if options.rules else None
        base = _library(row["path"] for row in read_rows(table, keys=["path"]))
        if options.nfo:
            found = tag_nfo(table, wish, undo=undo, rules=rules)
        else:
            found = tag_songs(table, wish, undo=undo, show=show, albums=options.albums, rules=rules)
        return _tell(found, TagReport(base, options.write, options.min_confidence), options)


def _library(paths: Iterable[str]) -> str:
    """Return the folder of all songs, which must be there."""
    from genrenet.library.table import file_of

    base = common_folder(paths)
    if base and not os.path.isdir(file_of(base)):
        raise TagError(
            f"the library '{base}' is gone",
            remedy="mount its drive, or scan the folder where the songs are now",
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
            raise TagError(f"--{name.replace('_', '-')} cannot be used with --undo")


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
            "no song has subgenres: the model has none; with --taxonomy discogs, musicbrainz or "
            "beets some genres are subgenres of others"
        )
    again = [word for word in options.words if word not in ("-q", "--quiet", "--json")]
    if tagged and not options.write:
        next_step("tag", *again, "--write", why="writes the tags")
    elif tagged and options.table:
        next_step("tag", "--undo", _undo_file(options), "--write", why="restores the old genres")
    elif report.counts["kept"] and not options.refine:
        next_step("tag", *again, "--refine", why="also checks existing genres")
    return code


def _undo_file(options: argparse.Namespace) -> str:
    return str(options.undo_file or f"{options.table}.undo.jsonl")
