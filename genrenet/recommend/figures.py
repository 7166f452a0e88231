"""Figures of recommenders: one number a model, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from genrenet.utils.figures.canvas import (
    INK,
    MUTED,
    FigureError,
    finish,
    new_figure,
    place_axes,
    shorten,
    text_width,
)


def intervals(
    names: Sequence[str], values: Sequence[float], ends: Sequence[Sequence[float]], label: str
) -> Figure:
    """Return the figures of several models with their intervals, one under the other, from zero on.

    Parameters
    ----------
    names : sequence of str
    values : sequence of float >= 0
    ends : sequence of (float, float)
        Lower and upper end.
    label : str
        What the figures are.

    Raises
    ------
    FigureError
        Nothing to draw, or numbers that do not belong together.
    """
    n = len(names)
    if not n or len(values) != n or len(ends) != n:
        raise FigureError(
            "figures and their names differ in number",
            found=f"{n} names, {len(values)} values, {len(ends)} intervals",
            wanted="as many of each, one at least",
        )
    labels = [shorten(name, 32) for name in names]
    left, side, height = 0.3 + text_width(labels), 4.6, 0.34 * n
    figure = new_figure(left + side + 0.8, height + 0.8)
    axes = place_axes(figure, left, 0.5, side, height)
    rows = np.arange(n)
    spans = np.asarray(ends, float)
    most = max(float(spans[:, 1].max()), *map(float, values)) * 1.05 or 1.0
    axes.hlines(rows, spans[:, 0], spans[:, 1], color="#8ab1d6", linewidth=5)
    axes.plot(values, rows, "o", color=INK, markersize=5)
    for row, value in enumerate(values):
        axes.text(1.02 * most, row, f"{value:.3f}", size=9, color=INK, va="center", clip_on=False)
    axes.set_yticks(rows, labels)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_xlim(0, most)
    axes.grid(axis="x", color="#dfe4ea", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(label, size=9, color=MUTED)
    return finish(figure)
