"""``genrenet embed``: a network's view of songs as numbers, in a file for other programs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrenet.cli.parsing import CommandParser
from genrenet.errors import GenrenetError, printable
from genrenet.version import __version__

if TYPE_CHECKING:
    from genrenet.features import SongEmbedding

SUFFIXES = (".parquet", ".npz")

EXAMPLES = """examples:
  genrenet embed --backbone msd-crnn --layer list
  genrenet embed ~/Music --backbone msd-crnn --out songs.parquet
  genrenet embed ~/Music --backbone best.ckpt --layer conv3,embedding --per song --out songs.npz

Parquet has a row for every frame (path, song, start, end, embedding) and, with '--per both', a
second file NAME.songs.parquet with a row for every song (path, frames, mean, std, error); 'song' is
the song's row in it. npz has the arrays embeddings, song, start, end, paths, song_embeddings,
song_std, frames and errors. Songs without frames are NaN (npz) or null (Parquet).

exit code: 0 all songs are embedded, 1 some could not be read, 2 the request cannot be carried out
"""


class EmbedError(GenrenetError):
    """A request to embed that cannot be carried out."""


def _parser() -> CommandParser:
    parser = CommandParser(
        "genrenet embed", "Write what a layer of a network says of songs to a file.", EXAMPLES
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="audio files and folders")
    parser.add_argument("--backbone", required=True, help="a model's name or a .ckpt file")
    parser.add_argument(
        "--layer",
        default="embedding",
        help="layers, put one behind the other, or 'list' to see them (default: embedding)",
    )
    parser.add_argument(
        "--per", choices=("frame", "song", "both"), default="both", help="rows (default: both)"
    )
    parser.add_argument("--out", metavar="FILE", help="file to write: .parquet or .npz")
    parser.add_argument("--trim", type=float, help="seconds dropped at both ends of songs")
    parser.add_argument("--device", help="such as cpu, cuda or cuda:1 (default: the best there is)")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet embed``; see `genrenet.cli.main`."""
    options = _parser().parse_args(arguments)
    if options.layer == "list":
        return _list(options)
    _check(options)
    from genrenet.features import checkpoint_id, embed_songs
    from genrenet.progress import progress_bar
    from genrenet.streaming import open_model, songs_or_error

    songs = songs_or_error(options.paths)
    model = open_model(options.backbone, options.device)
    names = [name.strip() for name in options.layer.split(",")]
    found: list[SongEmbedding] = []
    with progress_bar("embedding") as show:
        for song in embed_songs(songs, model, names, trim=options.trim):
            found.append(song)
            show(len(found), len(songs))
    about = {
        "backbone": printable(options.backbone),
        "layer": ",".join(names),
        "checkpoint": checkpoint_id(options.backbone),
        "sample_rate": model.frames.sample_rate,
        "frame_seconds": model.frames.seconds,
        "trim": model.frames.trim if options.trim is None else options.trim,
        "genrenet": __version__,
    }
    out = Path(options.out)
    write = _write_npz if out.suffix.lower() == ".npz" else _write_parquet
    try:
        write(found, out, options.per, about)
    except OSError as error:
        raise EmbedError(f"cannot write '{printable(out)}'", found=str(error)) from error
    failed = [song for song in found if song.error]
    for song in failed:
        print(f"genrenet embed: {song.error}", file=sys.stderr)
    if failed:
        print(f"{len(failed)} of {len(found)} files had an error", file=sys.stderr)
    return 1 if failed else 0


def _check(options: argparse.Namespace) -> None:
    """Find what is wrong before anything heavy is imported."""
    if not options.paths:
        raise EmbedError("nothing to embed", wanted="files or folders as PATH")
    if options.trim is not None and options.trim < 0:
        raise EmbedError("--trim", found=f"{options.trim:g}", wanted="0 or more")
    if not options.out:
        raise EmbedError("nowhere to write to", remedy="pass --out FILE.parquet or FILE.npz")
    out = Path(options.out)
    if out.suffix.lower() not in SUFFIXES:
        raise EmbedError(
            f"--out '{printable(out)}'",
            found=f"suffix '{out.suffix}'",
            wanted=" or ".join(SUFFIXES),
        )
    if not out.resolve().parent.is_dir():
        raise EmbedError(
            f"no folder '{printable(out.parent)}' to write into", remedy="make it first"
        )


