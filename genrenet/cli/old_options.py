"""Former names of the trainer's options: they still work, with a warning.

They are renamed before the trainer's own parser reads them, on the command line and in
configurations, including those saved by earlier runs.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

from jsonargparse import get_loader, set_loader

from genrenet.cli.registered_names import model_by_path

MODEL = {"decision": "aggregation", "output": "activation"}
NETWORK = {"n_columns": "n_stft_frames"}
FREEZING = {"thaw": "unfreeze", "decay": "layer_decay"}

OWN_NETWORKS = ("", "CNN", "CRNN", "MusiCNN")
"""Networks with renamed settings; the class is missing in a configuration if it is the default."""

_load_yaml = get_loader("yaml")


def _warn(old: str, new: str) -> None:
    warnings.warn(f"the option {old} is now called {new}", FutureWarning, stacklevel=3)


def _renamed(settings: Any, names: dict[str, str], where: str) -> Any:
    """Return settings under their present names; values other than dictionaries unchanged."""
    if not isinstance(settings, dict):
        return settings
    for old in names.keys() & settings.keys():
        _warn(f"{where}.{old}", f"{where}.{names[old]}")
    return {names.get(key, key): value for key, value in settings.items()}


def _class_of(settings: dict[str, Any]) -> str:
    return str(settings.get("class_path") or "").rpartition(".")[2]


def current_settings(settings: Any) -> Any:
    """Return a configuration under present names.

    Parameters
    ----------
    settings : object
        Content of a YAML text: a configuration, or the value of one option.

    Returns
    -------
    object
        The same object if it has no former name.
    """
    if not isinstance(settings, dict):
        return settings
    found = dict(settings)
    if isinstance(found.get("model"), dict):
        model = found["model"] = model_by_path(_renamed(found["model"], MODEL, "model"))
        network = model.get("network")
        if isinstance(network, dict) and _class_of(network) in OWN_NETWORKS:
            network = _renamed(network, NETWORK, "model.network")
            arguments = _renamed(network.get("init_args"), NETWORK, "model.network")
            model["network"] = network if arguments is None else {**network, "init_args": arguments}
    trainer = found.get("trainer")
    if isinstance(trainer, dict) and trainer.get("callbacks"):
        callbacks = trainer["callbacks"]
        listed = callbacks if isinstance(callbacks, list) else [callbacks]
        found["trainer"] = {**trainer, "callbacks": [_current_callback(each) for each in listed]}
    return found


def _current_callback(callback: Any) -> Any:
    if not isinstance(callback, dict) or _class_of(callback) != "LayerFreezing":
        return callback
    arguments = _renamed(callback.get("init_args"), FREEZING, "LayerFreezing")
    return callback if arguments is None else {**callback, "init_args": arguments}


def current_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command's arguments under their present names.

    Examples
    --------
    >>> current_arguments(["fit", "--model.aggregation=vote", "--model.network", "CRNN"])
    ['fit', '--model.aggregation=vote', '--model.network', 'CRNN']
    """
    found: list[str] = []
    network = callback = previous = ""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        option, value = (name, value) if argument.startswith("--") else (previous, argument)
        if re.fullmatch(r"--model\.network(\.class_path)?", option) and value:
            network = value.rpartition(".")[2]
        if re.fullmatch(r"--trainer\.callbacks\+?(\.class_path)?", option) and value:
            callback = value.rpartition(".")[2]
        if argument.startswith("--"):
            where, dot, key = name.rpartition(".")
            names: dict[str, str] = {}
            if where == "--model":
                names = MODEL
            elif re.fullmatch(r"--model\.network(\.init_args)?", where):
                names = NETWORK if network in OWN_NETWORKS else {}
            elif re.fullmatch(r"--trainer\.callbacks\+?(\.init_args)?", where):
                names = FREEZING if callback == "LayerFreezing" else {}
            if key in names:
                _warn(name, f"{where}.{names[key]}")
                argument = f"{where}{dot}{names[key]}{equals}{value}"
        previous = name if argument.startswith("--") and not equals else ""
        found.append(argument)
    return found


def read_old_names() -> None:
    """Make former names valid in configurations."""
    set_loader("yaml", lambda text: current_settings(_load_yaml(text)))
