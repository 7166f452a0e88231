"""A progress bar on standard error, shown only to people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows ``done`` of ``total``; nothing appears before its first call.

    Parameters
    ----------
    title : str
        What is going on.

    Examples
    --------
    >>> with progress_bar("counting") as show:
    ...     show(1, 1)
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        # What is printed into a file or a pipe meanwhile belongs there, not on the terminal.
        redirect_stdout=sys.stdout.isatty(),
        transient=True,
    )
    task = None

    def show(done: int, total: int) -> None:
        nonlocal task
        if task is None:
            bar.start()
            task = bar.add_task(title, total=total)
        bar.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        bar.stop()
