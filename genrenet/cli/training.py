"""``genrenet fit|validate|test|predict``: the Lightning trainer on a collection."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Container, Sequence
from itertools import pairwise
from pathlib import Path

from genrenet.cli import telling
from genrenet.cli.commands import COMMANDS
from genrenet.cli.configuration import layers, path_of
from genrenet.cli.configured import YES, check_key, unknown
from genrenet.cli.parsing import CommandParser, trust_remote_code
from genrenet.training.configs import config_names, config_path
from genrenet.utils.errors import GenrenetError, printable

GROUPS = {
    "config": "a YAML file or one of the configurations below; can be repeated",
    "data": "the collection: source, split, frames, batches",
    "model": "the network, front end, augmentation, optimiser",
    "trainer": "Lightning's trainer: devices, strategy, precision, epochs",
    "checkpoint": "which checkpoints to keep",
    "early_stopping": "when to stop before the last epoch",
    "ckpt_path": "checkpoint to resume from or to evaluate; best or last: of the newest run",
    "out": "folder of the runs (default: runs)",
    "name": "name of the run's folder (default: the configurations' names)",
    "seed_everything": "the seed (default: 0)",
    "print_config": "print the whole configuration and exit",
    "weights_only": "load checkpoints without running any code in them (default: true)",
    "return_predictions": "",
    "trust-remote-code": "run Python code that comes with a backbone (hf:ORG/NAME); read it first",
    "verbose": "",
    "quiet": "or -q: print only results and errors",
    "json": "print one JSON document, for programs",
    "help": "this text",
    "help_all": "print every option",
}
"""First parts of the options, which are checked before torch is imported."""

FILES = ("data.source", "ckpt_path", "out")
"""Options that take files, which a configuration may give relative to its own folder."""

EXAMPLES = {
    "fit": """  genrenet fit --config cnn --data.source ~/Music
  genrenet fit --config crnn --data.source fma_small --data.split column
  genrenet fit --config transfer --data.source ~/Music
  genrenet fit --config cnn --config ddp --data.source ~/Music --trainer.devices 4
  genrenet fit --ckpt_path runs/cnn/version_0/checkpoints/last.ckpt
  genrenet fit --config debug/overfit --model.network CRNN""",
    "validate": "  genrenet validate --ckpt_path runs/cnn/version_0/checkpoints/best.ckpt",
    "test": "  genrenet test --ckpt_path runs/cnn/version_0/checkpoints/best.ckpt",
    "predict": "  genrenet predict --ckpt_path runs/cnn/version_0/checkpoints/best.ckpt "
    "--data.source ~/Other",
}


class OptionError(GenrenetError):
    """Invalid options, found before torch is imported."""


def help_text(command: str) -> str:
    """Return the text of ``--help``: Lightning's own parser takes seconds, and prints pages."""
    parser = CommandParser(
        f"genrenet {command}",
        f"{COMMANDS[command][1].capitalize()}. Options are those below, and --GROUP.OPTION X.",
        f"configurations: {', '.join(config_names())}\n\nexamples:\n{EXAMPLES[command]}\n",
    )
    for word, line in GROUPS.items():
        if line and word not in ("quiet", "json", "help"):
            given = {"action": "store_true"} if word == "trust-remote-code" else {"metavar": "X"}
            parser.add_argument(f"--{word}", help=line, **given)  # type: ignore[arg-type]
    return parser.format_help()


def _config_of_run(checkpoint: str) -> list[str]:
    """Return the configuration that was saved with the checkpoint's run."""
    file = Path(checkpoint).parent.parent / "config.yaml"
    return ["--config", str(file)] if file.is_file() else []


def _newest(which: str, out: str, name: str) -> Path:
    """Return the best or last checkpoint of the most recent run."""
    files = Path(out).glob(f"{glob.escape(name) or '*'}/version_*/checkpoints/{which}.ckpt")
    newest = max(files, key=lambda file: file.stat().st_mtime, default=None)
    if newest is None:
        raise OptionError(
            f"no run has a checkpoint '{which}'",
            found=f"none in the folder '{printable(Path(out, name))}'",
            remedy="pass --ckpt_path FILE, or --out FOLDER and --name NAME of the run",
        )
    return newest


