"""``genrenet checkpoints list|import|info|export|remove``: models by name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrenet.cli.parsing import CommandParser, add_trust_option
from genrenet.cli.tables import print_table
from genrenet.cli.telling import fact, next_step, plural, say, show, warn
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.messages import columns as terminal_columns

if TYPE_CHECKING:
    from genrenet.models.checkpoints import PublishedModel

WIDE = 110
"""Minimum width of a terminal for showing licences, in columns."""

EXPORTED = (".ckpt", ".onnx", ".pt2")

EXAMPLES = """examples:
  genrenet checkpoints list
  genrenet checkpoints import msd-crnn
  genrenet checkpoints import msd-crnn --from music_tagger_crnn_weights_tensorflow.h5
  genrenet checkpoints info msd-crnn --format json
  genrenet checkpoints export runs/cnn/version_0/checkpoints/best.ckpt small.ckpt
  genrenet checkpoints remove msd-crnn
"""


class CheckpointsCommandError(GenrenetError):
    """An invalid request about checkpoints."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    title = "List, import, describe, export or remove models."
    parser = CommandParser("genrenet checkpoints", title, EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(name: str, line: str) -> CommandParser:
        action: CommandParser = actions.add_parser(
            name, help=line, description=line, epilog=EXAMPLES
        )
        return action

    listing = add("list", "list all models, and which of them are on this machine")
    importing = add("import", "download a published model into the cache")
    importing.add_argument("name", metavar="NAME", help="see 'genrenet checkpoints list'")
    importing.add_argument(
        "--from", dest="source", metavar="FILE", help="use a local copy of the published file"
    )
    info = add("info", "describe a model")
    info.add_argument(
        "name",
        metavar="NAME_OR_PATH",
        help="a model's name, a .ckpt file, or a reference: hf:ORG/NAME, onnx:FILE",
    )
    add_trust_option(info)
    for action in (listing, info):
        action.add_argument(
            "--format", choices=("table", "json"), default="table", help="default: table"
        )
    export = add("export", "export a model to a file")
    export.add_argument("name", metavar="NAME_OR_PATH", help="a model's name or a .ckpt file")
    export.add_argument("target", metavar="TARGET", help="file to write: .ckpt, .onnx or .pt2")
    export.add_argument(
        "--without-backbone",
        action="store_true",
        help="leave out weights that are equal to those of the published model (.ckpt only)",
    )
    remove = add("remove", "delete an imported model from the cache")
    remove.add_argument("name", metavar="NAME", help="see 'genrenet checkpoints list'")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet checkpoints``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    actions = {
        "list": _list,
        "import": _import,
        "info": _info,
        "export": _export,
        "remove": _remove,
    }
    return actions[options.action](options)


# --- list -----------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    from genrenet.cli.checkpoint_facts import published_state, seen_rows, shipped_row
    from genrenet.models.checkpoints import published_models, shipped_checkpoints
    from genrenet.models.checkpoints.licences import commercial

    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for name, path in shipped_checkpoints().items():
        try:
            rows.append(shipped_row(name, path))
        except GenrenetError as error:
            problems.append(str(error))
    for name, model in published_models().items():
        rows.append(
            {
                "name": name,
                "what": model.title,
                "labels": len(model.labels),
                "licence": model.licence,
                "commercial": commercial(model.licence),
                "state": published_state(model),
                "needs": None,
            }
        )
    rows += seen_rows()
    if options.format == "json":
        show(rows)
    else:
        columns = ["name", "what", "labels", "licence", "commercial", "state"]
        if sys.stdout.isatty() and terminal_columns() < WIDE:
            columns = ["name", "what", "labels", "state"]
        print_table(columns, ([row[column] for column in columns] for row in rows))
    here = sum(not str(row["state"]).startswith("not yet") for row in rows)
    say(f"{plural(len(rows), 'model')}, {here} of them on this machine")
    warn(*problems)
    if rows:
        next_step("checkpoints", "info", rows[0]["name"], why="describes a model")
    return 1 if problems else 0


# --- import, remove -------------------------------------------------------------------------------


def _import(options: argparse.Namespace) -> int:
    from genrenet.models.checkpoints import import_checkpoint, published
    from genrenet.models.checkpoints.header import read_header
    from genrenet.utils.progress import working

    model = published(options.name)
    with working(f"importing {options.name}"):
        path = import_checkpoint(options.name, options.source)
    say(f"{options.name} is in {printable(path)}")
    fact(name=options.name, path=printable(path), licence=model.licence, cite=model.citation)
    for other in _of_one_file(model) if options.source else ():
        path = import_checkpoint(other, options.source)
        say(f"{other}, from the same file, is in {printable(path)}")
    if model.sha256 is None:
        source = read_header(path)["genrenet"]["source"]
        say(f"its file could not be checked: no checksum is known; SHA-256 {source['sha256']}")
    say(f"licence {model.licence}; cite {model.citation}")
    next_step("classify", "song.mp3", "--checkpoint", options.name)
    return 0


def _of_one_file(model: PublishedModel) -> list[str]:
    """Return the names of the other models made from a model's file."""
    from genrenet.models.checkpoints import published_models

    same = [other.name for other in published_models().values() if other.sha256 == model.sha256]
    return [name for name in same if name != model.name] if model.sha256 else []


def _remove(options: argparse.Namespace) -> int:
    from genrenet.models.checkpoints import published_models, remove_checkpoint, shipped_checkpoints

    if options.name in shipped_checkpoints() and options.name not in published_models():
        raise CheckpointsCommandError(
            f"{options.name} is part of the package and cannot be removed",
            wanted="an imported model",
        )
    removed = [printable(path) for path in remove_checkpoint(options.name)]
    say(*(f"removed {path}" for path in removed))
    fact(name=options.name, removed=removed)
    next_step("checkpoints", "import", options.name, why="downloads it again")
    return 0


# --- info -----------------------------------------------------------------------------------------


def _info(options: argparse.Namespace) -> int:
    from genrenet.cli.checkpoint_facts import facts, published_facts, reference_facts
    from genrenet.models.adapters import is_reference
    from genrenet.models.checkpoints import (
        find_checkpoint,
        imported_checkpoint,
        published_models,
        shipped_checkpoints,
    )

    name, shipped = options.name, shipped_checkpoints()
    own = Path(name).is_file()
    if not own and is_reference(name):
        found = reference_facts(name)
    elif not own and name not in shipped and name in published_models():
        known = imported_checkpoint(name)
        found = published_facts(name) if known is None else facts(known, "imported")
    else:
        path = find_checkpoint(name)
        found = facts(path, "file" if own else "shipped")
    if options.format == "json":
        show(found)
    else:
        _print_facts(found)
    if found.get("labels"):
        next_step("classify", "song.mp3", "--checkpoint", name)
    else:
        next_step("embed", "~/Music", "--backbone", name, "--out", "songs.npz")
    return 0


def _print_facts(facts: Mapping[str, Any]) -> None:
    card = facts.get("card")
    for key, value in facts.items():
        if key in ("card", "needs", "parameters_in_file") or value in (None, {}, []):
            continue
        if isinstance(value, Mapping):
            print(f"{key}:")
            for name, entry in value.items():
                print(f"  {name}: {'not known' if entry is None else _plain(entry)}")
        elif key == "parameters":
            held = facts["parameters_in_file"]
            rest = "" if held == value else f", {_plain(held)} of them in the file"
            print(f"parameters: {_plain(value)}{rest}")
        elif key == "labels":
            print(f"labels ({len(value)}): {', '.join(value)}")
        else:
            print(f"{key}: {_plain(value)}")
    if card:
        print(f"\n{card.rstrip()}")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {entry}" for key, entry in value.items())
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return ", ".join(value)
    return f"{value:,}" if type(value) is int and value > 99_999 else str(value)


# --- export ---------------------------------------------------------------------------------------


def _export(options: argparse.Namespace) -> int:
    ending = Path(options.target).suffix
    suffix = ending.lower()
    if suffix not in EXPORTED:
        raise CheckpointsCommandError(
            f"cannot export to '{printable(options.target)}'",
            found=f"the ending '{ending}'",
            wanted=" or ".join(EXPORTED),
        )
    if options.without_backbone and suffix != ".ckpt":
        raise CheckpointsCommandError(
            "--without-backbone", found=f"a {suffix} file", wanted="a .ckpt file"
        )
    if not Path(options.target).absolute().parent.is_dir():
        raise CheckpointsCommandError(
            f"no folder '{printable(Path(options.target).parent)}' to write into",
            remedy="create it first",
        )
    from genrenet.models.checkpoints import export_checkpoint, load_model
    from genrenet.utils.progress import working

    with working(f"exporting {options.name}"):
        if suffix == ".ckpt":
            path = export_checkpoint(options.name, options.target, options.without_backbone)
        else:
            from genrenet.models.checkpoints.export import export_model

            path = export_model(load_model(options.name), options.target)
    say(f"wrote {printable(path)}, {path.stat().st_size:,} bytes")
    fact(name=options.name, path=printable(path), bytes=path.stat().st_size)
    target = str(path) if suffix == ".ckpt" else options.name
    next_step("checkpoints", "info", target, why="describes the model")
    return 0
