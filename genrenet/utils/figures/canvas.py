"""Common parts of all figures: sizes in inches, fonts, and conversion to images."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from io import BytesIO, StringIO
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from genrenet.utils.errors import GenrenetError

INK, MUTED, GRID = "#1d2530", "#5c6670", "#dfe4ea"
PALE = 0.62  # up to this share, dark text reads better on matplotlib's "Blues" than white
DPI = 110
_SCRIPTS = (
    "Noto Sans CJK JP", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans",
    "Arial Unicode MS", "Hiragino Sans", "Microsoft YaHei", "Malgun Gothic", "Segoe UI",
)  # fmt: skip
_NO_GLYPH = r"(Glyph .* missing|Matplotlib currently does not support)"


class FigureError(GenrenetError):
    """Data of a shape that cannot be drawn."""


# --- what they have in common ---------------------------------------------------------------------


@cache
def _family() -> list[str]:
    """Return the default font, then whichever installed fonts know other scripts."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _SCRIPTS if name in installed)]


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def place_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes at a position in inches, without a frame."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=9, labelcolor=INK)
    return axes


def add_grid(
    axes: Axes,
    lines: Literal["x", "y", "both"],
    *,
    across: str = "",
    up: str = "",
    size: float = 9,
) -> None:
    """Draw grid lines behind the data, and name the axes."""
    axes.grid(axis=lines, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(across, size=size, color=MUTED)
    axes.set_ylabel(up, size=size, color=MUTED)


def finish(figure: Figure) -> Figure:
    """Show every text literally ("$" is not a formula), in fonts that have its script."""
    for text in figure.findobj(Text):
        text.set(fontfamily=_family(), parse_math=False)
    return figure


def add_title(figure: Figure, title: str) -> None:
    """Write a title at the top left."""
    if title:
        across, up = figure.get_size_inches()
        figure.text(0.15 / across, 1 - 0.1 / up, title, size=11, weight="bold", color=INK, va="top")


def shorten(text: str, limit: int = 24) -> str:
    """Return a text of at most a number of characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def text_width(texts: Sequence[str], size: float = 9) -> float:
    """Return the approximate width in inches of the longest of some texts."""
    return max(map(len, texts), default=0) * size * 0.0092


def to_array(figure: Figure) -> NDArray[np.uint8]:
    """Return the pixels of a figure, of shape (height, width, 3), for
    ``add_image(dataformats="HWC")``.
    """
    canvas = figure.canvas
    if not isinstance(canvas, FigureCanvasAgg):
        canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _NO_GLYPH)
        canvas.draw()
    pixels: NDArray[np.uint8] = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return pixels


def _printed(figure: Figure, file: Any, kind: str) -> None:
    # Without a date, equal figures give equal files.
    metadata = {"Date": None} if kind == "svg" else {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _NO_GLYPH)
        figure.savefig(file, format=kind, metadata=metadata)


def to_png(figure: Figure) -> bytes:
    """Return a figure as a PNG file."""
    file = BytesIO()
    _printed(figure, file, "png")
    return file.getvalue()


def to_svg(figure: Figure) -> str:
    """Return a figure as an ``<svg>`` element for embedding in a page."""
    file = StringIO()
    _printed(figure, file, "svg")
    text = file.getvalue()
    return text[text.index("<svg") :]
