"""``genrenet scan --watch``: its options and messages."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from genrenet.cli.telling import say, warn

if TYPE_CHECKING:
    from genrenet.library.changes import Counts
    from genrenet.library.scanning import Scan

PAUSES = ("battery", "load")


def _poll_seconds(text: str) -> float:
    number = float(text)
    if not 1 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text}, wanted 1 or more")
    return number


def _niceness(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 19:
        raise argparse.ArgumentTypeError(f"found {text}, wanted 0 to 19")
    return number


def _pauses(text: str) -> tuple[str, ...]:
    found = tuple(word.strip() for word in text.split(","))
    if odd := [word for word in found if word not in PAUSES]:
        raise argparse.ArgumentTypeError(f"found '{odd[0]}', wanted {' or '.join(PAUSES)}")
    return found


def add_watch_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for watching a library, and for leaving resources to other programs."""
    add = parser.add_argument
    add("--watch", action="store_true", help="keep running, and follow changes in the folders")
    add(
        "--poll",
        type=_poll_seconds,
        metavar="SECONDS",
        help="with --watch: check the folders at this interval instead of using the system's "
        "notifications (default: 60 for network drives, none for others)",
    )
    add(
        "--pause",
        type=_pauses,
        default=(),
        metavar="WHEN",
        help="with --watch: classify nothing while running on battery, while other programs are "
        "busy, or both: battery, load or battery,load",
    )
    add(
        "--nice",
        type=_niceness,
        metavar="N",
        help="lower the priority, from 0 to 19; from 10 on also for disk access",
    )


def watch(how: Scan, options: argparse.Namespace, tell_first: Callable[[Counts], object]) -> int:
    """Watch the libraries until the command is stopped.

    Parameters
    ----------
    how : Scan
    options : argparse.Namespace
        See `add_watch_options`.
    tell_first : callable
        Reports the scan that comes first.
    """
    from genrenet.library.watching import Watcher
    from genrenet.utils.politeness import Pauses
    from genrenet.utils.progress import progress_bar

    first = True

    def tell(counts: Counts) -> None:
        nonlocal first
        if first:
            tell_first(counts)
            say("watching for changes (Ctrl-C to stop)")
        else:
            _tell_update(counts)
        first = bool(first and counts.left)

    pauses = Pauses(options.pause)
    with (
        suppress(KeyboardInterrupt),
        Watcher(how, tell, warn, poll=options.poll, pauses=pauses) as watcher,
    ):
        with progress_bar("scanning") as show:
            watcher.begin(restart=options.restart, retry=options.retry, progress=show)
        watcher.follow()
    return 0


def _tell_update(counts: Counts) -> None:
    warn(*counts.errors)
    numbers = {name: getattr(counts, name) for name in ("new", "changed", "moved", "gone")}
    said = ", ".join(f"{number:,} {name}" for name, number in numbers.items() if number)
    clock = time.strftime("%H:%M:%S ") if sys.stdout.isatty() else ""  # logs have their own
    say(f"{clock}{said}")
