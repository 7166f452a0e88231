"""Figures, drawn on matplotlib's objects alone: no pyplot, no windows, nothing global.

Conventions
-----------
Every function returns a `Figure`; `to_array`, `to_png` and `to_svg` turn it into what TensorBoard,
a folder or a page wants. Figures are white with dark text. Colours vary in lightness, within one
hue or along viridis, so they survive colour blindness and grey printing; nothing is told by hue
alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from io import BytesIO, StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray

from genrenet.errors import GenrenetError

INK, MUTED = "#1d2530", "#5c6670"
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
    """The default font, then whichever installed fonts know other scripts."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _SCRIPTS if name in installed)]


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes placed in inches, without a box."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=9, labelcolor=INK)
    return axes


def _finish(figure: Figure) -> Figure:
    """Take every text literally ("$" is no formula), in fonts that know its script."""
    for text in figure.findobj(Text):
        text.set(fontfamily=_family(), parse_math=False)
    return figure


def _title(figure: Figure, title: str) -> None:
    if title:
        across, up = figure.get_size_inches()
        figure.text(0.15 / across, 1 - 0.1 / up, title, size=11, weight="bold", color=INK, va="top")


def _short(text: str, limit: int = 24) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _width(texts: Sequence[str], size: float = 9) -> float:
    """Inches that the longest of some texts takes, roughly."""
    return max(map(len, texts), default=0) * size * 0.0092


def to_array(figure: Figure) -> NDArray[np.uint8]:
    """Pixels of a figure, of shape (height, width, 3), for ``add_image(dataformats="HWC")``."""
    canvas = figure.canvas
    if not isinstance(canvas, FigureCanvasAgg):
        canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _NO_GLYPH)
        canvas.draw()
    pixels: NDArray[np.uint8] = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return pixels


def _printed(figure: Figure, file: Any, kind: str) -> None:
    # Without a date, equal figures are equal files.
    metadata = {"Date": None} if kind == "svg" else {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _NO_GLYPH)
        figure.savefig(file, format=kind, metadata=metadata)


def to_png(figure: Figure) -> bytes:
    """A figure as a PNG file."""
    file = BytesIO()
    _printed(figure, file, "png")
    return file.getvalue()


def to_svg(figure: Figure) -> str:
    """A figure as an ``<svg>`` element that can stand in a page."""
    file = StringIO()
    _printed(figure, file, "svg")
    text = file.getvalue()
    return text[text.index("<svg") :]


# --- figures --------------------------------------------------------------------------------------


def confusion_matrix(counts: ArrayLike, labels: Sequence[str], title: str = "") -> Figure:
    """Confusion matrix, with each cell's count and its share of the row.

    Parameters
    ----------
    counts : array_like of int, shape (labels, labels)
        Rows are the true labels, columns the predicted ones.
    labels : sequence of str
    title : str

    Returns
    -------
    Figure
        Row labels carry the number of their songs or frames; empty cells stay empty.

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
    names = [_short(label) for label in labels]
    rows = [f"{name} ({total})" for name, total in zip(names, sums, strict=True)]
    cell = min(0.9, max(0.46, 6 / n))
    side = cell * n
    upright = _width(names) < 0.9 * cell
    left = 0.5 + _width(rows)
    bottom = 0.6 if upright else 0.45 + 0.66 * _width(names)
    width = max(left + side + 0.3, _width([title], 12) + 0.4)
    figure = _figure(width, bottom + side + (0.5 if title else 0.2))
    axes = _axes(figure, left, bottom, side, side)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    tilt: dict[str, Any] = (
        {} if upright else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    )
    axes.set_xticks(range(n), names, **tilt)
    axes.set_yticks(range(n), rows)
    axes.set_xticks(np.arange(1, n) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, n) - 0.5, minor=True)
    axes.grid(which="minor", color="#dfe4ea", linewidth=0.6)
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
    _title(figure, title)
    return _finish(figure)


def logmel_images(logmels: ArrayLike, titles: Sequence[str], seconds: float) -> Figure:
    """Log-mel spectrograms below one another, two in a row.

    Parameters
    ----------
    logmels : array_like, shape (n, n_mels, time), n >= 1
        In dB; each is drawn on a scale of its own.
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
    figure = _figure(0.25 + wide * across, 0.2 + high * down)
    for index, (image, title) in enumerate(zip(images, titles, strict=True)):
        row, column = divmod(index, across)
        axes = _axes(figure, 0.6 + wide * column, 0.6 + high * (down - 1 - row), 3.9, 1.45)
        axes.imshow(
            image,
            origin="lower",
            aspect="auto",
            cmap="viridis",
            extent=(0, seconds, 0, image.shape[0]),
            interpolation="antialiased",
        )
        axes.set_title(_short(title, 60), size=9.5, color=INK, loc="left")
        axes.tick_params(labelsize=8, labelcolor=MUTED)
        if row == down - 1 or index + across >= len(images):
            axes.set_xlabel("seconds", size=8, color=MUTED)
        if not column:
            axes.set_ylabel("mel band", size=8, color=MUTED)
    return _finish(figure)


def timeline(
    starts: ArrayLike,
    scores: ArrayLike,
    labels: Sequence[str],
    seconds: float,
    title: str = "",
    *,
    top: int = 8,
) -> Figure:
    """Genre over time: a row for each of the likeliest labels, a cell for each frame.

    Parameters
    ----------
    starts : array_like, shape (frames,)
        Where the frames begin, in seconds.
    scores : array_like, shape (frames, labels)
        In [0, 1]. Dark is high; a dot marks each frame's highest, where its label is shown.
    labels : sequence of str
    seconds : float > 0
        Length of a frame.
    title : str
    top : int > 0
        How many labels to show, by mean score.
    """
    begins, table = np.asarray(starts, dtype=float), np.asarray(scores, dtype=float)
    if table.shape != (len(begins), len(labels)) or not table.size:
        raise FigureError(
            "frames, scores and labels do not fit",
            found=f"{len(begins)} frames, scores of shape {table.shape}, {len(labels)} labels",
            wanted="scores of shape (frames, labels), with at least one of each",
        )
    order = np.argsort(-table.mean(axis=0), kind="stable")[:top]
    names = [_short(labels[i]) for i in order]
    left, height, width = 0.3 + _width(names), 0.34 * len(order), 6.2
    figure = _figure(left + width + 0.3, 0.5 + height + (0.45 if title else 0.15))
    axes = _axes(figure, left, 0.5, width, height)
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
    _title(figure, title)
    return _finish(figure)
