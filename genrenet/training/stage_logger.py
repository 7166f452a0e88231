"""TensorBoard logging with the curves of training, validation and test in one plot.

TensorBoard draws one plot per tag, with a line for each run. So ``train/loss`` and ``val/loss`` are
written as the tag ``curves/loss`` of two runs: the folders ``train`` and ``val`` in the run's own.
It expands the first two groups of tags by default: ``curves`` is sorted before all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

STAGES = ("train", "val", "test")
"""Prefixes of the names of metrics, and the runs that they are written to."""


GROUP = "curves/"


class StageLogger(TensorBoardLogger):
    """Write the metrics of each stage to a separate run, under the same tag.

    ``train/loss_epoch`` is the tag ``curves/loss`` of the run ``train``, ``val/loss`` that of the
    run ``val``; metrics without a stage, such as the learning rate, are in the run's own folder. A
    logger with ``sub_dir`` is for one stage only, and writes its metrics there. The number of the
    epoch, which Lightning adds to all metrics, is left out, as is the placeholder ``hp_metric``.

    Parameters
    ----------
    *args, **kwargs
        See `pytorch_lightning.loggers.TensorBoardLogger`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"default_hp_metric": False, **kwargs})
        self._writers: dict[str, Any] = {}

    def place(self, name: str) -> tuple[str, str]:
        """Return the run and tag of a metric.

        Examples
        --------
        >>> logger = StageLogger("runs", "cnn", 0)
        >>> logger.place("train/loss_epoch"), logger.place("val/loss"), logger.place("lr-Adam")
        (('train', 'curves/loss'), ('val', 'curves/loss'), ('', 'lr-Adam'))
        """
        stage, _, tag = name.partition("/")
        if stage not in STAGES or not tag:
            return "", name
        return "" if self.sub_dir else stage, GROUP + tag.removesuffix("_epoch")

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write metrics to their runs."""
        for name, value in metrics.items():
            if name != "epoch":
                run, tag = self.place(name)
                self._writer(run).add_scalar(tag, value, step)

    def _writer(self, run: str) -> Any:
        if not run:
            return self.experiment
        if run not in self._writers:
            from torch.utils.tensorboard import SummaryWriter

            self._writers[run] = SummaryWriter(str(Path(self.log_dir, run)), **self._kwargs)
        return self._writers[run]

    @rank_zero_only
    def save(self) -> None:
        """Flush buffered data to the files."""
        super().save()
        for writer in self._writers.values():
            writer.flush()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close all files."""
        super().finalize(status)
        for writer in self._writers.values():
            writer.close()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out open files when the logger is pickled for other processes."""
        return {**super().__getstate__(), "_writers": {}}


def read_curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the training curves written by a `StageLogger`.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict of str to list of (int, float)
        By name, such as ``train/loss`` and ``val/song_accuracy``: training steps and values, one
        per epoch. Epochs repeated by a resumed run are included once. Empty if there is no such
        run.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for stage in STAGES[:2]:
        if not (folder / stage).is_dir():
            continue
        events = EventAccumulator(str(folder / stage), size_guidance={"scalars": 0}).Reload()
        for tag in events.Tags()["scalars"]:
            if tag.startswith(GROUP) and not tag.endswith("_step"):
                points = {event.step: float(event.value) for event in events.Scalars(tag)}
                finite = {step: value for step, value in points.items() if isfinite(value)}
                found[f"{stage}/{tag.removeprefix(GROUP)}"] = sorted(finite.items())
    return found
