"""Divides songs by the first letter of their artists: a split that is easily told to others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    import pandas as pd

    from genrenet.data.splits import Split
    from genrenet.evaluation.protocols import ProtocolKind


def by_first_letter(table: pd.DataFrame, seed: int, letter: str) -> list[Split]:
    """Return one split.

    Parameters
    ----------
    table : DataFrame
        A row a song: ``track_id``, ``genre``, ``artist``, ``path``.
    seed : int
        Not used: there is nothing to draw.
    letter : str
        From the protocol's name, by the group of its pattern.

    Returns
    -------
    list of Split
        Songs for validation are taken from those that are learnt from, as it names none.
    """
    import pandas as pd

    from genrenet.data.splits import Split

    later = table["artist"].str.lower().str[:1] >= letter
    parts = pd.Series("train", index=table["track_id"])
    parts[later.to_numpy()] = "test"
    return [Split(f"artists from {letter} on", parts)]


@hookimpl
def register_protocols(register: Callable[[ProtocolKind], None]) -> None:
    """Add the protocol; where an artist is in both parts, ``lenient=True`` says so in reports."""
    from genrenet.evaluation.protocols import ProtocolKind

    register(
        ProtocolKind(
            name="from-m",
            summary="artists judged from a letter of the alphabet on",
            meaning="Learnt from artists before a letter, judged on those from it on.",
            folds=by_first_letter,
            pattern="from-(?P<letter>[a-z])",
        )
    )
