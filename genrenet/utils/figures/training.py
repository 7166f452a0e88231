"""Figures of training runs: training against validation, and tiles for maps of songs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from genrenet.utils.figures.canvas import (
    DPI,
    INK,
    MUTED,
    FigureError,
    add_grid,
    finish,
    new_figure,
    place_axes,
    shorten,
    to_array,
)

Curves = Mapping[str, Sequence[tuple[float, float]]]
"""Curves of one training: by names such as ``train/loss``, steps or epochs and values."""

Colour = tuple[float, float, float]
COLOURS = ("#2166ac", "#d6762b", "#2b8a57", "#8c4fa3", "#8a6d1d", "#4d5a66")
TILE = 28  # pixels
BRIGHT = 0.6  # from this brightness on, dark letters are more legible


def training_curves(
    runs: Mapping[str, Sequence[Curves]],
    panels: Mapping[str, str],
    along: str,
    mark: Callable[[Curves], float | None] | None = None,
    *,
    size: tuple[float, float] = (3.6, 2.3),
) -> Figure:
    """Draw the curves of training runs, validation solid and training dashed.

    Parameters
    ----------
    runs : mapping of str to sequence of mapping
        By name: the curves of one or several training runs (folds and seeds), which have one
        colour. If there is only one name, colours distinguish training from validation.
    panels : mapping of str to str
        Metrics to draw, such as ``loss``, and their headings. All except losses are drawn from 0 to
        1.
    along : str
        Label of the horizontal axis.
    mark : callable, optional
        Returns the position in a training that is marked by a ring on its validation curves.
    size : (float, float)
        Size of a panel, in inches.

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        Nothing to draw.
    """
    if not panels or not any(runs.values()):
        raise FigureError("training curves", found="none", wanted="a training with one at least")
    wide, high = size
    figure = new_figure(len(panels) * (wide + 0.6) + 0.05, high + 1.0)
    one = len(runs) == 1
    for place, (key, title) in enumerate(panels.items()):
        axes = place_axes(figure, 0.45 + place * (wide + 0.6), 0.75, wide, high)
        add_grid(axes, "y", across=along, size=8)
        for number, several in enumerate(runs.values()):
            colours = dict.fromkeys(("train", "val"), COLOURS[number % len(COLOURS)])
            if one:
                colours["train"] = COLOURS[1]
            for curves in several:
                for part, style in (("train", "--"), ("val", "-")):
                    points = curves.get(f"{part}/{key}", [])
                    axes.plot(
                        [x for x, _ in points],
                        [y for _, y in points],
                        style,
                        color=colours[part],
                        lw=1.4 if len(several) == 1 else 1.0,
                        alpha=1.0 if len(several) == 1 else 0.7,
                        marker="." if len(points) < 40 else "",
                        markersize=3,
                    )
                at = None if mark is None else mark(curves)
                held = dict(curves.get(f"val/{key}", []))
                if at in held:
                    axes.plot(at, held[at], "o", mfc="none", mec=colours["val"], mew=1.5, ms=8)
        if "loss" in key:
            axes.set_ylim(bottom=0)
        else:
            axes.set_ylim(0, 1.02)
        axes.set_title(title, size=9.5, color=INK, loc="left")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.tick_params(labelsize=8)
    legend = [(f"— {shorten(name)}", COLOURS[n % len(COLOURS)]) for n, name in enumerate(runs)]
    legend.append(("- - training", MUTED))
    if one:
        legend = [("— validation", COLOURS[0]), ("- - training", COLOURS[1])]
    across, up = figure.get_size_inches()
    left = 0.45
    for text, colour in legend:
        figure.text(left / across, 0.14 / up, text, size=8.5, color=colour)
        left += 0.3 + 0.075 * len(text)
    return finish(figure)


def genre_tiles(
    genres: Sequence[str], predicted: Sequence[str], labels: Sequence[str]
) -> NDArray[np.uint8]:
    """Return a small image of each song, for TensorBoard's projector.

    Parameters
    ----------
    genres, predicted : sequence of str
        True and predicted genre of each song.
    labels : sequence of str
        Genres that have colours; others are grey.

    Returns
    -------
    ndarray of uint8, shape (songs, 28, 28, 3)
        The first letters of the genre on its colour, framed in the colour of the predicted genre.
    """
    few = len(labels) <= 10
    places = range(len(labels)) if few else np.linspace(0.03, 0.97, len(labels))
    tints = (to_rgb(colormaps["tab10" if few else "turbo"](place)) for place in places)
    colours = dict(zip(labels, tints, strict=True))
    kinds = list(zip(genres, predicted, strict=True))
    grey = to_rgb("grey")
    drawn = {
        (genre, other): _tile(genre[:2], colours.get(genre, grey), colours.get(other, grey))
        for genre, other in dict.fromkeys(kinds)
    }
    return np.stack([drawn[kind] for kind in kinds])


def _tile(letters: str, fill: Colour, frame: Colour) -> NDArray[np.uint8]:
    figure = new_figure(TILE / DPI, TILE / DPI)
    figure.set_facecolor(frame)
    inner = Rectangle((0.14, 0.14), 0.72, 0.72, transform=figure.transFigure, facecolor=fill)
    figure.add_artist(inner)
    bright = float(np.dot(fill, (0.299, 0.587, 0.114))) > BRIGHT
    ink = INK if bright else "white"
    figure.text(0.5, 0.48, letters, size=8, weight="bold", color=ink, ha="center", va="center")
    return to_array(finish(figure))
