"""``genrenet tag``: the genres of a scanned library into the files' own tags, and back."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from genrenet.cli.parsing import (
    CommandParser,
    add_albums_option,
    add_taxonomy_option,
    chosen_taxonomy,
)
from genrenet.utils.errors import GenrenetError, printable, visible
from genrenet.utils.suggest import nearest

if TYPE_CHECKING:
    from genrenet.library.tagging import Outcome, Wish

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
    "kept": "keep the genre they have (--overwrite replaces it)",
    "unsure": "left alone: below --min-confidence",
    "unmapped": "left alone: the map gives them no tag",
    "nothing": "left alone: the table has no genre for them",
    "changed": "left alone: changed since",
    "gone": "gone",
    "failed": "failed",
}


class TagError(GenrenetError):
    """A request to tag that cannot be carried out."""


def _parser() -> CommandParser:
    parser = CommandParser(
        "genrenet tag", "Write the genres of a scanned library into the files' own tags.", EXAMPLES
    )
    parser.add_argument("table", nargs="?", metavar="TABLE", help="what 'genrenet scan' wrote")
    parser.add_argument("--write", action="store_true", help="do it (default: only show it)")
    parser.add_argument(
        "--min-confidence", type=float, default=0.5, metavar="X", help="from 0 to 1 (default: 0.5)"
    )
    parser.add_argument("--map", metavar="FILE", help="what to write for a genre; see below")
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
        "--force", action="store_true", help="also files that have changed since the scan"
    )
    parser.add_argument(
        "--undo-file", metavar="FILE", help="file of the former genres (default: TABLE.undo.jsonl)"
    )
    parser.add_argument("--undo", metavar="FILE", help="restore the genres that a run replaced")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet tag``; see `genrenet.cli.main`."""
    parser = _parser()
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
        found = tag_songs(table, wish, undo=undo, show=show, albums=options.albums)
        return _tell(found, options)


def _refuse_beside_undo(options: argparse.Namespace, parser: CommandParser) -> None:
    for name in (
        "min_confidence",
        "map",
        "taxonomy",
        "albums",
        "keep_existing",
        "overwrite",
        "force",
        "undo_file",
    ):
        if getattr(options, name) != parser.get_default(name):
            raise TagError(f"--{name.replace('_', '-')} means nothing to --undo")


def _wish(options: argparse.Namespace) -> Wish:
    from genrenet.library.corrections import corrected_rows, genres_of
    from genrenet.library.table import read_about
    from genrenet.library.tagging import Wish

    if not 0 <= options.min_confidence <= 1:
        found = f"{options.min_confidence:g}"
        raise TagError("--min-confidence", found=found, wanted="a number from 0 to 1")
    corrections = (row["correction"] for row in corrected_rows(options.table))
    labels = genres_of(read_about(options.table).labels, corrections)
    names = _read_map(Path(options.map), labels) if options.map else {}
    if called := chosen_taxonomy(options):
        names = {label: (called.rename(label),) for label in labels} | names
    return Wish(options.min_confidence, names, not options.overwrite, options.force)


def _tell(outcomes: Generator[Outcome, None, None], options: argparse.Namespace) -> int:
    """Print outcomes as they come, then how many there were of each kind."""
    from genrenet.library.tagging import FAILED

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


def _read_map(file: Path, labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what to write for each genre that a map names."""
    try:
        read = _read_yaml if file.suffix.lower() in {".yaml", ".yml"} else _read_csv
        found = read(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TagError(f"cannot read the map '{printable(file)}'", found=str(error)) from error
    if unknown := [genre for genre in found if genre not in labels]:
        raise TagError(
            f"the map '{printable(file)}' names genres that the table's model does not know",
            found=", ".join(f"'{genre}'{_near(genre, labels)}" for genre in unknown),
            wanted="one of " + ", ".join(labels),
        )
    return {
        genre: tuple(filter(None, (name.strip() for name in tag.split(";"))))
        for genre, tag in found.items()
    }


def _near(genre: str, labels: Sequence[str]) -> str:
    near = " and ".join(nearest(genre, labels))
    return f" (near {near})" if near else ""


def _read_csv(file: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    with open(file, encoding="utf-8-sig", newline="") as held:
        rows = csv.DictReader(held)
        if {"genre", "tag"} - {*(rows.fieldnames or ())}:
            header = ",".join(rows.fieldnames or ())
            raise TagError(
                f"the map '{printable(file)}'",
                found=f"the header '{header}'",
                wanted="the header 'genre,tag'",
            )
        for row in rows:
            genre = (row["genre"] or "").strip()
            if genre in found:
                raise TagError(f"the map '{printable(file)}' names '{genre}' twice")
            found[genre] = row["tag"] or ""
    return found


def _read_yaml(file: Path) -> Mapping[str, str]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        found = str(error)
    if not isinstance(found, dict):
        raise TagError(
            f"the map '{printable(file)}'", found=str(found), wanted="a YAML mapping: 'rock: Rock'"
        )
    return {
        str(genre): ";".join(map(str, tag)) if isinstance(tag, list) else str(tag or "")
        for genre, tag in found.items()
    }
