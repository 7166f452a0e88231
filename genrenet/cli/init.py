"""``genrenet init``: inspect a music folder, and write a configuration for it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from genrenet.cli.configuration import NAME, VARIABLE, ConfigurationError, user_file
from genrenet.cli.parsing import CommandParser
from genrenet.cli.telling import fact, next_step, plural, say, shares
from genrenet.utils.errors import printable

if TYPE_CHECKING:
    from genrenet.library.survey import Survey

EXAMPLES = f"""examples:
  genrenet init ~/Music
  genrenet init /mnt/nas/music --table /home/me/nas.parquet
  genrenet init ~/Vinyl --here
  genrenet init ~/Music --force

The folder is inspected for a few seconds: songs, formats, layout and tags. Nothing in it is
changed. The table of genres is in your user data folder, since music may be on a drive that is
read-only, shared or copied to players; with --here it is in the folder .genrenet of the library,
next to {NAME}. 'genrenet config' changes the settings.

exit code: 0 success, 2 the command could not be carried out (nothing is written)
"""

BACKBONE = "musicnn-msd"
"""Backbone of embeddings: the same as the default model's, so that one download serves both."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser("genrenet init", "Write a configuration for a library.", EXAMPLES)
    add = parser.add_argument
    add("folder", metavar="FOLDER", help="music folder")
    add("--here", action="store_true", help=f"write {NAME} and the table into the library")
    add("--table", metavar="FILE", help="path of the table: .parquet or .sqlite")
    add("--force", action="store_true", help="replace a configuration; keep the old one as .bak")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet init``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    file = _file(options)
    if file.exists() and not options.force:
        raise ConfigurationError(
            f"there is a configuration already: '{printable(file)}'",
            remedy="change it with 'genrenet config set library FOLDER', replace it with --force, "
            "or write a separate one into the library with --here",
        )
    from genrenet.library.survey import survey
    from genrenet.library.table import check_suffix
    from genrenet.utils.progress import progress_bar

    with progress_bar("inspecting the folder") as show:
        found = survey(options.folder, progress=show)
    table = _table(found, options)
    check_suffix(table)
    text = configuration(found, table, file)
    _write(file, table, text)
    _tell(found, table, file)
    return 0


def configuration(found: Survey, table: Path, file: Path) -> str:
    """Return the text of a configuration for a library.

    Parameters
    ----------
    found : Survey
    table : Path
    file : Path
        Target file: paths below its folder are written relative to it.
    """

    from genrenet.cli.configuration_text import scalar

    def place(path: str | Path) -> str:
        inside = Path(path).is_relative_to(file.parent)
        return scalar(os.path.relpath(path, file.parent) if inside else str(path))

    lines = [
        "# Settings of genrenet; 'genrenet config' shows and changes them.",
        "# Shared by the commands (options on the command line come first):",
        f"library: {place(found.folder)}",
        f"table: {place(table)}    # written by 'genrenet scan'",
        f"embeddings: {place(table.with_suffix('.npz'))}    # written by 'genrenet embed'",
        "",
        "embed:",
        f"  backbone: {BACKBONE}",
        "  per: song",
    ]
    if rules := _tag_rules(found):
        lines += ["", "tag:", *(f"  {rule}" for rule in rules)]
    return "\n".join(lines) + "\n"


def _tag_rules(found: Survey) -> list[str]:
    """Return tagging rules that fit the songs' existing tags."""
    if found.placeholders:
        return [f"refine: true    # {found.placeholders} of {found.sampled} say 'Other' or similar"]
    return []


def _file(options: argparse.Namespace) -> Path:
    if options.here:
        return Path(os.path.abspath(options.folder)) / NAME
    if os.environ.get(VARIABLE) == "":
        raise ConfigurationError(
            f"{VARIABLE} is empty, so no configuration is read", remedy="unset it, or name a file"
        )
    return user_file()


def _table(found: Survey, options: argparse.Namespace) -> Path:
    """Return the path for a library's table: a name that no other library uses."""
    if options.table:
        return Path(os.path.abspath(options.table))
    if options.here:
        return Path(found.folder, ".genrenet", "genres.parquet")
    import platformdirs

    folder = platformdirs.user_data_path("genrenet")
    name = re.sub(r"[^\w.-]+", "-", Path(found.folder).name).strip("-.").lower() or "library"
    number = 1
    while True:
        file = folder / f"{name}{'' if number == 1 else f'-{number}'}.parquet"
        if not file.exists() or _is_of(file, found.folder):
            return file
        number += 1


def _is_of(table: Path, folder: str) -> bool:
    """Return whether a table has songs of a folder."""
    from genrenet.library.table import TableError, read_rows

    try:
        first = next(read_rows(table), None)
    except TableError:
        return False
    return first is None or Path(first["path"]).is_relative_to(folder)


def _write(file: Path, table: Path, text: str) -> None:
    from genrenet.cli.configuration_text import write

    try:
        table.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"cannot make the folder '{printable(table.parent)}'",
            found=error.strerror or str(error),
            remedy="name another place with --table FILE"
            + (", or leave out --here" if file.name == NAME else ""),
        ) from error
    if file.exists():
        write(file.with_name(f"{file.name}.bak"), file.read_text("utf-8", "surrogateescape"))
    write(file, text)


def _tell(found: Survey, table: Path, file: Path) -> None:
    from genrenet.library.events import on_network
    from genrenet.models.checkpoints.default import expected_checkpoint

    model, missing = expected_checkpoint()
    about = "" if found.complete else "more than "
    hours = f", about {found.hours:,.0f} hours" if found.hours and found.hours >= 1 else ""
    say(
        f"{printable(found.folder)}: {about}{plural(found.songs, 'song')}{hours} "
        f"({shares(found.formats, 6)}), {_LAYOUTS[found.layout]}",
        f"tags of {plural(found.sampled, 'song')}: {found.with_genre:,} have a genre"
        + (f" ({shares(found.genres, 5)})" if found.genres else "")
        + (f", {found.placeholders:,} say 'Other' or similar" if found.placeholders else ""),
    )
    if found.unreadable:
        say(f"{plural(len(found.unreadable), 'folder')} cannot be read")
    if on_network(found.folder):
        say("it is on a network drive: the time of a scan depends on the speed of the drive")
    if not found.writable:
        say("its files are read-only: 'genrenet tag --write' cannot change them")
    fetched = f"; the first scan downloads {' and '.join(missing)} for it" if missing else ""
    say(f"model: {model}{fetched}", f"written to {printable(file)}:")
    lines = file.read_text("utf-8").splitlines()
    say(*(f"  {line}" for line in lines if line and not line.startswith("#")))
    fact(
        **asdict(found),
        network=on_network(found.folder),
        table=printable(table),
        configuration=printable(file),
        model=model,
    )
    there = " in that folder" if file.name == NAME else ""
    say(f"commands that use these settings{there}:")
    say("  genrenet scan", *(["  genrenet tag"] if found.writable else []))
    say("  genrenet playlist --genre rock --out rock.m3u8", "  genrenet embed", "  genrenet serve")
    next_step("scan", *([found.folder] if file.name == NAME else []), why="predicts the genres")


_LAYOUTS = {
    "Artist/Album": "in folders of artists and albums",
    "one folder a genre": "in one folder per genre",
    "one folder": "in one folder",
    "folders": "in folders",
}
