"""Whether a model may be used commercially, according to its licence."""

from __future__ import annotations

import os
from pathlib import Path

from genrenet.models.adapters.registry import card_of, is_reference, located
from genrenet.models.checkpoints.finding import shipped_checkpoints
from genrenet.models.checkpoints.header import CheckpointError, backbones, read_header
from genrenet.models.checkpoints.registry import published_models
from genrenet.utils.errors import printable

FREE = frozenset(
    {"MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "CC0", "CC0-1.0", "CC-BY-4.0"}
)
"""Licences that clearly allow commercial use."""


def commercial(licence: str) -> str:
    """Return whether a licence allows commercial use.

    Returns
    -------
    str
        "yes"; "no" for a non-commercial licence; "not settled" for all others, such as weights
        under a free licence that were trained on music licensed for research.

    Examples
    --------
    >>> commercial("MIT"), commercial("CC BY-NC-SA 4.0"), commercial("")
    ('yes', 'no', 'not settled')
    >>> commercial("apache-2.0"), commercial("cc-by-nc-4.0")
    ('yes', 'no')
    """
    if licence.strip().replace(" ", "-").upper() in {name.upper() for name in FREE}:
        return "yes"
    known = licence.upper().replace("-", " ").split()
    return "no" if known[:1] == ["CC"] and "NC" in known else "not settled"


def backbone_licence(name: str, sha256: str) -> str:
    """Return the licence of a backbone that a checkpoint names; empty if unknown."""
    if is_reference(name):
        return card_of(located(name, sha256)).licence
    known = published_models().get(name)
    return known.licence if known else ""


def require_commercial(name_or_path: str | os.PathLike[str]) -> None:
    """Raise an error for a model whose licence does not allow commercial use.

    For a file of the user's own, whose training data the user knows, only the published backbones
    are checked.

    Raises
    ------
    CheckpointError
        It does not, or that is not settled.
    """
    name = os.fspath(name_or_path)
    own, published, shipped = Path(name).is_file(), published_models(), shipped_checkpoints()
    licences = {name: published[name].licence} if name in published and not own else {}
    if is_reference(name) and not own:
        licences[name] = card_of(name).licence
    file = Path(name) if own else shipped.get(name)
    if file is not None and file.suffix == ".ckpt":
        entries = read_header(file)
        if not own:
            licences[name] = str(entries["genrenet"].get("licence", ""))
        for one in backbones(entries, printable(name)):
            licences[str(one["name"])] = backbone_licence(str(one["name"]), str(one["sha256"]))
    for model, licence in licences.items():
        if (allowed := commercial(licence)) != "yes":
            raise CheckpointError(
                f"'{printable(model)}' is not for commercial use: {allowed}",
                found=f"licence {licence or 'unknown'}",
                wanted="a model that 'genrenet checkpoints list' marks with yes, or your own",
                remedy="pass --checkpoint, or leave out --commercial",
            )
