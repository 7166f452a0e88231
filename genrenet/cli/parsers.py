"""The parsers of all sub-commands."""

from __future__ import annotations

from importlib import import_module

from genrenet.cli import recommend_evaluate
from genrenet.cli.commands import COMMANDS, subcommands
from genrenet.cli.parsing import CommandParser


def parsers(command: str) -> dict[str, CommandParser]:
    """Return the parser of a command, or those of its sub-commands, by their words.

    The trainer's commands have none: Lightning creates theirs, which takes seconds.

    Parameters
    ----------
    command : str
        One of `COMMANDS`.
    """
    module = import_module(f"genrenet.cli.{COMMANDS[command][0]}")
    if not hasattr(module, "make_parser"):
        return {}
    parser: CommandParser = module.make_parser(command)
    below = {f"{command} {name}": one for name, one in subcommands(parser).items() if one}
    if command == "recommend":
        below = {command: parser, "recommend evaluate": recommend_evaluate.make_parser(command)}
    return below or {command: parser}
