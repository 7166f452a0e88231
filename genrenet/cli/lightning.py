"""LightningCLI with the package's defaults. Importing it takes seconds: only `training` does."""

from __future__ import annotations

import argparse
import inspect
import logging
import os
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import (
    EarlyStopping,
    LearningRateMonitor,
    ModelCheckpoint,
    RichModelSummary,
    RichProgressBar,
)
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from genrenet.cli.old_options import current_arguments, read_old_names
from genrenet.cli.registered_names import arguments_by_path
from genrenet.cli.run_folder import ConfigurationText, RunFolder, run_logger
from genrenet.cli.telling import fact, say
from genrenet.cli.training_report import tell_best, tell_checkpoints, tell_measured, tell_songs
from genrenet.data.datamodule import GenreDataModule
from genrenet.evaluation.callbacks import PredictionWriter, TestReport, gather_skipped
from genrenet.models.adapters import is_reference
from genrenet.models.adapters.network import frame_options
from genrenet.models.checkpoints import read_checkpoint
from genrenet.models.checkpoints.files import build_model
from genrenet.models.checkpoints.opening import missing_weights
from genrenet.models.description import frontend_part, network_part
from genrenet.models.registry import instantiated, path_of
from genrenet.training.module import GenreClassifier
from genrenet.training.monitoring import HyperParameters, SongProjector, StageImages
from genrenet.training.schedules import (
    OneCycle as OneCycle,
)  # so that options may use the short name
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.hardware import best_device, fast_half, keep_freed_memory, leave_siblings
from genrenet.utils.moved import new_name

REFUSING: dict[tuple[str, ...], tuple[type[Exception], ...]] = {
    ("pytorch_lightning", "lightning_fabric"): (ValueError, TypeError, RuntimeError),
    ("torch.optim", "torch.nn.modules", "torch.utils.data"): (ValueError,),
}
"""Packages whose errors mean that options cannot be carried out."""

PRECISIONS = ("32", "32-true", "16", "16-mixed", "bf16", "bf16-mixed")

PRETRAINED = "genrenet.training.finetuning.Pretrained"
COMMANDS = ("fit", "validate", "test", "predict")


class TrainingError(GenrenetError):
    """An invalid request to the trainer."""


def default_precision() -> str:
    """Return mixed precision if the hardware is faster in it, else ``32-true``."""
    half = fast_half(best_device())
    return {None: "32-true", torch.bfloat16: "bf16-mixed"}.get(half, "16-mixed")


class GenreCLI(LightningCLI):
    """Lightning's command line for `GenreClassifier` on `GenreDataModule`."""

    parts: tuple[type[GenreClassifier], type[GenreDataModule]] = GenreClassifier, GenreDataModule
    run_name = "default"
    run_folder = RunFolder()
    known: list[str] | None = None
    """Labels of the checkpoint."""

    def _outputs(self, data: GenreDataModule) -> list[str]:
        """Return the labels of the model: in a prediction the checkpoint's, whatever the songs'
        are.
        """
        if self.subcommand == "predict":
            data.outputs = self.known
        return data.labels

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the default callbacks, and link dependent options."""
        # A checkpoint stores the arguments of a configuration's modules.
        parser.add_instantiator(instantiated, torch.nn.Module, subclasses=True)
        parser.add_argument("--out", default="runs", help="folder of the runs")
        parser.add_argument("--name", default=None, help="name of the run's folder")
        parser.add_lightning_class_args(ModelCheckpoint, "checkpoint")
        parser.add_lightning_class_args(EarlyStopping, "early_stopping")
        parser.set_defaults(
            {
                "checkpoint.monitor": "val/loss",
                "checkpoint.filename": "best",
                "checkpoint.enable_version_counter": False,
                "early_stopping.monitor": "val/loss",
                # A one-cycle run fluctuates while its rate is high and is best near its end.
                "early_stopping.patience": 50,
                # A run with fewer steps than an epoch ends before any validation.
                "early_stopping.strict": False,
            }
        )
        parser.link_arguments(
            "data", "model.labels", compute_fn=self._outputs, apply_on="instantiate"
        )
        parser.link_arguments("seed_everything", "model.seed", compute_fn=int)
        parser.link_arguments("seed_everything", "data.seed", compute_fn=int)

    def before_instantiate_classes(self) -> None:
        """Read checkpoints without running code in them; leave out disabled callbacks."""
        config = self.config[self.subcommand]
        _use_new_names(config)
        _check_options(config)
        wanted = {
            RichProgressBar: config.trainer.enable_progress_bar,
            RichModelSummary: config.trainer.enable_model_summary,
            LearningRateMonitor: config.trainer.logger,
        }
        self.trainer_defaults["callbacks"] = [
            callback
            for callback in self.trainer_defaults["callbacks"]
            if wanted.get(type(callback)) is not False
        ]
        # torch synchronises batch statistics only between GPUs; on a CPU a process would fail and
        # the others would wait for it.
        gpus = config.trainer.accelerator in ("gpu", "cuda", "auto") and torch.cuda.is_available()
        config.trainer.sync_batchnorm = config.trainer.sync_batchnorm and gpus
        if config.get("weights_only") is None:
            config["weights_only"] = True
        if not config.ckpt_path:
            _take_frames(config)
        self.asked = self.config
        if config.ckpt_path and Path(config.ckpt_path).is_file():
            entries = read_checkpoint(config.ckpt_path)
            _check_entries(entries, printable(config.ckpt_path), str(self.subcommand))
            self.known = list(entries["genrenet"]["labels"])
            # The configuration saved with the run stays as the user gave it.
            self.config = self.config.clone()
            _leave_out_backbone(self.config[self.subcommand], entries)

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Set the run's folder, with a descriptive name, unless a logger with one was given.

        With loggers that have no folder (MLflow's, W&B's) the run has its own. A resumed run
        continues in its folder, and a test writes into ``test`` there, unless ``--out`` or
        ``--name`` differ.
        """
        self.config = self.asked
        config = self.config[self.subcommand]
        fresh = False
        if config.trainer.logger is None:
            kwargs["logger"], fresh = run_logger(config, self.run_name, self.subcommand)
        trainer = super().instantiate_trainer(**kwargs)
        if trainer.loggers and getattr(trainer.loggers[0], "log_dir", None) is None:
            kwargs["logger"], fresh = run_logger(config, self.run_name, self.subcommand)
            trainer.loggers = [kwargs["logger"], *trainer.loggers]
        self.run_folder.trainer = trainer if fresh else None
        return trainer

    def conclude(self) -> None:
        """Print the files of a training, and the next command."""
        tell_songs(self.datamodule)
        tell_best(self.trainer)
        tell_checkpoints(self.trainer, self.best_checkpoints())

    def best_checkpoints(self) -> list[str]:
        """Return the files of the checkpoints that were kept as the best."""
        kept = (
            each for each in self.trainer.checkpoint_callbacks if getattr(each, "monitor", None)
        )
        return [path for each in kept if (path := getattr(each, "best_model_path", ""))]


