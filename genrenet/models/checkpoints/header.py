"""Read the description in a checkpoint without torch and without its weights.

A ``.ckpt`` file is an archive of torch: its entry ``data.pkl`` is a pickle in which weights are
references to other entries. The references are not read here, and objects of torch are replaced by
placeholders. No code of the file is run: ordered dictionaries are the only other class allowed.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

from genrenet.utils.errors import GenrenetError, printable

FORMAT = 1
"""Version of the description in checkpoints."""

HEAD = ("network.head.", "network.module.head.")
"""Prefix of the names of the last layer's weights."""

WANTED = "a checkpoint written by 'genrenet fit'"


class CheckpointError(GenrenetError):
    """A file that is not a checkpoint of this package, or one that cannot be used."""


class _LeftOut:
    """Placeholder for any object of torch; accepts any arguments."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module.partition(".")[0] == "torch":
            return _LeftOut
        raise pickle.UnpicklingError(f"a reference to {module}.{name}")

    def persistent_load(self, _: Any) -> None:
        return None


def read_header(path: str | os.PathLike[str], *, whole: bool = False) -> dict[str, Any]:
    """Read a checkpoint's entries without its weights.

    Parameters
    ----------
    path : path
        A ``.ckpt`` file.
    whole : bool
        Also verify all checksums, so that damaged weights are found too.

    Returns
    -------
    dict
        As from `genrenet.models.checkpoints.read_checkpoint`, but the values of ``state_dict`` are
        meaningless.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, from another program, or of a later format.
    """
    name = printable(path)
    if not Path(path).is_file():
        raise CheckpointError(f"no checkpoint '{name}'", wanted=WANTED)
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip() if whole else None
            pickled = next(entry for entry in archive.namelist() if entry.endswith("/data.pkl"))
            with archive.open(pickled) as file:
                entries: Any = _Unpickler(file).load()
        if damaged:
            raise zipfile.BadZipFile(f"damage in {damaged}")
    except Exception as error:  # unpickling invalid bytes raises many types of errors
        raise CheckpointError(
            f"'{name}' is not a checkpoint that can be read safely",
            found=str(error) or type(error).__name__,
            wanted=WANTED,
        ) from error
    return checked(entries, name)


def backbones(entries: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the backbones that a checkpoint names; none for one trained from scratch.

    Returns
    -------
    list of dict
        ``name`` and ``sha256`` of a published model, and ``prefix`` of the names of its weights in
        the checkpoint, if it is not "network.".

    Raises
    ------
    CheckpointError
        The entry is damaged.
    """
    entry = entries["genrenet"].get("backbone", [])
    found = entry if isinstance(entry, list) else [entry]
    if not all(isinstance(one, dict) and {"name", "sha256"} <= one.keys() for one in found):
        raise CheckpointError(
            f"'{name}' does not say which backbone it was trained on",
            found=f"backbone {entry!r}",
            wanted="name and SHA-256 of a published model",
        )
    return found


def checked(entries: Any, name: str) -> dict[str, Any]:
    """Check that entries belong to a checkpoint of this package.

    Raises
    ------
    CheckpointError
        From another program, or of a later format.
    """
    description = entries.get("genrenet") if isinstance(entries, dict) else None
    if not isinstance(description, dict) or not isinstance(entries.get("state_dict"), dict):
        found = (
            f"entries {sorted(map(str, entries))}" if isinstance(entries, dict) else "no entries"
        )
        raise CheckpointError(
            f"'{name}' is a checkpoint of another program", found=found, wanted=WANTED
        )
    if description.get("format") != FORMAT:
        raise CheckpointError(
            f"'{name}' has another format",
            found=f"format {description.get('format')}",
            wanted=f"format {FORMAT}",
            remedy="update genrenet, or train a new model",
        )
    found_entries: dict[str, Any] = entries
    return found_entries
