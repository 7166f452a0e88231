"""``genrenet playlist``: write a playlist of songs of one or several genres."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from genrenet.cli.configured import unless_configured
from genrenet.cli.parsing import (
    FRAMES_HELP,
    CommandParser,
    add_albums_option,
    add_taxonomy_option,
    chosen_taxonomy,
    count,
    frames,
)
from genrenet.cli.telling import as_json, fact, messages_aside, next_step, plural, say, warn
from genrenet.utils.errors import GenrenetError, printable, visible

if TYPE_CHECKING:
    from genrenet.library.songs import LibrarySongs
    from genrenet.playlists import Playlist

_NAMED = 3
"""Maximum number of skipped files that are listed."""

EXAMPLES = """examples:
  genrenet playlist genres.parquet --genre rock --min-confidence 0.7 --length 60min --out rock.m3u8
  genrenet playlist genres.parquet --genre pop:2 rock:1 --length 1h30 --order shuffle --out e.xspf
  genrenet playlist ~/Music --genre classical --songs 20 --frames 3 --out calm.m3u8
  genrenet playlist genres.parquet --genre rock --songs 50 --order smooth --start 'song.mp3' \\
    --embeddings songs.npz --out rock.m3u8
  genrenet playlist genres.parquet --genre pop --exclude Christmas 'artist:the x*' '*live*' \\
    --exclude-list yesterday.m3u8 --length 45 --out pop.json

Songs whose predicted genre is the requested one are taken, the most confident first (at random for
a shuffle; see --choose). The length is met as closely as possible: it is exceeded, by less than
half a song, only if that is closer. Of songs with the same artist and title, or the same content,
one is taken. In a mix, the shares divide the playing time or, with --songs, the number of songs. If
one genre has too few songs, the others fill the rest.

Names that players interpret differently in an M3U8 file (with '#', '?', '%41', a line break, a
space at the end, or bytes that are not UTF-8) are written as absolute file:// URIs.

exit code: 0 success, 1 written, but the library has too few songs or files could not be used (they
are listed), 2 the command could not be carried out
"""


class PlaylistRequestError(GenrenetError):
    """An invalid request for a playlist."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet playlist", "Make a playlist of one or several genres.", EXAMPLES
    )
    add = parser.add_argument
    add("library", metavar="LIBRARY", help="table of 'genrenet scan', or a folder to classify")
    add(
        "--genre",
        nargs="+",
        action="extend",
        default=[],
        metavar="G[:SHARE]",
        help="genres with their shares (default: any genre)",
    )
    add("--min-confidence", type=float, default=0.5, metavar="X", help="0 to 1 (default: 0.5)")
    add(
        "--by-score",
        action="store_true",
        help="take every song whose score for the genre is that high, whatever its predicted genre",
    )
    much = parser.add_mutually_exclusive_group()
    much.add_argument("--length", help="playing time: 60min, 1h30, 45 (minutes), 90s")
    much.add_argument("--songs", type=count, metavar="N", help="number of songs (default: all)")
    add(
        "--exclude",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATTERN",
        help="patterns of paths, names of folders, or 'artist:NAME'",
    )
    add(
        "--exclude-list",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="playlists whose songs are left out",
    )
    add(
        "--order",
        choices=("confidence", "shuffle", "smooth"),
        default="confidence",
        help="highest confidence first, random with artists spread, or similar songs in sequence",
    )
    add(
        "--choose",
        choices=("best", "random"),
        help="which songs to take if there are more than needed (default: random for a shuffle)",
    )
    add("--seed", type=int, default=0, metavar="N", help="seed of random choices (default: 0)")
    add("--start", metavar="SONG", help="first song of a smooth order: a path, or a part of one")
    add(
        "--embeddings",
        metavar="FILE",
        help="file of 'genrenet embed', for a smooth order (default: the genre scores)",
    )
    add(
        "--out",
        default="-",
        metavar="FILE",
        help=".m3u8, .m3u, .xspf, .json or a plugin's format (default: M3U8 to standard output)",
    )
    add(
        "--paths",
        choices=("relative", "absolute", "plain"),
        help="relative to the playlist's folder (default for files), absolute, or plain: relative, "
        "but never with file:// URIs if a name fits in a line (Navidrome, Jellyfin and Lyrion in "
        "containers)",
    )
    add("--title", help="default: the genres")
    add("--checkpoint", help="for a folder: as for 'genrenet classify'")
    add("--frames", type=frames, metavar="N|all", help=f"for a folder: {FRAMES_HELP}")
    add("--device", help="for a folder: such as cpu or cuda (default: the fastest available)")
    add_taxonomy_option(parser)
    add_albums_option(parser)
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet playlist``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    from genrenet.playlists import playlist, read_playlist, write_playlist
    from genrenet.playlists.formats import check_out
    from genrenet.playlists.requests import parse_length
    from genrenet.utils.progress import progress_bar

    # Everything that can be checked at once is, before songs are scored or their tags read.
    printed = options.out == "-"
    if printed:
        messages_aside()
    else:
        check_out(options.out)
    length = parse_length(options.length) if options.length else None
    listed = [song for file in options.exclude_list for song in read_playlist(file)]
    vectors = None
    if options.embeddings:
        from genrenet.library.song_vectors import read_song_vectors

        vectors = read_song_vectors(options.embeddings)
    songs, scored = _songs(options)
    with progress_bar("reading tags") as show:
        made = playlist(
            songs,
            options.genre,
            min_confidence=options.min_confidence,
            by_score=options.by_score,
            length=length,
            count=options.songs,
            exclude=options.exclude,
            listed=listed,
            order=options.order,
            choice=options.choose,
            seed=options.seed,
            vectors=vectors,
            start=options.start,
            title=options.title,
            progress=lambda done, total: show(done, total) if total else None,
        )
    made = replace(made, plain=options.paths == "plain")
    if printed and not as_json():
        _print(made, absolute=options.paths not in ("relative", "plain"))
    elif not printed:
        write_playlist(made, options.out, absolute=options.paths == "absolute")
    failed = _tell_left_out(songs, scored=scored)
    _tell(made, options)
    return 1 if failed or made.short else 0


