"""``genrenet cache``: list and clear the cache."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from genrenet.cli.parsing import CommandParser
from genrenet.cli.tables import print_table
from genrenet.cli.telling import fact, next_step, say, show, warn

if TYPE_CHECKING:
    from genrenet.cli.cache_contents import Item

EXAMPLES = """examples:
  genrenet cache
  genrenet cache clear                                shows what could be removed
  genrenet cache clear --yes                          removes everything that is not in use
  genrenet cache clear stores features --older-than 30d --yes

Everything in the cache can be computed or downloaded again. GENRENET_CACHE sets its folder, and
GENRENET_CACHE_GB the maximum size in GB of each of stores, features and embeddings (default: a
quarter of the free disk space); the least recently used entries are removed first.

exit code: 0 success, 1 something could not be removed, 2 the command could not be carried out
"""

KINDS = {"stores", "features", "embeddings", "checkpoints", "downloads", "streamed", "trunks"}
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet cache", "List the contents of the cache, or clear it.", EXAMPLES
    )
    parser.add_argument("action", nargs="?", choices=("list", "clear"), default="list")
    parser.add_argument(
        "kinds", nargs="*", metavar="KIND", help="kinds of entries, such as stores (default: all)"
    )
    parser.add_argument(
        "--older-than",
        type=_seconds,
        metavar="AGE",
        help="only entries not used for this time: 30d, 12h, 2w",
    )
    parser.add_argument(
        "--yes", action="store_true", help="remove the entries (default: only list them)"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet cache``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    options = parser.parse_args(arguments)
    from genrenet.cli.cache_contents import contents
    from genrenet.utils.cache import cache_root
    from genrenet.utils.errors import printable

    items = contents()
    kinds = sorted({item.kind for item in items} | KINDS)
    if unknown := sorted(set(options.kinds) - set(kinds)):
        parser.error(f"no kind {', '.join(unknown)}; there are {', '.join(kinds)}")
    before = time.time() - (options.older_than or 0.0)
    chosen = [
        item
        for item in items
        if not options.kinds or item.kind in options.kinds
        if options.older_than is None or item.oldest < before
    ]
    if options.action == "clear" and options.yes:
        return _clear(chosen, before if options.older_than is not None else float("inf"))
    if options.format == "json":
        show([_plain(item) for item in chosen])
        return 0
    _print(chosen)
    total = sum(item.size for item in chosen)
    say(f"{_bytes(total)} in {printable(cache_root())}")
    if options.action == "clear":
        say("nothing was removed: pass --yes to remove these entries, except those in use")
        again = [word for word in arguments if word not in ("-q", "--quiet", "--json")]
        next_step("cache", *again, "--yes", why="removes them")
    else:
        next_step("cache", "clear", why="shows what could be removed")
    return 0


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"found '{text}', wanted a number and m, h, d or w: 30d")
    return float(found[1]) * _UNITS[found[2]]


def _clear(items: Sequence[Item], before: float) -> int:
    had, failed = 0, 0
    for item in items:
        if item.in_use:
            say(f"in use, not removed: {item.kind} {item.what}")
            continue
        try:
            had += item.remove(before)
        except OSError as error:
            failed += 1
            warn(f"cannot remove {item.kind} {item.what}: {error}")
    say(f"{_bytes(had)} removed")
    fact(removed=had, failed=failed)
    next_step("cache", why="lists the rest")
    return 1 if failed else 0


def _plain(item: Item) -> dict[str, object]:
    return {
        name: getattr(item, name) for name in ("kind", "what", "count", "size", "used", "in_use")
    }


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _age(used: float) -> str:
    seconds = max(0.0, time.time() - used)
    for unit, length in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"


def _print(items: Sequence[Item]) -> None:
    rows = [
        (
            item.kind,
            item.what,
            item.count,
            _bytes(item.size),
            "in use" if item.in_use else _age(item.used),
        )
        for item in items
    ]
    print_table(("kind", "content", "number", "size", "last used"), rows)
