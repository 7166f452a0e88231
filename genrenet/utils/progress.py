"""Progress on standard error: a bar on a terminal, lines at intervals in logs."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

QUIET = "GENRENET_QUIET"
"""Environment variable: if it is set, no progress is shown."""

LINE_SECONDS = 60.0
"""Seconds between lines if there is no terminal."""

MOMENT = 1.0
"""Seconds of waiting after which a message is shown."""

_waits: list[str] = []
"""Titles of running work without countable parts, the innermost last."""

_bars: list[str] = []
"""Titles of the bars that are shown."""

_shown = threading.Lock()
"""Lock of the terminal: two drawings at once would overwrite each other."""


def quiet() -> bool:
    """Return whether no progress is shown."""
    return os.environ.get(QUIET, "") not in ("", "0")


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows ``done`` of ``total``.

    Before its first call a terminal shows the title, as `working` does.

    Parameters
    ----------
    title : str
        Description of the work.

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
        disable=not console.is_terminal or quiet(),
        transient=True,
        # Output into a file or a pipe must not be redirected to the terminal.
        redirect_stdout=sys.stdout.isatty(),
    )
    task = None
    waiting = ExitStack()
    if console.is_terminal:
        waiting.enter_context(working(title))
    began = told = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal task, told
        now = time.monotonic()
        if quiet():
            return
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
            waiting.close()
            _bars.append(title)
            if _shown.acquire(timeout=1.0):  # not within another bar
                waiting.callback(_shown.release)
            waiting.callback(_bars.remove, title)
            bar.start()
            task = bar.add_task(title, total=total)
        bar.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        bar.stop()
        waiting.close()


@contextmanager
def working(title: str) -> Iterator[None]:
    """Show a title while work without countable parts takes longer than a moment.

    A nested title replaces the outer one for its duration.

    Parameters
    ----------
    title : str

    Examples
    --------
    >>> with working("loading"):
    ...     pass
    """
    if quiet():
        yield
        return
    _waits.append(title)
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(over,), daemon=True)
    outermost = len(_waits) == 1
    if outermost:
        teller.start()
    try:
        yield
    finally:
        over.set()
        if outermost:
            teller.join()
        _waits.remove(title)


def _tell(over: threading.Event) -> None:
    """Show the title until the work is done, except while there is a bar."""
    began = time.monotonic()
    if sys.stderr.isatty() and not over.wait(MOMENT):
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        while not over.wait(0.1):
            if _bars or not _shown.acquire(blocking=False):
                continue
            spinner = Spinner("dots", f"{_waits[-1]} ...")
            console = Console(stderr=True)
            # As for bars: output into a file must not be redirected.
            redirect = sys.stdout.isatty()
            with Live(spinner, console=console, transient=True, redirect_stdout=redirect):
                while not (_bars or over.wait(0.1)):
                    spinner.update(text=f"{_waits[-1]} ...")
            _shown.release()
    while not over.wait(LINE_SECONDS):
        print(f"{_waits[-1]}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
