"""The model that answers where no other is asked for: the best of those that can be used here.

``genres`` stands on a published model that pip fetches on first use; ``genres-fused`` on another
one too, and is taken where that has been imported. Where there is no network, or nothing may be
fetched, the next of `DEFAULTS` that needs nothing answers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from genrenet.models.checkpoints.finding import DEFAULT_CHECKPOINT, shipped_checkpoints
from genrenet.models.checkpoints.header import backbones, read_header
from genrenet.models.checkpoints.imported import import_checkpoint, imported_checkpoint
from genrenet.models.checkpoints.registry import published
from genrenet.utils.cache import offline
from genrenet.utils.errors import GenrenetError

DEFAULTS = ("genres-fused", DEFAULT_CHECKPOINT, "genres-cnn", "emotify-cnn")
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
        The first of `DEFAULTS` that is shipped and whose backbones are there, or could be fetched
        by pip.
    """
    tell = notice or _print
    shipped, faults = shipped_checkpoints(), []
    for name in DEFAULTS:
        if name not in shipped:
            continue
        stands_on = [str(one["name"]) for one in backbones(read_header(shipped[name]), name)]
        missing = [one for one in stands_on if imported_checkpoint(one) is None]
        if any(published(one).package is None for one in missing):
            continue  # nobody is asked to import it; where that was done, it is the best
        try:
            for one in missing:
                if not offline():
                    tell(f"{name} stands on the published model {one}, which is fetched now")
                import_checkpoint(one)
        except GenrenetError as error:
            faults.append(f"{name} cannot be used ({error})")
            continue
        if faults:
            tell(f"{'; '.join(faults)}; {name} answers instead")
        return name
    return DEFAULT_CHECKPOINT  # opening it tells what is missing


def _print(line: str) -> None:
    print(f"genrenet: {line}", file=sys.stderr)
