"""Read listening histories for the commands on recommendations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genrenet.utils.errors import printable, visible

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genrenet.recommend import History
    from genrenet.recommend.content import SongContent


def read_all(
    files: Sequence[str],
    unit: Any,
    names: str | None,
    library: str | None,
    columns: str | None = None,
) -> tuple[History, NDArray[np.float32] | None, SongContent | None]:
    """Return a history, its items' content and the content's source; report skipped rows."""
    from genrenet.recommend import read_history
    from genrenet.recommend.content import read_content, with_content

    named = columns.split(",") if columns else None
    history = with_names(read_history(*files, unit=unit, columns=named), names)
    for line in [*history.notes, *history.skipped]:
        print(f"genrenet recommend: {visible(line)}", file=sys.stderr)
    if library is None:
        return history, None, None
    songs = read_content(library)
    played = len(history.items)
    history, content, matched = with_content(history, songs)
    print(
        f"genrenet recommend: {matched} of {played} items are among the {len(songs.paths)} songs "
        f"of {printable(library)}; {len(history.items) - played} songs are new",
        file=sys.stderr,
    )
    return history, content, songs


def with_names(history: History, names: str | None) -> History:
    """Return a history with displayed names of its items from a table of names."""
    from dataclasses import replace

    from genrenet.recommend import read_names

    return replace(history, names=read_names(names)) if names else history
