"""Figures of model performance: confusion, accuracy, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from genrenet.utils.figures.canvas import (
    GRID,
    INK,
    MUTED,
    PALE,
    FigureError,
    add_grid,
    add_title,
    finish,
    new_figure,
    place_axes,
    shorten,
    text_width,
)


def confusion_matrix(counts: ArrayLike, labels: Sequence[str], title: str = "") -> Figure:
    """Return a confusion matrix, with each cell's count and its share of the row.

    Parameters
    ----------
    counts : array_like of int, shape (labels, labels)
        Rows are the true labels, columns the predicted ones.
    labels : sequence of str
    title : str

    Returns
    -------
    Figure
        Row labels include the number of their songs or frames; empty cells stay empty.

    Raises
    ------
    FigureError
        The matrix is not square, or has another size than the labels.
    """
    table = np.asarray(counts)
    n = len(labels)
    if table.shape != (n, n) or not n:
        raise FigureError(
            "a confusion matrix and its labels differ in size",
            found=f"shape {table.shape} and {n} labels",
            wanted="a square matrix with a row and a column for each label",
        )
    sums = table.sum(axis=1)
    shares = table / np.maximum(sums, 1)[:, None]
    names = [shorten(label) for label in labels]
    rows = [f"{name} ({total})" for name, total in zip(names, sums, strict=True)]
    cell = min(0.9, max(0.46, 6 / n))
    side = cell * n
    upright = text_width(names) < 0.9 * cell
    left = 0.5 + text_width(rows)
    bottom = 0.6 if upright else 0.45 + 0.66 * text_width(names)
    width = max(left + side + 0.3, text_width([title], 12) + 0.4)
    figure = new_figure(width, bottom + side + (0.5 if title else 0.2))
    axes = place_axes(figure, left, bottom, side, side)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    tilt: dict[str, Any] = (
        {} if upright else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    )
    axes.set_xticks(range(n), names, **tilt)
    axes.set_yticks(range(n), rows)
    axes.set_xticks(np.arange(1, n) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, n) - 0.5, minor=True)
    axes.grid(which="minor", color=GRID, linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    size = min(11.0, cell * 16)
    for row, column in np.argwhere(table).tolist():
        share = shares[row, column]
        axes.text(
            column,
            row,
            f"{table[row, column]}\n{100 * share:.0f}%",
            size=size,
            color="white" if share > PALE else INK,
            weight="bold" if row == column else "normal",
            ha="center",
            va="center",
            linespacing=1.1,
        )
    for name, at, turn in (
        ("predicted", (left + side / 2, 0.12), 0),
        ("true", (0.22, bottom + side / 2), 90),
    ):
        x, y = np.divide(at, figure.get_size_inches())
        figure.text(x, y, name, size=9, color=MUTED, rotation=turn, ha="center", va="center")
    add_title(figure, title)
    return finish(figure)


def intervals(
    names: Sequence[str],
    values: Sequence[float],
    ends: Sequence[Sequence[float]],
    label: str,
    *,
    most: float | None = None,
    title: str = "",
) -> Figure:
    """Draw figures of several models with their intervals, below each other, on an axis from zero.

    Parameters
    ----------
    names : sequence of str
    values : sequence of float >= 0
        Value of each model.
    ends : sequence of (float, float)
        Lower and upper end of each interval.
    label : str
        Axis label.
    most : float > 0, optional
        End of the axis; by default slightly beyond the largest value.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        Nothing to draw, or sequences of different lengths.
    """
    n = len(names)
    if not n or len(values) != n or len(ends) != n:
        raise FigureError(
            "values, intervals and their names differ in number",
            found=f"{n} names, {len(values)} values, {len(ends)} intervals",
            wanted="as many of each, one at least",
        )
    labels = [shorten(name, 32) for name in names]
    left, side, height = 0.3 + text_width(labels), 4.6, 0.34 * n
    width = max(left + side + 0.8, text_width([title], 12) + 0.4)
    figure = new_figure(width, height + (1.05 if title else 0.8))
    axes = place_axes(figure, left, 0.5, side, height)
    rows = np.arange(n)
    spans = np.asarray(ends, float)
    if most is None:
        most = max(float(spans[:, 1].max()), *map(float, values)) * 1.05 or 1.0
    axes.hlines(rows, spans[:, 0], spans[:, 1], color="#8ab1d6", linewidth=5)
    axes.plot(values, rows, "o", color=INK, markersize=5)
    for row, value in enumerate(values):
        axes.text(1.02 * most, row, f"{value:.3f}", size=9, color=INK, va="center", clip_on=False)
    axes.set_yticks(rows, labels)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_xlim(0, most)
    add_grid(axes, "x", across=label)
    add_title(figure, title)
    return finish(figure)


def curves(
    panels: Mapping[str, tuple[Sequence[str], Mapping[str, Sequence[float]]]],
    label: str,
    title: str = "",
) -> Figure:
    """Draw figures of several models over steps, a panel for each kind of step.

    Parameters
    ----------
    panels : mapping of str to (sequence of str, mapping of str to sequence of float)
        By title: the steps' names, and each model's values in [0, 1], NaN where there is none.
    label : str
        Axis label.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        Nothing to draw.
    """
    if not panels:
        raise FigureError("no panels to draw", found="none", wanted="one at least")
    models = list(dict.fromkeys(model for _, lines in panels.values() for model in lines))
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    legend = 0.3 + 0.22 * len(models)
    width, height = 0.4 + 2.9 * across, 0.4 + 2.5 * down + legend
    figure = new_figure(width, height)
    tints = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(models)))
    for place, (name, (steps, lines)) in enumerate(panels.items()):
        left = 0.65 + 2.9 * (place % across)
        axes = place_axes(figure, left, height - 2.5 * (place // across + 1), 2.2, 1.7)
        for number, model in enumerate(models):
            if model in lines:
                mark = "osD^vPX*"[number % 8]
                axes.plot(
                    range(len(steps)),
                    list(lines[model]),
                    marker=mark,
                    markersize=5,
                    color=tints[number],
                    label=shorten(model, 40),
                )
        axes.set_xticks(range(len(steps)), [shorten(step, 8) for step in steps])
        axes.set_xlim(-0.3, len(steps) - 0.7)
        axes.set_ylim(0, 1)
        add_grid(axes, "y", up="" if place % across else label)
        axes.set_title(name, size=10, color=INK)
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="lower left", frameon=False, fontsize=9)
    add_title(figure, title)
    return finish(figure)


def reliability(confidence: ArrayLike, right: ArrayLike, title: str = "", bins: int = 10) -> Figure:
    """Return a reliability plot: the share of correct predictions by confidence.

    Parameters
    ----------
    confidence : array_like of float in [0, 1], shape (songs,)
    right : array_like of bool, shape (songs,)
    title : str
    bins : int > 0
        Number of equal-width bins of confidence; empty ones are not drawn.

    Returns
    -------
    Figure
        The area of a dot is proportional to the number of songs in its bin.

    Raises
    ------
    FigureError
        No songs, or sequences of different lengths.
    """
    sure, hits = np.asarray(confidence, float), np.asarray(right, float)
    if sure.shape != hits.shape or sure.ndim != 1 or not len(sure):
        raise FigureError(
            "confidences and decisions differ in number", found=f"{sure.shape} and {hits.shape}"
        )
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    held = counts > 0
    across = np.bincount(place, weights=sure, minlength=bins)[held] / counts[held]
    up = np.bincount(place, weights=hits, minlength=bins)[held] / counts[held]
    figure = new_figure(max(3.9, text_width([title], 12) + 0.4), 3.9)
    axes = place_axes(figure, 0.65, 0.55, 2.9, 2.9)
    axes.plot([0, 1], [0, 1], color="#b9c2cc", linewidth=1, linestyle="--")
    axes.plot(across, up, color="#2166ac", linewidth=1.2)
    axes.scatter(across, up, s=12 + 220 * counts[held] / counts.sum(), color="#2166ac", zorder=3)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    add_grid(axes, "both", across="confidence", up="accuracy")
    add_title(figure, title)
    return finish(figure)


def learning_curves(
    lines: Mapping[str, Sequence[tuple[float, float, Sequence[float]]]],
    along: str,
    label: str,
    *,
    title: str = "",
) -> Figure:
    """Draw learning curves: a figure of merit by training set size, one line per model, with
    intervals.

    Parameters
    ----------
    lines : mapping of str to sequence of (float > 0, float, (float, float))
        For each model its points: training set size, a value in [0, 1], and the ends of its
        interval. Drawn on a logarithmic axis, points of several models slightly shifted.
    along, label : str
        Axis labels.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        Nothing to draw.
    """
    places = sorted({x for points in lines.values() for x, _, _ in points})
    if not places:
        raise FigureError("a learning curve without points", wanted="a model with one at least")
    names = [shorten(name) for name in lines]
    beside = 0.25 + text_width(names)
    width, height = 5.0, 3.2
    figure = new_figure(0.75 + width + beside, 0.75 + height + (0.4 if title else 0.15))
    axes = place_axes(figure, 0.7, 0.65, width, height)
    axes.set_xscale("log")
    add_grid(axes, "y", across=along, up=label)
    ends = []
    for number, points in enumerate(lines.values()):
        colour = colormaps["viridis"](0.75 * number / max(1, len(lines) - 1))
        shift = 1.012 ** (number - (len(lines) - 1) / 2)
        x = [shift * place for place, _, _ in sorted(points)]
        y = [value for _, value, _ in sorted(points)]
        spread = [(value - low, high - value) for _, value, (low, high) in sorted(points)]
        axes.errorbar(
            x,
            y,
            yerr=np.clip(np.array(spread).T, 0, None) if points else None,
            color=colour,
            marker="osD^v<>P"[number % 8],
            linestyle=("-", "--", "-.", ":")[number % 4],
            markersize=5,
            linewidth=1.4,
            elinewidth=0.9,
            capsize=2.5,
        )
        if points:
            ends.append((y[-1], names[number], colour))
    shown = [
        p for i, p in enumerate(places) if not i or p / places[i - 1] > 1.12 or len(places) < 3
    ]
    axes.set_xticks(shown, [f"{place:.0f}" for place in shown])
    axes.minorticks_off()
    axes.set_ylim(0, 1)
    # Names at the ends of their lines, moved apart where they overlap.
    lowest = -0.03
    for value, name, colour in sorted(ends):
        lowest = max(value, lowest + 0.065)
        axes.annotate(
            name,
            (1, lowest),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            size=9,
            color=colour,
            weight="bold",
            va="center",
        )
    add_title(figure, title)
    return finish(figure)
