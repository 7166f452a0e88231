"""``genrenet plugins``: list what plugins add, their packages and parameters."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from genrenet.cli.parsing import CommandParser
from genrenet.cli.tables import print_table
from genrenet.cli.telling import next_step, plural, say, show
from genrenet.utils.messages import columns

KINDS = {
    "baseline": "register_baselines",
    "features": "register_features",
    "catalog": "register_catalogs",
    "backbone": "register_backbones",
    "network": "register_networks",
    "frontend": "register_frontends",
    "adapter": "register_adapters",
    "recommender": "register_recommenders",
    "playlist": "register_playlist_formats",
    "tags": "register_tag_formats",
    "metric": "register_metrics",
    "protocol": "register_protocols",
}

WIDE = 120
"""Columns from which on a terminal shows the plugins and parameters too."""

EXAMPLES = """examples:
  genrenet plugins
  genrenet plugins --kind baseline --format json
  GENRENET_LOAD_PLUGINS=baselines,features genrenet plugins

Parameters are listed for one kind, on a wide terminal and in JSON.
GENRENET_LOAD_PLUGINS sets the plugins, or packages of plugins, to load (default: all).
"""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet plugins", "List built-in and installed methods, networks and formats.", EXAMPLES
    )
    parser.add_argument(
        "--kind",
        choices=list(KINDS),
        metavar="KIND",
        help=f"list only this kind: {', '.join(KINDS)}",
    )
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="default: table"
    )
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet plugins``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    options = parser.parse_args(arguments)
    from genrenet.plugins.manager import contributions, problems

    rows = [
        {
            "kind": kind,
            "name": name,
            "summary": str(getattr(entry.item, "summary", getattr(entry.item, "title", ""))),
            "plugin": entry.plugin,
            "package": entry.package,
            "parameters": _parameters(kind, entry.item),
        }
        for kind, hook in KINDS.items()
        if options.kind in (None, kind)
        for name, entry in contributions(hook).items()
    ]
    if options.format == "json":
        show(rows)
    else:
        wide = columns() >= WIDE if sys.stdout.isatty() else options.kind is not None
        _print(rows, parameters=wide)
    packages = {row["package"] for row in rows}
    say(f"{len(rows):,} entries of {plural(len(packages), 'package')}")
    if any(row["kind"] == "baseline" for row in rows):
        names = [str(row["name"]) for row in rows if row["kind"] == "baseline"]
        some = ",".join(names[:3])
        next_step("evaluate", "~/Music", "--models", some, why="compares methods")
    else:
        next_step("plugins", why="lists all kinds")
    return 1 if problems() else 0


def _parameters(kind: str, item: Any) -> dict[str, Any]:
    if kind in ("network", "frontend"):
        try:
            settings = item.parameters()
        except Exception as error:  # whatever another's code does
            return {"error": repr(error)}
        # The first argument of a network is its number of labels.
        return dict(list(settings.items())[kind == "network" :])
    if kind == "baseline":
        grid = {key: f"one of {list(values)}" for key, values in item.grid.items()}
        return {"features": item.features, **item.parameters(), **grid}
    if kind == "recommender":
        return {"needs": "+".join(item.needs), **item.parameters()}
    if kind == "protocol":
        return {"lenient": item.lenient, **({"pattern": item.pattern} if item.pattern else {})}
    if kind == "features":
        return {"columns": len(item.columns), "sample_rate": item.sample_rate, **item.settings}
    return {}


def _print(rows: Sequence[dict[str, Any]], parameters: bool) -> None:
    if not parameters:
        cells = [(row["name"], row["kind"], row["summary"], row["package"]) for row in rows]
        print_table(("name", "kind", "what", "package"), cells)
        return
    keys = ("kind", "name", "summary", "plugin", "package")
    cells = [
        (
            *(row[key] for key in keys),
            ", ".join(f"{key}={value}" for key, value in row["parameters"].items()),
        )
        for row in rows
    ]
    print_table(("kind", "name", "what", "plugin", "package", "parameters"), cells)
