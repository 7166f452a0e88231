"""``genrenet correct``: record the right genre of songs in a library's table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from genrenet.cli.configured import unless_configured
from genrenet.cli.parsing import CommandParser
from genrenet.cli.tables import print_table
from genrenet.cli.telling import as_json, fact, next_step, plural, say
from genrenet.utils.errors import printable

EXAMPLES = """examples:
  genrenet correct "So What.mp3" jazz --library genres.parquet
  genrenet correct live/*.flac blues --library genres.parquet      several songs of one genre
  genrenet correct --list --library genres.parquet
  genrenet correct --remove "So What.mp3" --library genres.parquet

tag, playlist, recommend and the web page use the correction as the genre, with confidence 1. Later
scans keep it as long as the song's content is the same. The genre may be new to the model; 'not
music' means no genre. 'genrenet adapt' retrains a model with the corrections.

exit code: 0 success, 2 the command could not be carried out (nothing is recorded)
"""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser("genrenet correct", "Record the right genre of songs.", EXAMPLES)
    add = parser.add_argument
    add(
        "words",
        nargs="*",
        metavar="SONG ... GENRE",
        help="songs of the library, followed by their genre",
    )
    add("--library", required=True, metavar="TABLE", help="table of 'genrenet scan'")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list all corrections")
    what.add_argument(
        "--remove", action="store_true", help="remove the corrections of the given songs"
    )
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet correct``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    # Options may come between the songs and the genre.
    options = parser.parse_intermixed_args(arguments)
    if options.list:
        if options.words:
            parser.error("--list takes no songs")
        return _list(options)
    songs = options.words if options.remove else options.words[:-1]
    if not songs:
        parser.error("wanted songs" if options.remove else "wanted a song and its genre")
    from genrenet.library.corrections import correct, spelled
    from genrenet.library.table import read_about
    from genrenet.utils.suggest import did_you_mean

    genre = None if options.remove else options.words[-1]
    rows = correct(options.library, dict.fromkeys(songs, genre))
    for row in rows:
        said = f"{row['genre']} ({row['confidence']:.2f})"
        now = "no correction" if genre is None else row["correction"]
        say(f"{row['path']}: {said} -> {now}")
    labels = read_about(options.library).labels
    if genre is not None and (new := spelled(genre, labels)) not in labels:
        near = did_you_mean(new, labels)
        say(f"'{new}' is not a genre of the model{f'; {near}' if near else ''}")
    changed = f"{plural(len(rows), 'correction')} {'removed' if genre is None else 'recorded'}"
    say(f"{changed} in {printable(options.library)}")
    fact(songs=[_plain(row) for row in rows], table=printable(options.library))
    _next(options)
    return 0


def _list(options: argparse.Namespace) -> int:
    from genrenet.library.corrections import corrected_rows

    rows = corrected_rows(options.library)
    fact(songs=[_plain(row) for row in rows], table=printable(options.library))
    if rows and not as_json():
        print_table(
            ("song", "model", "confidence", "correction"),
            [
                (
                    row["path"],
                    row["genre"] or "",
                    f"{row['confidence'] or 0:.2f}",
                    row["correction"],
                )
                for row in rows
            ],
        )
    say(f"{plural(len(rows), 'correction')} in {printable(options.library)}")
    if rows:
        _next(options)
    return 0


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("path", "genre", "confidence", "correction")}


def _next(options: argparse.Namespace) -> None:
    table = unless_configured("table", options.library)
    next_step("adapt", *table, "--out", "mine.ckpt", why="retrains a model with them")
