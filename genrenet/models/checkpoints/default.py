"""The model that answers where no other is asked for: the best of those that can be had.

``genres`` stands on a published model that is fetched on first use. Where it cannot be, because
there is no network or nothing may be fetched, the next of `DEFAULTS` that is whole answers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from genrenet.models.checkpoints.finding import DEFAULT_CHECKPOINT, shipped_checkpoints
from genrenet.models.checkpoints.header import read_header
from genrenet.models.checkpoints.imported import import_checkpoint, imported_checkpoint
from genrenet.utils.cache import offline
from genrenet.utils.errors import GenrenetError

DEFAULTS = (DEFAULT_CHECKPOINT, "genres-cnn", "emotify-cnn")
"""Shipped checkpoints, the best first."""

Notice = Callable[[str], None]


def default_checkpoint(notice: Notice | None = None) -> str:
    """Return the name of the model to use where none is named.

    Parameters
    ----------
    notice : callable, optional
        Told in one line what is fetched, and which model answers where that fails; by default both
        go to standard error.

    Returns
    -------
    str
        The first of `DEFAULTS` that is shipped and whose backbone is there, or could be fetched.
    """
    tell = notice or _print
    shipped, faults = shipped_checkpoints(), []
    for name in DEFAULTS:
        if name not in shipped:
            continue
        backbone = read_header(shipped[name])["genrenet"].get("backbone")
        try:
            if backbone is not None and imported_checkpoint(backbone["name"]) is None:
                if not offline():
                    tell(f"{name} stands on the published model {backbone['name']}: fetching it")
                import_checkpoint(backbone["name"])
        except GenrenetError as error:
            faults.append(f"{name} cannot be used ({error})")
            continue
        if faults:
            tell(f"{'; '.join(faults)}; {name} answers instead")
        return name
    return DEFAULT_CHECKPOINT  # whoever opens it tells what is missing


def _print(line: str) -> None:
    print(f"genrenet: {line}", file=sys.stderr)
