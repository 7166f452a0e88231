"""``genrenet embed``: embeddings of songs, in a file for other programs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from genrenet.cli.configured import unless_configured
from genrenet.cli.parsing import (
    FRAMES_HELP,
    TRIM_HELP,
    CommandParser,
    add_trust_option,
    frames,
)
from genrenet.cli.telling import as_json, fact, messages_aside, next_step, plural, say, warn
from genrenet.utils.errors import GenrenetError, printable
from genrenet.version import __version__

SUFFIXES = (".parquet", ".npz")

EXAMPLES = """examples:
  genrenet embed --backbone msd-crnn --layer list
  genrenet embed ~/Music --backbone msd-crnn --out songs.parquet
  genrenet embed ~/Music --backbone best.ckpt --layer conv3,embedding --per song --out songs.npz
  genrenet embed ~/Music --backbone hf:facebook/wav2vec2-base --layer layer5 --out songs.npz

Parquet files have one row per frame (path, song, start, end, embedding). With '--per both', a
second file NAME.songs.parquet has one row per song (path, frames, mean, std, error); 'song' is the
number of the song's row in it. npz files have the arrays embeddings, song, start, end, paths,
song_embeddings, song_std, frames and errors. start and end are in seconds. Songs without frames are
NaN (npz) or null (Parquet). Embeddings are cached; the same command resumes an interrupted run.

exit code: 0 success, 1 some songs could not be read, 2 the command could not be carried out
"""


class EmbedError(GenrenetError):
    """An invalid request to embed."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet embed",
        "Write embeddings of songs, the output of a layer, to a file.",
        EXAMPLES,
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="audio files and folders")
    parser.add_argument(
        "--backbone",
        required=True,
        help="a model's name, a .ckpt file, or a reference: hf:ORG/NAME, onnx:FILE",
    )
    parser.add_argument(
        "--layer",
        default="embedding",
        help="layers to concatenate, separated by commas, or 'list' (default: embedding)",
    )
    parser.add_argument(
        "--per",
        choices=("frame", "song", "both"),
        default="both",
        help="one row per frame, per song, or both (default: both)",
    )
    parser.add_argument("--out", metavar="FILE", help="file to write: .parquet or .npz")
    parser.add_argument("--frames", type=frames, metavar="N|all", help=FRAMES_HELP)
    parser.add_argument("--trim", type=float, metavar="S", help=TRIM_HELP)
    parser.add_argument(
        "--device", help="such as cpu, cuda or cuda:1 (default: the fastest available)"
    )
    add_trust_option(parser)
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet embed``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    if options.layer == "list":
        return _list(options)
    _check(options)
    from genrenet.data.coverage import heard_frames
    from genrenet.features import checkpoint_id, iter_embeddings
    from genrenet.inference.song_reader import open_model, songs_or_error
    from genrenet.library.embedding_files import NpzFile, ParquetFile
    from genrenet.utils.progress import progress_bar, working

    # The paths must be valid in any folder.
    songs = [os.path.abspath(path) for path in songs_or_error(options.paths)]
    with working(f"loading {options.backbone}"):
        model = open_model(options.backbone, options.device)
    names = [name.strip() for name in options.layer.split(",")]
    heard = heard_frames(model.frames, options.frames)
    about = {
        "backbone": printable(options.backbone),
        "layer": ",".join(names),
        "checkpoint": checkpoint_id(options.backbone),
        "sample_rate": model.frames.sample_rate,
        "frame_seconds": model.frames.seconds,
        "trim": model.frames.trim if options.trim is None else options.trim,
        "heard": heard,
        "genrenet": __version__,
    }
    found = iter_embeddings(
        songs, options.backbone, names, trim=options.trim, frames=heard, model=model
    )
    out, errors = Path(options.out), []
    kind = NpzFile if out.suffix.lower() == ".npz" else ParquetFile
    with kind(out, options.per, about) as file, progress_bar("embedding") as show:
        for done, song in enumerate(found, 1):
            file.add(song)
            if song.error:
                errors.append(song.error)
            show(done, len(songs))
        file.finish()
    warn(*errors)
    if errors:
        warn(f"{len(errors)} of {plural(len(songs), 'file')} had an error")
    good = len(songs) - len(errors)
    say(f"{plural(good, 'song')} in {printable(out)}: {options.layer} of {about['backbone']}")
    fact(songs=good, failed=len(errors), out=printable(out), **about)
    if good and options.per != "frame":
        place = unless_configured("embeddings", out)
        next_step("recommend", *place, "--like", songs[0], why="finds similar songs")
    return 1 if errors else 0


def _check(options: argparse.Namespace) -> None:
    """Check the options before torch is imported."""
    if not options.paths:
        raise EmbedError("nothing to embed", wanted="files or folders as PATH")
    if options.trim is not None and options.trim < 0:
        raise EmbedError("--trim", found=f"{options.trim:g}", wanted="0 or more")
    if not options.out:
        raise EmbedError("no file to write to", remedy="pass --out FILE.parquet or FILE.npz")
    out = Path(options.out)
    if out.suffix.lower() not in SUFFIXES:
        raise EmbedError(
            f"--out '{printable(out)}'",
            found=f"suffix '{out.suffix}'",
            wanted=" or ".join(SUFFIXES),
        )
    if not out.resolve().parent.is_dir():
        raise EmbedError(
            f"no folder '{printable(out.parent)}' to write into", remedy="create it first"
        )


def _list(options: argparse.Namespace) -> int:
    from genrenet.features import layer_sizes
    from genrenet.inference.song_reader import open_model
    from genrenet.utils.progress import working

    messages_aside()
    with working(f"loading {options.backbone}"):
        sizes = layer_sizes(open_model(options.backbone, options.device))
    fact(backbone=printable(options.backbone), layers=sizes)
    for name, size in sizes.items() if not as_json() else ():
        print(f"{name:<12} {size:>8}")
    folder = options.paths[0] if options.paths else "~/Music"
    words = ["--backbone", options.backbone, "--layer", next(reversed(sizes)), "--out", "songs.npz"]
    next_step("embed", folder, *words)
    return 0
