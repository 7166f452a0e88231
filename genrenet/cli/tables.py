"""Print tables, on a terminal or to a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from genrenet.utils.errors import visible


class Dim(str):
    """A cell that is less important than others."""


def print_table(
    heads: Sequence[str], rows: Iterable[Sequence[object]], file: TextIO | None = None
) -> None:
    """Print a table; its cells are plain text, without markup and control characters.

    On a terminal it fits into the width, and the first column is wrapped rather than cut; elsewhere
    there is no limit, and nothing is cut.

    Parameters
    ----------
    heads : sequence of str
    rows : iterable of sequence
        A cell for each head.
    file : text file, optional
        Standard output by default.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = (file or sys.stdout).isatty()
    console = Console(file=file, width=None if terminal else 10_000)
    table = Table(*heads, box=None, pad_edge=False)
    table.columns[0].overflow = "fold"
    for row in rows:
        table.add_row(
            *(Text(visible(str(cell)), "dim" if isinstance(cell, Dim) else "") for cell in row)
        )
    console.print(table)
