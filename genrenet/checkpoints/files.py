"""Checkpoints: from a file to a classifier that names genres, running no code in the file.

A checkpoint is a Lightning checkpoint whose entry ``genrenet`` says everything that inference
needs: see `genrenet.classifier.GenreClassifier.description`. `export_checkpoint` keeps just that
and the weights. Files are read with ``weights_only=True``, and only networks that the package knows
by name are built.
"""

from __future__ import annotations

import functools
import os
import warnings
from pathlib import Path
from typing import Any

import torch

from genrenet.classifier import GenreClassifier
from genrenet.description import FORMAT, CheckpointMismatchError
from genrenet.errors import GenrenetError, printable
from genrenet.frames import FrameSettings
from genrenet.frontend import LogMel
from genrenet.networks import NETWORKS

WANTED = "a checkpoint written by 'genrenet fit'"


class CheckpointError(GenrenetError):
    """A file that is not a checkpoint of this package, or one that cannot be used."""


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint's entries.

    Parameters
    ----------
    path : path
        A ``.ckpt`` file.

    Returns
    -------
    dict
        ``genrenet`` (the description), ``state_dict`` and, in full ones, what training needs.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, another program's, or of a later format.
    """
    name = printable(path)
    if not Path(path).is_file():
        raise CheckpointError(f"no checkpoint '{name}'", wanted=WANTED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's remarks on files it then refuses
            entries: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"cannot read '{name}'", found=str(error)) from error
    except Exception as error:  # torch's reader fails on foreign bytes in any way there is
        reason = str(error).strip().splitlines()
        raise CheckpointError(
            f"'{name}' is not a checkpoint that can be read safely",
            found=reason[0] if reason else type(error).__name__,
            wanted=WANTED,
        ) from error
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
            remedy="update genrenet, or train anew",
        )
    checked: dict[str, Any] = entries
    return checked


def open_checkpoint(path: str | os.PathLike[str]) -> GenreClassifier:
    """Classifier of a checkpoint, in eval mode on the CPU.

    Parameters
    ----------
    path : path
        A ``.ckpt`` file.

    Returns
    -------
    GenreClassifier
        With ``labels``, ``frames``, ``scores_from_waveform`` and ``scores_from_logmel``.

    Raises
    ------
    CheckpointError
        See `read_checkpoint`; also an unknown network, or settings no network can be built from.
    CheckpointMismatchError
        The weights do not fit the settings that the checkpoint names.

    Examples
    --------
    >>> model = open_checkpoint("runs/cnn/version_0/checkpoints/best.ckpt")  # doctest: +SKIP
    >>> model.scores_from_waveform(torch.zeros(1, model.frames.n_samples))  # doctest: +SKIP
    """
    entries = read_checkpoint(path)
    description = entries["genrenet"]
    name = printable(path)
    try:
        kind = description["network"]["name"]
        if kind not in NETWORKS:
            raise CheckpointError(
                f"'{name}' holds a network that is not known here",
                found=str(kind),
                wanted=", ".join(NETWORKS),
            )
        model = GenreClassifier(
            description["labels"],
            network=functools.partial(NETWORKS[kind], **description["network"]["settings"]),
            frontend=LogMel.from_settings(description["frontend"]),
            output=description["output"],
            decision=description["decision"],
        )
        model.frames = FrameSettings(**description["frames"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"the description in '{name}' is damaged", found=repr(error), wanted=WANTED
        ) from error
    try:
        model.load_state_dict(entries["state_dict"])
    except RuntimeError as error:
        raise CheckpointMismatchError(
            f"the weights in '{name}' do not fit the network it names",
            found=" ".join(str(error).split())[:300],
            wanted=f"weights of {kind} with {len(description['labels'])} labels",
        ) from error
    kept = ("dataset", "split", "metrics", "backbone", "source")
    model.provenance = {key: description[key] for key in kept if key in description}
    return model.eval()


def export_checkpoint(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> Path:
    """Write a small checkpoint for inference: the description and the weights, nothing else.

    Parameters
    ----------
    source, target : path
        A checkpoint, and the file to write.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    CheckpointError
        See `read_checkpoint`.
    """
    entries = read_checkpoint(source)
    target = Path(target)
    temporary = target.with_name(target.name + ".part")
    torch.save({key: entries[key] for key in ("genrenet", "state_dict")}, temporary)
    os.replace(temporary, target)
    return target
