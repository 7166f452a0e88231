"""The sub-commands of ``genrenet``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

COMMANDS = {
    "init": ("init", "inspect a music folder, and write a configuration for it"),
    "config": ("config", "show or change the configuration"),
    "fit": ("training", "train a network on a collection"),
    "validate": ("training", "evaluate a checkpoint on the validation set"),
    "test": ("training", "evaluate a checkpoint on the test set and write a report"),
    "predict": ("training", "write the scores of all songs of a collection"),
    "distil": ("distil", "train a small, fast network by distillation from larger ones"),
    "evaluate": ("evaluate", "compare methods on the same songs and folds, and write a report"),
    "tune": ("tune", "search for a model's hyperparameters, and test them on other songs"),
    "reproduce": ("reproduce", "repeat published experiments, and compare the results"),
    "compare": ("evaluate", "compare the results of two evaluations"),
    "baseline": ("baseline", "train a classical method on a collection"),
    "classify": ("classify", "predict the genres of files and folders"),
    "scan": ("scan", "classify a whole library, and keep a table of its genres"),
    "tag": ("tag", "write the genres of a scanned library into the files' tags"),
    "correct": ("correct", "record the right genre of songs in a scanned library"),
    "adapt": ("adapt", "retrain a model's last layer with corrections"),
    "serve": ("serve", "serve a web page and a JSON API for genre classification"),
    "playlist": ("playlist", "make a playlist of one genre or a mix of them"),
    "recommend": ("recommend", "recommend music, and evaluate recommenders"),
    "embed": ("embed", "write embeddings of songs to a file"),
    "checkpoints": ("checkpoints", "list, import, describe, export or remove models"),
    "data": ("data", "check, split, prepare or synthesise a collection"),
    "cache": ("cache", "list or clear the cache"),
    "plugins": ("plugins", "list built-in and installed methods, networks and formats"),
}
"""Sub-commands: the module of each, and its description in one line."""

UNCONFIGURED = ("init", "config")
"""Commands that write configurations: they read none, and work even if one is invalid."""


def subcommands(parser: argparse.ArgumentParser) -> Mapping[str, Any]:
    """Return the sub-commands of a command, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {"evaluate": None} if parser.prog == "genrenet recommend" else {}