def _use_new_names(config: Any) -> None:
    """Replace former import paths by the present ones, also in the saved configuration."""
    if isinstance(config, Namespace):
        if isinstance(path := vars(config).get("class_path"), str):
            config.class_path = new_name(path)
        config = list(vars(config).values())
    for part in config if isinstance(config, list) else ():
        _use_new_names(part)


def _take_frames(config: Any) -> None:
    """Set the frame settings of a backbone's adapter, unless options give them."""
    network = config.model.network
    backbone = str(getattr(getattr(network, "init_args", None), "backbone", ""))
    if getattr(network, "class_path", None) != PRETRAINED or not is_reference(backbone):
        return
    parameters = inspect.signature(GenreDataModule).parameters
    for name, value in frame_options(backbone).items():
        if getattr(config.data, name, value) == parameters[name].default != value:
            setattr(config.data, name, value)
            say(f"--data.{name} {value:g}, as in {printable(backbone)}")


def _check_options(config: Any) -> None:
    """Raise an error for options that would make Lightning fail later."""
    precision, steps = str(config.trainer.precision), config.trainer.accumulate_grad_batches
    if config.trainer.precision is not None and precision not in PRECISIONS:
        raise TrainingError(
            "--trainer.precision",
            found=precision,
            wanted=", ".join(PRECISIONS[1::2]) + ": the front end computes in 32 bits",
        )
    if steps < 1:
        raise TrainingError(
            "--trainer.accumulate_grad_batches", found=str(steps), wanted="at least 1"
        )


def _check_entries(entries: dict[str, Any], name: str, command: str) -> None:
    """Raise an error for a checkpoint that does not support the request."""
    if command == "fit" and "optimizer_states" not in entries:
        raise TrainingError(
            f"'{name}' contains no training state to resume from",
            found="a description and weights",
            wanted="a checkpoint that 'genrenet fit' wrote",
            remedy="to start from its weights, omit --ckpt_path and pass --config transfer "
            f"--model.network.init_args.backbone {name}",
        )
    export = f"run 'genrenet checkpoints export {name} whole.ckpt', and use that file"
    # A checkpoint from training is complete, and its network may be of a class of the user's own.
    if "optimizer_states" not in entries and "backbone" in entries["genrenet"]:
        missing = missing_weights(entries, build_model(entries, name))
        if missing:
            raise TrainingError(
                f"'{name}' is partial: the weights of its backbone are not in the file",
                found=f"no {missing[0]}" + (f" and {len(missing) - 1} more" if missing[1:] else ""),
                wanted="all weights",
                remedy=export,
            )
    if "pytorch-lightning_version" not in entries:
        raise TrainingError(
            f"'{name}' was exported in an older form", wanted="Lightning's version", remedy=export
        )


