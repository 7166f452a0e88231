"""Find the files of checkpoints by name or path, without opening them."""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Sequence
from pathlib import Path

from genrenet.models.adapters.registry import adapters, content_id, is_reference
from genrenet.models.checkpoints.header import CheckpointError, read_header
from genrenet.models.checkpoints.imported import import_checkpoint, imported_checkpoint
from genrenet.models.checkpoints.registry import published_models
from genrenet.utils.cache import sha256_of
from genrenet.utils.errors import printable

SHIPPED = "genrenet_checkpoints"
"""The installed package that holds the shipped checkpoints."""

DEFAULT_CHECKPOINT = "genres"
"""The shipped checkpoint that is used by default, if it can be used; see
`genrenet.models.checkpoints.default`."""


def shipped_checkpoints() -> dict[str, Path]:
    """Return checkpoints that came with the package, by name."""
    try:
        folder = importlib.resources.files(SHIPPED)
    except ModuleNotFoundError:
        return {}
    files = [file for file in folder.iterdir() if isinstance(file, Path)]
    return {file.stem: file for file in sorted(files) if file.suffix == ".ckpt"}


def models_with_label(label: str) -> list[str]:
    """Return the names of shipped and published models with a given genre or tag, in any case.

    "folk" and "Folk music" are the same: labels of AudioSet end in "music". Models with the fewest
    labels come first: they decide between genres, the others are taggers. Published models that
    are neither imported nor downloadable are left out.
    """
    labels: dict[str, Sequence[str]] = {
        name: model.labels
        for name, model in published_models().items()
        if model.sha256 or imported_checkpoint(name)
    }
    for name, path in shipped_checkpoints().items():
        labels[name] = read_header(path)["genrenet"]["labels"]
    wanted = _folded(label)
    known = [name for name, own in labels.items() if wanted in map(_folded, own)]
    return sorted(known, key=lambda name: len(labels[name]))


def _folded(label: str) -> str:
    return label.strip().casefold().removesuffix(" music")


def find_checkpoint(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a checkpoint; a published model is downloaded and imported on first use.

    Parameters
    ----------
    name_or_path : str or path
        An existing file, or else the name of a shipped checkpoint or of a published model.

    Returns
    -------
    Path

    Raises
    ------
    CheckpointError
        There is no such file or name.
    FetchError, CacheError
        See `import_checkpoint`.
    """
    if Path(name_or_path).is_file():
        return Path(name_or_path)
    name, shipped = os.fspath(name_or_path), shipped_checkpoints()
    if name in shipped:
        return shipped[name]
    if name in published_models():
        return import_checkpoint(name)
    if is_reference(name):
        raise CheckpointError(
            f"'{printable(name)}' is a backbone in another format, not a checkpoint",
            wanted="a .ckpt file or a model's name",
            remedy="train a head on it with 'genrenet fit --config transfer', and pass its "
            "checkpoint",
        )
    if name == DEFAULT_CHECKPOINT:
        raise CheckpointError(
            f"the checkpoint {name}, which comes with genrenet, is not in this installation",
            remedy="reinstall genrenet, or pass --checkpoint FILE",
        )
    raise CheckpointError(
        f"no checkpoint '{printable(name_or_path)}'",
        wanted="a .ckpt file written by 'genrenet fit', or one of "
        + ", ".join([*shipped, *published_models()])
        + "; or what an adapter opens: "
        + ", ".join(f"{scheme}:..." for scheme in adapters()),
    )


def has_own_content(name: str) -> bool:
    """Return whether a model is a file of the user's, or one that an adapter opens: identified by
    `content_of` instead of its name.
    """
    return Path(name).is_file() or is_reference(name)


def content_of(name_or_path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of the content of a checkpoint, or of a model that an adapter opens.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    CheckpointError
        There is no such file or name.
    """
    if is_reference(name_or_path):
        return content_id(name_or_path)
    return sha256_of(find_checkpoint(name_or_path))
