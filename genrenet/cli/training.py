"""``genrenet fit|validate|test|predict``: the Lightning trainer on a collection."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from genrenet.training.configs import config_names, config_path
from genrenet.utils.errors import GenrenetError, printable

GROUPS = {
    "config": "a YAML file or a packaged configuration; may be given more than once",
    "data": "the collection: source, split, frames, batches",
    "model": "the network, front end, augmentation, optimiser",
    "trainer": "Lightning's trainer: devices, strategy, precision, epochs",
    "checkpoint": "which checkpoints are kept",
    "early_stopping": "when training ends before its last epoch",
    "ckpt_path": "the checkpoint to resume from, or to measure; best or last: of the newest run",
    "out": "folder of the runs (default: runs)",
    "name": "name of the run's folder (default: the configurations' names)",
    "seed_everything": "the seed (default: 0)",
    "print_config": "print the whole configuration and stop",
    "weights_only": "load checkpoints without running any code in them (default: true)",
    "return_predictions": "",
    "verbose": "",
    "help": "this text",
    "help_all": "every option there is",
}
"""First words of the options, which are checked before anything heavy is imported."""

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
    """Options that cannot be carried out, known before anything heavy is imported."""


def _help(command: str) -> str:
    options = "\n".join(f"  --{word:<16} {line}" for word, line in GROUPS.items() if line)
    return (
        f"usage: genrenet {command} [--config NAME ...] [--data.source PATH] [--GROUP.OPTION X]\n\n"
        f"options and groups of options:\n{options}\n\n"
        f"packaged configurations: {', '.join(config_names())}\n\n"
        f"examples:\n{EXAMPLES[command]}\n"
    )


def _config_of_run(checkpoint: str) -> list[str]:
    """Return the configuration that was saved beside the checkpoint's run."""
    file = Path(checkpoint).parent.parent / "config.yaml"
    return ["--config", str(file)] if file.is_file() else []


def _newest(which: str, out: str, name: str) -> Path:
    """Return the best or last checkpoint of the run that wrote one last."""
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
    """Resolve bare configuration names, refuse unknown options, find a checkpoint's own settings.

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
        print(f"checkpoint: {printable(checkpoint)}")
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


def run(command: str, arguments: Sequence[str]) -> int:
    """Run a trainer command; see `genrenet.cli.main`."""
    if "--help" in arguments or "-h" in arguments:
        print(_help(command))
        return 0
    words = [word for argument in arguments for word in argument.split("=", 1)]
    names = [Path(value).stem for word, value in pairwise(words) if word == "--config"]
    resolved = prepare_arguments(command, arguments)
    resolved = ["--help" if a == "--help_all" else a for a in resolved]
    from genrenet.cli.lightning import run_trainer

    failures = run_trainer([command, *resolved], name="-".join(names) or "default")
    return 1 if failures else 0
