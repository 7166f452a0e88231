"""Learning curves of fine-tuning: training against validation, and where overfitting starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from genrenet.evaluation.reproduction.tuning import OPTIMISERS, overfitting_start
from genrenet.utils.figures import training_curves
from genrenet.utils.figures.training import Curves

PANELS = {"loss": "loss", "frame_accuracy": "frame accuracy"}


def learning_curves(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw loss and frame accuracy over the epochs.

    Parameters
    ----------
    rows : sequence of mapping
        `genrenet.evaluation.reproduction.tuning.run_study`, of one network and stage: a row per
        optimiser.

    Returns
    -------
    Figure
        Training dashed, validation solid; a ring marks the epoch where overfitting starts.
    """
    names = [f"{part}/{key}" for part in ("train", "val") for key in PANELS]
    runs = {
        OPTIMISERS[row["optimiser"]]: [
            {
                name: [(at, epoch[name]) for at, epoch in enumerate(row["history"], 1)]
                for name in names
            }
        ]
        for row in rows
    }
    return training_curves(runs, PANELS, "epoch", _start, size=(2.0, 1.75))


def _start(curves: Curves) -> int | None:
    parts = ("train/loss", "val/loss")
    epochs = zip(*([value for _, value in curves[name]] for name in parts), strict=True)
    return overfitting_start([dict(zip(parts, losses, strict=True)) for losses in epochs])