def _songs(options: argparse.Namespace) -> tuple[LibrarySongs, bool]:
    """Return the songs of the library, and whether they were scored now."""
    from genrenet.library.songs import scanned_songs, scored_songs
    from genrenet.library.table import SUFFIXES

    place = options.library
    scored = os.path.isdir(place) or Path(place).suffix.lower() not in SUFFIXES
    if not os.path.exists(place):
        raise PlaylistRequestError(
            f"there is no library '{printable(place)}'",
            wanted="a music folder, or a table",
            remedy="make one with 'genrenet scan FOLDER --out FILE'",
        )
    for name in ("checkpoint", "frames", "device", "taxonomy"):
        if not scored and getattr(options, name) is not None:
            raise PlaylistRequestError(
                f"--{name} cannot be used with '{printable(place)}'",
                found="a table of songs that are already classified",
                remedy="omit it",
            )
    if not scored:
        return scanned_songs(place, albums=options.albums), scored
    # torch is only needed now.
    from genrenet.utils.hardware import keep_freed_memory
    from genrenet.utils.progress import progress_bar

    keep_freed_memory()
    with progress_bar("scoring") as show:
        songs = scored_songs(
            [place],
            options.checkpoint,
            frames=options.frames,
            device=options.device,
            progress=show,
            albums=options.albums,
            taxonomy=chosen_taxonomy(options),
        )
    return songs, scored


def _print(made: Playlist, *, absolute: bool) -> None:
    from genrenet.playlists.formats import m3u8

    text = m3u8(made, None if absolute else os.getcwd())
    if sys.stdout.isatty():  # on a terminal; in a file or a pipe, players need the exact names
        text = visible(text)
    sys.stdout.flush()
    # M3U8 is UTF-8, whatever the terminal is.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _tell_left_out(songs: LibrarySongs, *, scored: bool) -> int:
    """Report unusable songs of the library; return the number of files that count as failed."""
    from genrenet.library.songs import GONE, NO_MUSIC, SAME_FILE

    gone, unusable = [], []
    for left_out, reason in songs.left_out.items():
        path = printable(left_out)
        if reason == GONE:
            gone.append(f"'{path}' has been deleted or moved since the scan")
        elif reason not in (SAME_FILE, NO_MUSIC):
            unusable.append(reason if path in reason else f"'{path}': {reason}")
    # The scan has already reported the songs with errors in a table.
    failed = gone + unusable if scored else gone
    warn(*failed[:_NAMED])
    if len(failed) > _NAMED:
        warn(f"and {len(failed) - _NAMED} more")
    if gone:
        warn(
            f"{len(gone)} of {len(songs) + len(songs.left_out)} files have been moved or deleted "
            "since the scan; run 'genrenet scan' again"
        )
    if unusable:
        warn(f"{plural(len(unusable), 'file')} without a genre left out")
    fact(gone=len(gone), unusable=len(unusable))
    return len(failed)


def _tell(made: Playlist, options: argparse.Namespace) -> None:
    from genrenet.playlists.base import clock

    warn(*made.notes)
    unknown = sum(song.duration is None for song in made.songs)
    told = f"{plural(len(made.songs), 'song')}, {clock(made.seconds)}"
    if unknown:
        told += f" and {unknown} of unknown length"
    out = None if options.out == "-" else options.out
    say(f"{told} in {printable(out)}" if out else told)
    songs = [{"path": printable(song.path), "genre": song.genre} for song in made.songs]
    fact(title=made.title, songs=songs, seconds=made.seconds, short=made.short, out=out)
    place = unless_configured("table", options.library)
    if out and made.songs:
        first = made.songs[0].path
        next_step("recommend", *place, "--like", first, why="finds songs similar to the first one")
    elif not out:
        genres = [f"--genre={genre}" for genre in options.genre]
        name = re.sub(r"\W+", "-", made.title).strip("-").lower() or "songs"
        next_step(
            "playlist", *place, *genres, "--out", f"{name}.m3u8", why="writes a file for players"
        )
