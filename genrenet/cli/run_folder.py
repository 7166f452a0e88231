"""The folder of a training, test or prediction: its logger, and its removal if it is empty."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer
from pytorch_lightning.cli import SaveConfigCallback
from pytorch_lightning.loggers import TensorBoardLogger

from genrenet.training.stage_logger import StageLogger


class RunFolder:
    """The folder of a run: removed if the run failed before its first step.

    Attributes
    ----------
    trainer : Trainer, optional
        Trainer of a training with its own folder, and not that of the run it resumes.
    """

    trainer: Trainer | None = None

    def remove_if_empty(self) -> None:
        """Remove the folder, unless there was a training step."""
        trainer = self.trainer
        if trainer is None or trainer.global_step or not trainer.is_global_zero:
            return
        folder = Path(str(trainer.logger.log_dir)) if trainer.logger is not None else None
        if folder is not None and not any(folder.rglob("*.ckpt")):
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                folder.parent.rmdir()


class ConfigurationText(SaveConfigCallback):
    """Saves the configuration of a training in its folder, and shows it in TensorBoard."""

    def save_config(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        """Write the settings as text."""
        text = self.parser.dump(self.config, skip_none=True)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text("configuration", f"```yaml\n{text}\n```")


def run_logger(config: Any, run_name: str, command: str | None) -> tuple[StageLogger, bool]:
    """Return the logger of a run's folder, and whether the folder is new.

    Parameters
    ----------
    config : Namespace
        Configuration of the command.
    run_name : str
        Name of the folder unless ``--name`` is given.
    command : str
        ``fit``, ``validate``, ``test`` or ``predict``.
    """
    run = Path(str(config.ckpt_path)).resolve().parent.parent
    runs, version = Path(config.out, config.name or run_name).resolve(), None
    ours = config.name is None or run.parent == runs
    if ours and config.ckpt_path and (run / "config.yaml").is_file():
        runs, version = run.parent, run.name
    # Tests and predictions count their steps from 0: in the run's own folder TensorBoard would
    # treat that as a restart and drop the later part of the curves.
    stage = None if command == "fit" else command
    new, where = stage is None and version is None, (runs.parent, runs.name, version)
    return StageLogger(*where, sub_dir=stage), new
