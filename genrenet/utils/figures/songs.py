"""Figures of songs: log-mels and timelines."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from genrenet.utils.figures.canvas import (
    INK,
    MUTED,
    PALE,
    FigureError,
    add_title,
    finish,
    new_figure,
    place_axes,
    shorten,
    text_width,
)


def logmel_images(logmels: ArrayLike, titles: Sequence[str], seconds: float) -> Figure:
    """Draw log-mel spectrograms below each other, two in a row.

    Parameters
    ----------
    logmels : array_like, shape (n, n_mels, time), n >= 1
        In dB; each is drawn on its own scale.
    titles : sequence of str
        One for each.
    seconds : float > 0
        Length of the clips.
    """
    images = np.asarray(logmels, dtype=np.float32)
    if images.ndim != 3 or not len(images) or len(images) != len(titles):
        raise FigureError(
            "log-mels and titles do not fit",
            found=f"shape {images.shape} and {len(titles)} titles",
            wanted="(n, n_mels, time) with n titles, n at least 1",
        )
    across = min(2, len(images))
    down = -(-len(images) // across)
    wide, high = 4.6, 2.3
    figure = new_figure(0.25 + wide * across, 0.2 + high * down)
    for index, (image, title) in enumerate(zip(images, titles, strict=True)):
        row, column = divmod(index, across)
        axes = place_axes(figure, 0.6 + wide * column, 0.6 + high * (down - 1 - row), 3.9, 1.45)
        axes.imshow(
            image,
            origin="lower",
            aspect="auto",
            cmap="viridis",
            extent=(0, seconds, 0, image.shape[0]),
            interpolation="antialiased",
        )
        axes.set_title(shorten(title, 60), size=9.5, color=INK, loc="left")
        axes.tick_params(labelsize=8, labelcolor=MUTED)
        if row == down - 1 or index + across >= len(images):
            axes.set_xlabel("seconds", size=8, color=MUTED)
        if not column:
            axes.set_ylabel("mel band", size=8, color=MUTED)
    return finish(figure)


def timeline(
    starts: ArrayLike,
    scores: ArrayLike,
    labels: Sequence[str],
    seconds: float,
    title: str = "",
    *,
    top: int = 8,
) -> Figure:
    """Return a timeline of genres: a row for each of the most likely labels, a cell for each frame.

    Parameters
    ----------
    starts : array_like, shape (frames,)
        Start of each frame, in seconds.
    scores : array_like, shape (frames, labels)
        In [0, 1]. Dark is high; a dot marks each frame's highest, if its label is shown.
    labels : sequence of str
    seconds : float > 0
        Length of a frame.
    title : str
    top : int > 0
        Number of labels to show, by mean score.
    """
    begins, table = np.asarray(starts, dtype=float), np.asarray(scores, dtype=float)
    if table.shape != (len(begins), len(labels)) or not table.size:
        raise FigureError(
            "frames, scores and labels do not fit",
            found=f"{len(begins)} frames, scores of shape {table.shape}, {len(labels)} labels",
            wanted="scores of shape (frames, labels), with at least one of each",
        )
    order = np.argsort(-table.mean(axis=0), kind="stable")[:top]
    names = [shorten(labels[i]) for i in order]
    left, height, width = 0.3 + text_width(names), 0.34 * len(order), 6.2
    figure = new_figure(left + width + 0.3, 0.5 + height + (0.45 if title else 0.15))
    axes = place_axes(figure, left, 0.5, width, height)
    colours = mpl.colormaps["Blues"]
    spans = [(begin, seconds) for begin in begins]
    winners = table.argmax(axis=1)
    for row, label in enumerate(order):
        faces = colours(table[:, label])
        axes.broken_barh(spans, (row - 0.46, 0.92), facecolors=faces, edgecolors="white", lw=0.5)
        won = winners == label
        shades = np.where(table[won, label] > PALE, "white", INK)
        axes.scatter(begins[won] + seconds / 2, np.full(won.sum(), row), s=14, c=shades, zorder=3)
    axes.set(xlim=(begins.min(), begins.max() + seconds), ylim=(len(order) - 0.5, -0.5))
    axes.set_yticks(range(len(order)), names)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(8, steps=[1, 1.5, 3, 6, 10]))
    axes.xaxis.set_major_formatter(lambda x, _: f"{int(x) // 60}:{int(x) % 60:02d}")
    axes.tick_params(axis="x", labelsize=8, labelcolor=MUTED)
    axes.set_xlabel("minutes", size=8, color=MUTED)
    add_title(figure, title)
    return finish(figure)
