"""How far something is, on standard error: a bar for people, now and then a line for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_SECONDS = 60.0
"""Seconds between lines where there is no terminal."""


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
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "", "dim")

    console = Console(stderr=True)
    bar = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
        # What is printed into a file or a pipe meanwhile belongs there, not on the terminal.
        redirect_stdout=sys.stdout.isatty(),
    )
    task = None
    began = told = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal task, told
        now = time.monotonic()
        if not console.is_terminal:
            if now - told > LINE_SECONDS:
                told, rate = now, done / (now - began)
                left = (total - done) / rate / 60 if rate else float("inf")
                print(
                    f"{title}: {done} of {total}, {rate:.1f}/s, {left:.0f} min left",
                    file=sys.stderr,
                    flush=True,
                )
            return
        if task is None:
            bar.start()
            task = bar.add_task(title, total=total)
        bar.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        bar.stop()
