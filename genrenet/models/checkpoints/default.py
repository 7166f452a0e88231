"""The model that is used where none is named: the best one available on this machine.

``genres`` needs a published model that pip downloads on first use; ``genres-fused`` needs another
one, and is used where that has been imported. Without a network connection, or in offline mode, the
next of `DEFAULTS` that needs no download is used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from genrenet.models.checkpoints.finding import DEFAULT_CHECKPOINT, shipped_checkpoints
from genrenet.models.checkpoints.header import backbones, read_header
from genrenet.models.checkpoints.imported import import_checkpoint, imported_checkpoint
from genrenet.models.checkpoints.registry import published
from genrenet.utils.cache import offline
from genrenet.utils.errors import GenrenetError
from genrenet.utils.messages import tell
from genrenet.utils.progress import quiet

DEFAULTS = ("genres-fused", DEFAULT_CHECKPOINT, "genres-cnn", "emotify-cnn")
"""Shipped checkpoints, the best first."""

Notice = Callable[[str], None]


def default_checkpoint(notice: Notice | None = None) -> str:
    """Return the name of the model to use where none is named.

    Parameters
    ----------
    notice : callable, optional
        Called with one line on what is downloaded, and on which model is used if that fails; by
        default both are printed to standard error.

    Returns
    -------
    str
        The first of `DEFAULTS` that is shipped and whose backbones are available, or could be
        downloaded by pip.
    """
    say, faults = notice or _print, []
    for name, missing in _candidates():
        try:
            for one in missing:
                if not offline():
                    say(f"{name} uses the published model {one}, which is downloaded now")
                import_checkpoint(one)
        except GenrenetError as error:
            faults.append(f"{name} cannot be used ({error})")
            continue
        if faults:
            say(f"{'; '.join(faults)}; {name} is used instead")
        return name
    return DEFAULT_CHECKPOINT  # opening it reports what is missing


def expected_checkpoint() -> tuple[str, list[str]]:
    """Return the name of the model that `default_checkpoint` will use, and which published models
    it downloads for it; nothing is downloaded here.
    """
    for name, missing in _candidates():
        if not missing or not offline():
            return name, missing
    return DEFAULT_CHECKPOINT, []


def _candidates() -> Iterator[tuple[str, list[str]]]:
    """Yield models that can be used, and what has to be downloaded for each."""
    shipped = shipped_checkpoints()
    for name in (name for name in DEFAULTS if name in shipped):
        stands_on = [str(one["name"]) for one in backbones(read_header(shipped[name]), name)]
        missing = [one for one in stands_on if imported_checkpoint(one) is None]
        # Models that pip cannot download are used only if the user has imported their backbones.
        if all(published(one).package is not None for one in missing):
            yield name, missing


def _print(line: str) -> None:
    if not quiet():
        tell(f"genrenet: {line}", sys.stderr)
