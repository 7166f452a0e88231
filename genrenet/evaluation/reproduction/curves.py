"""Learning curves of fine-tuning: training against validation, and where overfitting starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from genrenet.evaluation.reproduction.tuning import OPTIMISERS, overfitting_start
from genrenet.utils.figures.canvas import INK, MUTED, finish, new_figure, place_axes

COLOURS = {"adam": "#2166ac", "sgd": "#d6762b"}
WIDE, HIGH = 2.0, 1.75


def learning_curves(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw loss and frame accuracy over the epochs.

    Parameters
    ----------
    rows : sequence of mapping
        `genrenet.evaluation.reproduction.tuning.run_study`, of one network and stage: a row an
        optimiser.

    Returns
    -------
    Figure
        Training dashed, validation solid; a ring marks the epoch where overfitting starts.
    """
    figure = new_figure(2 * WIDE + 1.25, HIGH + 1.0)
    for place, (key, title) in enumerate((("loss", "loss"), ("frame_accuracy", "frames right"))):
        axes = place_axes(figure, 0.45 + place * (WIDE + 0.6), 0.75, WIDE, HIGH)
        axes.grid(axis="y", color="#dfe4ea", linewidth=0.6)
        axes.set_axisbelow(True)
        for row in rows:
            history, colour = row["history"], COLOURS[row["optimiser"]]
            epochs = range(1, len(history) + 1)
            for part, style in (("train", "--"), ("val", "-")):
                values = [epoch[f"{part}/{key}"] for epoch in history]
                axes.plot(epochs, values, style, color=colour, lw=1.4, marker=".", markersize=3)
            start = overfitting_start(history)
            if start is not None:
                at = history[start - 1][f"val/{key}"]
                axes.plot(start, at, "o", mfc="none", mec=colour, mew=1.6, markersize=9)
        if key != "loss":
            axes.set_ylim(0, 1.02)
        axes.set_title(title, size=9.5, color=INK, loc="left")
        axes.set_xlabel("epoch", size=8, color=MUTED)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.tick_params(labelsize=8)
    across, up = figure.get_size_inches()
    for place, row in enumerate(rows):
        name = OPTIMISERS[row["optimiser"]]
        at = (0.45 + place * 1.05) / across
        figure.text(at, 0.14 / up, f"— {name}", size=8.5, color=COLOURS[row["optimiser"]])
    figure.text(2.75 / across, 0.14 / up, "dashed: training", size=8.5, color=MUTED)
    return finish(figure)
