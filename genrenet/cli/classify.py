"""``genrenet classify``: a genre for each file."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from genrenet.cli.parsing import (
    CommandParser,
    add_albums_option,
    add_engine_options,
    chosen_taxonomy,
)
from genrenet.cli.tables import Dim, print_table
from genrenet.cli.telling import fact, next_step, plural, say, shares, show, warn
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import GenrenetError, printable, visible
from genrenet.utils.paths import common_folder
from genrenet.utils.strict_json import to_json

if TYPE_CHECKING:
    from genrenet.inference.classify import SongResult

FORMATS = ("table", "csv", "json", "parquet")

EXAMPLES = """examples:
  genrenet classify song.mp3
  genrenet classify ~/Music --format csv --out genres.csv
  genrenet classify mix.ogg --timeline
  genrenet classify ~/Music --checkpoint best.ckpt --format json | jq '.[].genre'
  genrenet classify ~/Music --checkpoint gtzan10-crnn --frames 3
  genrenet classify ~/Music --checkpoint svm.skops

CSV and Parquet files have the columns path, genre, confidence, genres (all that are likely enough),
subgenres, unsure, frames, error and score_<genre> for each genre; with --timeline one row per
frame, with start and end in seconds and frame_genre.

exit code: 0 all songs have a genre, 1 some could not be read, 2 the command could not be carried
out
"""


class ClassifyError(GenrenetError):
    """An invalid request to classify."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet classify",
        "Predict the genres of audio files, and of all songs in folders.",
        EXAMPLES,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="audio files and folders")
    parser.add_argument(
        "--checkpoint",
        help="a .ckpt or .skops file, a name listed by 'genrenet checkpoints list', or a reference "
        "such as onnx:FILE (default: the best available of genres-fused, genres and genres-cnn, "
        "with eleven genres; see docs/models.md)",
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    parser.add_argument("--out", help="file to write (default: standard output)")
    parser.add_argument(
        "--top", type=int, default=3, help="number of genres in a table (default: 3)"
    )
    parser.add_argument(
        "--timeline",
        action="store_true",
        help="show where the genre changes; in JSON, CSV and Parquet also every frame (uses all "
        "frames, unless --frames is given)",
    )
    add_engine_options(parser)
    add_albums_option(parser)
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet classify``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    if options.top < 1:
        raise ClassifyError("--top", found=str(options.top), wanted="1 or more")
    if options.format == "parquet" and not options.out:
        raise ClassifyError("a Parquet file cannot be printed", remedy="pass --out FILE")
    if options.out and not Path(options.out).resolve().parent.is_dir():
        raise ClassifyError(
            f"no folder '{Path(options.out).parent}' to write into", remedy="create it first"
        )
    from genrenet import audio

    audio.start()  # a decoding process starts while this one imports torch
    from genrenet.inference.answers import SOFTMAX, rule_of
    from genrenet.inference.classify import open_method, score_songs, songs_or_error
    from genrenet.inference.scorers import SongScorer
    from genrenet.models.checkpoints import default_checkpoint
    from genrenet.models.checkpoints.licences import require_commercial
    from genrenet.utils.hardware import keep_freed_memory
    from genrenet.utils.progress import progress_bar, working

    keep_freed_memory()
    songs = songs_or_error(options.paths)  # before a model is downloaded and loaded for nothing
    checkpoint = options.checkpoint or default_checkpoint()
    if options.commercial:
        require_commercial(checkpoint)
    with working(f"loading {checkpoint}"):
        model = open_method(checkpoint, options.device, options.precision, compiled=options.compile)
    meaningless = options.timeline or options.trim is not None or options.frames is not None
    if isinstance(model, SongScorer) and meaningless:
        raise ClassifyError(
            f"--timeline, --trim and --frames cannot be used with '{checkpoint}'",
            found="a baseline, which classifies whole songs",
            remedy="omit them, or use a network",
        )
    called = chosen_taxonomy(options)
    found: list[SongResult] = []
    with progress_bar("classifying") as show:
        results = score_songs(
            songs,
            model,
            checkpoint=checkpoint,
            trim=options.trim,
            device=options.device,
            frames=options.frames or ("all" if options.timeline else None),
            workers=options.workers,
            taxonomy=called,
        )
        for result in results:
            found.append(result)
            show(len(found), len(songs))
    if options.albums:
        from genrenet.library.albums import results_by_album

        rule = SOFTMAX if isinstance(model, SongScorer) else rule_of(model)
        results_by_album(found, called.rule(rule, model.labels) if called else rule)
    _write(found, options)
    failed = [result for result in found if result.error]
    warn(*(str(result.error) for result in failed))
    if failed:
        warn(f"{len(failed)} of {plural(len(found), 'file')} had an error")
    _summarise(found, options)
    return 1 if failed else 0


def _write(results: list[SongResult], options: argparse.Namespace) -> None:
    if options.format == "parquet":
        with replacing(options.out) as part:
            _frame(results, options.timeline).to_parquet(part, index=False)
    elif options.out:
        with (
            replacing(options.out) as part,
            open(part, "w", encoding="utf-8", newline="") as file,
        ):
            _print(results, options, file)
    elif options.format == "json":
        show(_rows(results, options))
    else:
        _print(results, options, sys.stdout)


def _summarise(results: Sequence[SongResult], options: argparse.Namespace) -> None:
    """Print a summary of the songs, and the next command."""
    genres = Counter(result.genre for result in results if result.genre is not None)
    unsure = sum(result.unsure for result in results)
    failed = sum(result.error is not None for result in results)
    fact(songs=len(results), genres=genres, unsure=unsure, failed=failed, out=options.out)
    if len(results) > 1:
        told = f"{plural(len(results), 'song')}: {shares(genres) or 'none'}; {unsure:,} unsure"
        say(f"{told} in {printable(options.out)}" if options.out else told)
    folder = next((path for path in options.paths if os.path.isdir(path)), None)
    model = ["--checkpoint", options.checkpoint] if options.checkpoint else []
    if folder is not None:
        why = "stores the genres in a table"
        next_step("scan", folder, *model, "--out", "genres.parquet", why=why)
    elif not options.timeline and failed < len(results):
        song = next(result.path for result in results if result.error is None)
        why = "shows where the genre changes"
        next_step("classify", song, *model, "--timeline", why=why)


def _rows(results: Sequence[SongResult], options: argparse.Namespace) -> list[dict[str, Any]]:
    return [result.as_dict(timeline=options.timeline) for result in results]


def _print(results: list[SongResult], options: argparse.Namespace, file: TextIO) -> None:
    if options.format == "json":
        file.write(to_json(_rows(results, options), ensure_ascii=False, indent=1) + "\n")
    elif options.format == "csv":
        _frame(results, options.timeline).to_csv(file, index=False)
    else:
        _table(results, options.top, options.timeline, file)


def _frame(results: list[SongResult], timeline: bool) -> Any:
    """Return one row per song or frame; a column ``score_<genre>`` for every genre."""
    import pandas as pd

    from genrenet.inference.result import named, score_columns

    columns = score_columns(dict.fromkeys(label for result in results for label in result.scores))
    rows: list[dict[str, Any]] = []
    for result in results:
        song = result.as_dict(timeline=True)
        row = {key: song[key] for key in ("path", "genre", "confidence")}
        row |= {key: named(song[key]) for key in ("genres", "subgenres")}
        row |= {key: song[key] for key in ("unsure", "frames", "error")}
        if timeline:
            for frame in song["timeline"] or [{"start": None, "end": None, "scores": {}}]:
                part = {key: frame[key] for key in ("start", "end")}
                part |= {columns[label]: score for label, score in frame["scores"].items()}
                rows.append({**row, **part, "frame_genre": frame.get("genre")})
        else:
            rows.append(row | {columns[label]: score for label, score in song["scores"].items()})
    return pd.DataFrame(rows)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _table(results: list[SongResult], top: int, timeline: bool, file: TextIO) -> None:
    rows: list[Sequence[object]] = []
    base = common_folder(result.path for result in results) if file.isatty() else ""
    if base:
        print(f"in {printable(base)}", file=file)
    for result in results:
        song = result.as_dict()
        if base:
            song["path"] = printable(os.path.relpath(result.path, base))
        if result.genre is None:
            rows.append((song["path"], "—", "", result.error or ""))
            continue
        ranked = sorted(result.scores.items(), key=lambda pair: -pair[1])[:top]
        others = ", ".join(f"{genre} {score:.2f}" for genre, score in ranked[1:])
        genre = f"{result.genre} (unsure)" if result.unsure else result.genre
        rows.append((song["path"], genre, f"{result.confidence:.2f}", others))
        for part in result.sections() if timeline else ():
            span = Dim(f"  {_clock(part.start)} to {_clock(part.end)}")
            rows.append((span, Dim(part.genre), f"{part.confidence:.2f}", ""))
    print_table(("song", "genre", "confidence", "next"), rows, file)
    for note in sorted({note for result in results for note in result.notes}):
        count = sum(note in result.notes for result in results)
        print(visible(f"{count} x {note}"), file=file)