def _leave_out_backbone(config: Any, entries: dict[str, Any]) -> None:
    """Build the network from a checkpoint's own settings, if it was initialised from a backbone.

    The checkpoint has all the weights, so the backbone is no longer needed.
    """
    network = config.model.network
    if getattr(network, "class_path", None) != PRETRAINED:
        return
    own = build_model(entries, printable(config.ckpt_path))
    network.class_path = path_of(type(own.network.owner))
    network.init_args = Namespace(**network_part(own.network)["settings"])
    if config.model.frontend is None:
        part = frontend_part(own.frontend)
        settings = Namespace(**part.get("settings", part))  # a LogMel has no name
        path = path_of(type(own.frontend.owner))
        config.model.frontend = Namespace(class_path=path, init_args=settings)


def _named(error: BaseException) -> BaseException:
    """Convert errors of the parser and of Lightning to an error of this package."""
    if isinstance(error, (argparse.ArgumentError, MisconfigurationException)):
        return TrainingError(" ".join(str(error).split()))
    # jsonargparse wraps the errors of a class if a value may have several types.
    cause: BaseException | None = error
    while isinstance(error, ValueError) and cause is not None:
        if isinstance(cause, GenrenetError):
            return cause
        cause = cause.__cause__
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    raised_in = str(frame.f_globals.get("__name__", ""))
    for packages, kinds in REFUSING.items():
        if isinstance(error, kinds) and raised_in.startswith(packages):
            return TrainingError(" ".join(str(error).split()))
    return error


def run_trainer(arguments: Sequence[str], name: str, cli_class: type[GenreCLI] = GenreCLI) -> int:
    """Run ``fit``, ``validate``, ``test`` or ``predict``.

    Parameters
    ----------
    arguments : sequence of str
        The sub-command and its options.
    name : str
        Name of the run's folder.
    cli_class : type of GenreCLI
        The command line class, which defines model and data.

    Returns
    -------
    int
        Number of songs that could not be read by any process; 0 in all processes but the first.
    """
    # Known, or intended for other users of Lightning.
    for known in (
        "LightningCLI's args parameter",
        ".*does not have many workers",
        ".*smaller than the logging interval",
        ".*LeafSpec",
        ".*Checkpoint directory .* exists",
        "The dirpath has changed",
        "You requested to overfit but enabled",  # its own samplers are used
        "Precision .* is not supported by the model summary",
        # torchmetrics has gathered from all processes already.
        "It is recommended to use .self.log",
    ):
        warnings.filterwarnings("ignore", known)
    # Lightning itself still uses names that jsonargparse has renamed.
    os.environ.setdefault("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for logger in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    torch.set_float32_matmul_precision("high")
    if best_device() == "cpu":
        keep_freed_memory()
    read_old_names()
    GenreCLI.run_name, GenreCLI.run_folder = name, RunFolder()
    callbacks: list[Any] = [
        RichProgressBar(leave=False),
        RichModelSummary(max_depth=1),
        LearningRateMonitor(),
        # The checkpoint for resuming: Lightning's save_last writes only when the best improves.
        ModelCheckpoint(
            filename="last", save_on_train_epoch_end=True, enable_version_counter=False
        ),
        StageImages(),
        SongProjector(),
        HyperParameters(),
        TestReport(),
        PredictionWriter(),
    ]
    strict = {"exit_on_error": False}
    try:
        cli = cli_class(
            *cli_class.parts,
            args=arguments_by_path(current_arguments(arguments)),
            seed_everything_default=0,
            trainer_defaults={"callbacks": callbacks, "precision": default_precision()},
            save_config_callback=ConfigurationText if arguments[0] == "fit" else None,
            save_config_kwargs={"overwrite": True},
            parser_kwargs={**strict, **dict.fromkeys(COMMANDS, strict)},
        )
    except BaseException as error:
        GenreCLI.run_folder.remove_if_empty()
        if (named := _named(error)) is error:
            raise
        raise named from error
    if arguments[0] == "fit" and cli.trainer.is_global_zero:
        cli.conclude()
    gather_skipped(cli.datamodule)
    leave_siblings()
    if not cli.trainer.is_global_zero:
        # The exit code is the first process's, which ends the others when one of them fails.
        return 0
    skipped = cli.datamodule.skipped
    if skipped:
        say(f"{len(skipped)} songs were skipped because they could not be read")
    fact(skipped=len(skipped))
    if arguments[0] != "fit":
        tell_measured(arguments[0], cli.trainer, cli.datamodule)
    return len(skipped)
