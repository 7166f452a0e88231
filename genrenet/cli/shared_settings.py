"""Settings that several commands share, and settings allowed in a library's own file.

A shared setting is written once, at the top of a configuration, and sets options and arguments of
the commands listed here.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Condition = Callable[[argparse.Namespace, str, Sequence[str]], bool]
"""Whether a command uses a value, by its other arguments and the configured library's folders."""


def _always(options: argparse.Namespace, value: str, library: Sequence[str]) -> bool:
    return True


def _with_table(options: argparse.Namespace, value: str, library: Sequence[str]) -> bool:
    return options.library is not None and os.path.exists(value)


def _smooth(options: argparse.Namespace, value: str, library: Sequence[str]) -> bool:
    return options.order == "smooth" and os.path.exists(value)


def _liked(options: argparse.Namespace, value: str, library: Sequence[str]) -> bool:
    return bool(options.like) and os.path.exists(value)


def _of_folder(options: argparse.Namespace, value: str, library: Sequence[str]) -> bool:
    """For playlists: a table's songs have been scored."""
    return os.path.isdir(options.library or "")


def _own(options: argparse.Namespace, value: str, library: Sequence[str]) -> bool:
    """For a library's table: songs of another library do not belong in it."""
    names = (getattr(options, dest, None) or [] for dest in ("libraries", "paths", "music"))
    named = [path for one in names for path in ([one] if isinstance(one, str) else one)]
    return not library or all(_inside(path, library) for path in named)


def _own_there(options: argparse.Namespace, value: str, library: Sequence[str]) -> bool:
    return _own(options, value, library) and os.path.exists(value)


def _inside(path: str, folders: Sequence[str]) -> bool:
    place = Path(os.path.realpath(path))
    return any(place.is_relative_to(os.path.realpath(folder)) for folder in folders)


@dataclass(frozen=True)
class Shared:
    """A shared setting.

    Attributes
    ----------
    summary : str
    uses : dict of str to tuple
        By command: the ``dest`` of its argument, and the condition for using the value.
    """

    summary: str
    uses: dict[str, tuple[str, Condition]] = field(default_factory=dict)


def _engine(name: str, *more: str, playlist: bool = False) -> dict[str, tuple[str, Condition]]:
    use: tuple[str, Condition] = (name, _always)
    uses = dict.fromkeys(("classify", "scan", "serve", *more), use)
    if playlist:
        uses["playlist"] = (name, _of_folder)
    return uses


# The order matters: conditions use the values of earlier settings, and of two for the same argument
# the later one is preferred, as embeddings for recommendations.
SHARED = {
    "library": Shared(
        "folder of music, or a list of them",
        {"scan": ("libraries", _always), "serve": ("music", _always), "embed": ("paths", _always)},
    ),
    "table": Shared(
        "what 'genrenet scan' keeps: .parquet or .sqlite",
        {
            "scan": ("out", _own),
            "tag": ("table", _always),
            "serve": ("library", _own_there),
            "playlist": ("library", _always),
            "correct": ("library", _always),
            "adapt": ("table", _always),
            "recommend": ("history", _liked),
        },
    ),
    "embeddings": Shared(
        "what 'genrenet embed' writes: .npz or .parquet",
        {
            "embed": ("out", _own),
            "serve": ("embeddings", _with_table),
            "playlist": ("embeddings", _smooth),
            "recommend": ("history", _liked),
        },
    ),
    "checkpoint": Shared("model that names genres", _engine("checkpoint", playlist=True)),
    "taxonomy": Shared("names of genres", _engine("taxonomy", playlist=True)),
    "frames": Shared("frames heard of a song", _engine("frames", "embed", playlist=True)),
    "trim": Shared("most seconds dropped at both ends", _engine("trim", "embed")),
    "albums": Shared(
        "whether songs of an album inform each other",
        dict.fromkeys(("classify", "tag", "playlist"), ("albums", _always)),
    ),
    "device": Shared("such as cpu or cuda", _engine("device", "embed", "adapt", playlist=True)),
    "precision": Shared("auto, 32, bf16 or 16", _engine("precision")),
    "compile": Shared("whether networks are compiled first", _engine("compile")),
    "workers": Shared("cores to use", _engine("workers")),
    "offline": Shared("whether nothing is fetched", _engine("offline")),
    "commercial": Shared("whether licences must allow commerce", _engine("commercial")),
}

PLACES = ("library", "table", "embeddings")
"""Shared settings that name files and folders."""

ALONE = {"tag": ("undo",)}
"""Options with another purpose: if one of them is on the command line, nothing is taken from a
configuration."""

OF_LIBRARIES: dict[str, tuple[str, ...]] = {
    "": (*PLACES, "checkpoint", "taxonomy", "frames", "trim", "albums"),
    "scan": ("checkpoint", "taxonomy", "frames", "trim"),
    "tag": (
        *("min-confidence", "genres", "subgenres", "map", "rules", "taxonomy", "albums"),
        *("keep-existing", "refine"),
    ),
    "playlist": ("min-confidence", "by-score", "length", "songs", "exclude", "order", "choose"),
    "embed": ("backbone", "layer", "per", "frames", "trim"),
}
"""Settings allowed in a library's own file, by command ("" for shared settings): the file may come
from others, so it can neither change files, nor listen on the network, nor name files outside of
the library."""

FILES = ("FILE", "DIR", "TABLE", "LIBRARY", "FOLDER", "PATH", "OUT", "FILE.csv", "FILE.ckpt")
"""Metavars of options that name files."""

FILES_TOO = ("out", "checkpoint", "taxonomy", "backbone", "names", "content")
"""Options that take file names, and have no such metavar or may also take other names."""

SUFFIXES = (".ckpt", ".skops", ".csv", ".parquet", ".npz", ".yaml")
"""Whether a value is a file where names are allowed as well."""