def prepare_arguments(command: str, arguments: Sequence[str]) -> list[str]:
    """Resolve names of configurations, check options, and find a checkpoint's own settings.

    Parameters
    ----------
    command : str
    arguments : sequence of str

    Returns
    -------
    list of str
        Arguments for Lightning's own parser.

    Raises
    ------
    OptionError
        An unknown option, or a checkpoint that does not exist.
    """
    resolved: list[str] = []
    values = {"config": "", "ckpt_path": "", "out": "", "name": ""}
    previous = ""
    for argument in arguments:
        word = ""
        if argument.startswith("--"):
            name, _, value = argument[2:].partition("=")
            word = re.split(r"[.+]", name)[0]
            if word not in GROUPS:
                raise OptionError(
                    f"unknown option {argument}",
                    wanted=", ".join(f"--{group}" for group in GROUPS if GROUPS[group]),
                    remedy=f"see 'genrenet {command} --help'",
                )
            if name == "config" and value:
                argument = f"--config={config_path(value)}"
            if name in values and value:
                values[name] = value
            word = name if not value else ""
        elif previous in values:
            values[previous] = argument
            argument = config_path(argument) if previous == "config" else argument
        resolved.append(argument)
        previous = word
    checkpoint = values["ckpt_path"]
    if checkpoint in ("best", "last") and not Path(checkpoint).exists():
        checkpoint = str(_newest(checkpoint, values["out"] or "runs", values["name"]))
        telling.say(f"checkpoint: {printable(checkpoint)}")
        resolved += [f"--ckpt_path={checkpoint}"]
    if checkpoint and not Path(checkpoint).is_file():
        raise OptionError(
            f"no checkpoint '{printable(checkpoint)}'",
            wanted="a .ckpt file written by 'genrenet fit', or best or last of the newest run",
        )
    if command != "fit" and not checkpoint:
        raise OptionError(f"{command} needs a checkpoint", remedy="pass --ckpt_path FILE")
    if checkpoint and not values["config"]:
        resolved = _config_of_run(checkpoint) + resolved
    return resolved


def configured_arguments(
    command: str, arguments: Sequence[str], own: Container[str] = ()
) -> list[str]:
    """Return a command line preceded by the settings in the user's configuration.

    A run that is resumed or tested has its own configuration, and nothing is added.

    Parameters
    ----------
    command : str
    arguments : sequence of str
    own : container of str
        Options of the command that are not the trainer's.

    Raises
    ------
    ConfigurationError
        An unknown setting of the trainer, or one that is not allowed in a library's own file.
    """
    if any(word.partition("=")[0] == "--ckpt_path" for word in arguments):
        return [*arguments]
    found: list[str] = []
    for layer in layers():
        for setting in layer.settings.values():
            check_key(setting)
            name = ".".join(setting.key[1:])
            if setting.key[0] != command or setting.value is None or name in own:
                continue
            if not GROUPS.get(name.partition(".")[0]):
                raise unknown(setting, [group for group in GROUPS if GROUPS[group]])
            values = setting.value if isinstance(setting.value, list) else [setting.value]
            if name in FILES:
                values = [text if "://" in text else path_of(text, setting.file) for text in values]
            if name in ("quiet", "json", "trust-remote-code"):
                found += [f"--{name}"] if values[0].casefold() in YES else []
            elif name == "config" or not isinstance(setting.value, list):
                found += [f"--{name}={os.path.expanduser(text)}" for text in values]
            else:
                found.append(f"--{name}=[{', '.join(values)}]")
    return [*found, *arguments]


def heed_telling(arguments: Sequence[str]) -> list[str]:
    """Apply ``-q``, ``--json`` and ``--trust-remote-code``, and return the other arguments."""
    quiet, json = {"-q", "--quiet"} & {*arguments}, "--json" in arguments
    telling.heed(less=bool(quiet), document=json, json=json)
    if "--trust-remote-code" in arguments:
        trust_remote_code()
    heeded = ("-q", "--quiet", "--json", "--trust-remote-code")
    rest = [word for word in arguments if word not in heeded]
    shown = ("enable_progress_bar", "enable_model_summary") if quiet else ()
    return [*rest, *(f"--trainer.{name}=false" for name in shown)]


def run(command: str, arguments: Sequence[str]) -> int:
    """Run a trainer command; see `genrenet.cli.main`."""
    if "--help" in arguments or "-h" in arguments:
        print(help_text(command))
        return 0
    arguments = heed_telling(configured_arguments(command, arguments))
    words = [word for argument in arguments for word in argument.split("=", 1)]
    names = [Path(value).stem for word, value in pairwise(words) if word == "--config"]
    resolved = prepare_arguments(command, arguments)
    resolved = ["--help" if a == "--help_all" else a for a in resolved]
    from genrenet.utils.progress import working

    with working("loading the trainer"):
        from genrenet.cli.lightning import run_trainer

    failures = run_trainer([command, *resolved], name="-".join(names) or "default")
    return 1 if failures else 0