def _list(options: argparse.Namespace) -> int:
    from genrenet.features import layer_sizes
    from genrenet.streaming import open_model

    for name, size in layer_sizes(open_model(options.backbone, options.device)).items():
        print(f"{name:<12} {size:>8}")
    return 0


def _replace(write: Any, out: Path) -> None:
    """Write under another name first, so that nobody ever sees half a file."""
    part = out.with_name(out.name + ".part")
    try:
        with open(part, "wb") as file:
            write(file)
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


def _write_npz(
    songs: Sequence[SongEmbedding], out: Path, per: str, about: Mapping[str, Any]
) -> None:
    import numpy as np

    arrays: dict[str, Any] = {
        "paths": np.array([printable(song.path) for song in songs]),
        "frames": np.array([len(song.frames) for song in songs]),
        "errors": np.array([song.error or "" for song in songs]),
    }
    if per != "song":
        arrays["embeddings"] = np.concatenate([song.frames for song in songs])
        arrays["song"] = np.repeat(np.arange(len(songs)), arrays["frames"])
        arrays["start"] = np.concatenate([song.starts for song in songs])
        arrays["end"] = np.concatenate([song.ends for song in songs])
    if per != "frame":
        arrays["song_embeddings"] = np.stack([song.song for song in songs])
        arrays["song_std"] = np.stack([song.std for song in songs])
    _replace(lambda file: np.savez(file, **arrays, **about), out)


def _write_parquet(
    songs: Sequence[SongEmbedding], out: Path, per: str, about: Mapping[str, Any]
) -> None:
    import pyarrow.parquet

    beside = out if per == "song" else out.with_suffix(".songs.parquet")
    tables = {
        **({out: _frame_table(songs)} if per != "song" else {}),
        **({beside: _song_table(songs)} if per != "frame" else {}),
    }
    metadata = {key: str(value) for key, value in about.items()}
    for file, table in tables.items():
        stamped = table.replace_schema_metadata(metadata)
        _replace(lambda sink, held=stamped: pyarrow.parquet.write_table(held, sink), file)


def _frame_table(songs: Sequence[SongEmbedding]) -> Any:
    import numpy as np
    import pyarrow as pa

    rows = np.repeat(np.arange(len(songs)), [len(song.frames) for song in songs])
    paths = pa.array([printable(song.path) for song in songs], pa.string())
    return pa.table(
        {
            "path": paths.take(pa.array(rows)),
            "song": pa.array(rows, pa.int64()),
            "start": np.concatenate([song.starts for song in songs]),
            "end": np.concatenate([song.ends for song in songs]),
            "embedding": _vectors(np.concatenate([song.frames for song in songs])),
        }
    )


def _song_table(songs: Sequence[SongEmbedding]) -> Any:
    import numpy as np
    import pyarrow as pa

    missing = np.array([not len(song.frames) for song in songs])
    return pa.table(
        {
            "path": pa.array([printable(song.path) for song in songs], pa.string()),
            "frames": pa.array([len(song.frames) for song in songs], pa.int64()),
            "mean": _vectors(np.stack([song.song for song in songs]), missing),
            "std": _vectors(np.stack([song.std for song in songs]), missing),
            "error": pa.array([song.error for song in songs], pa.string()),
        }
    )


def _vectors(rows: Any, missing: Any = None) -> Any:
    """Rows of a matrix as lists of a fixed length of float32."""
    import pyarrow as pa

    mask = None if missing is None else pa.array(missing)
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1], mask=mask)
