"""The sub-commands of ``genrenet``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

COMMANDS = {
    "init": ("init", "look at a folder of music, and write a configuration for it"),
    "config": ("config", "show or change what is configured"),
    "fit": ("training", "train a network on a collection"),
    "validate": ("training", "measure a checkpoint on the validation songs"),
    "test": ("training", "measure a checkpoint on the test songs and write a report"),
    "predict": ("training", "score all songs of a collection"),
    "distil": ("distil", "train a small fast network to name genres as larger ones do"),
    "evaluate": ("evaluate", "judge methods on the same songs and folds, and write a report"),
    "tune": ("tune", "search for a model's settings, and judge them on other songs"),
    "reproduce": ("reproduce", "run published experiments again, beside their figures"),
    "compare": ("evaluate", "set two evaluations side by side"),
    "baseline": ("baseline", "let a classical method learn from a collection"),
    "classify": ("classify", "name the genre of files and folders"),
    "scan": ("scan", "keep a table of the genres of a whole library"),
    "tag": ("tag", "write the genres of a scanned library into the files' tags"),
    "correct": ("correct", "note the right genre of songs in a scanned library"),
    "adapt": ("adapt", "let a model learn from corrections, without forgetting the rest"),
    "serve": ("serve", "a web page that names a song's genre, and a JSON API"),
    "playlist": ("playlist", "make a playlist of one genre or a mix of them"),
    "recommend": ("recommend", "what to listen to next, and how good such advice is"),
    "embed": ("embed", "write what a network says of songs to a file"),
    "checkpoints": ("checkpoints", "list, import, describe, export or remove models"),
    "data": ("data", "check, split, prepare or synthesise a collection"),
    "cache": ("cache", "list or clear what is kept on disk to be quick the next time"),
    "plugins": ("plugins", "list what plugins add"),
}
"""Sub-commands: the module that runs each, and a line about it."""

UNCONFIGURED = ("init", "config")
"""Commands that make configurations: they read none, and work where one is broken."""


def subcommands(parser: argparse.ArgumentParser) -> Mapping[str, Any]:
    """Return the commands below a command, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {"evaluate": None} if parser.prog == "genrenet recommend" else {}
