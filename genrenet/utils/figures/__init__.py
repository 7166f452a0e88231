"""Figures, drawn with matplotlib's objects: no pyplot, no windows, no global state.

Conventions
-----------
Every function returns a `Figure`; `to_array`, `to_png` and `to_svg` convert it for TensorBoard, a
folder or an HTML page. Figures are white with dark text. Colours vary in lightness, within one hue
or along viridis, so that they work with colour blindness and in greyscale; nothing is encoded by
hue alone.
"""

from genrenet.utils.figures.canvas import INK, MUTED, FigureError, to_array, to_png, to_svg
from genrenet.utils.figures.evaluation import (
    confusion_matrix,
    curves,
    intervals,
    learning_curves,
    reliability,
)
from genrenet.utils.figures.songs import logmel_images, timeline
from genrenet.utils.figures.training import genre_tiles, training_curves

__all__ = [
    "INK",
    "MUTED",
    "FigureError",
    "confusion_matrix",
    "curves",
    "genre_tiles",
    "intervals",
    "learning_curves",
    "logmel_images",
    "reliability",
    "timeline",
    "to_array",
    "to_png",
    "to_svg",
    "training_curves",
]
