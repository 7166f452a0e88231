"""Figures of songs: log-mels and timelines."""

import numpy as np
import pytest

from genrenet.utils import figures
from genrenet.utils.figures import FigureError, logmel_images, timeline


def test_logmels_are_drawn_with_low_bands_below():
    image = np.full((96, 50), -80.0)
    image[:48] = 0.0
    pixels = figures.to_array(logmel_images(image[None], ["low"], 1.5)).astype(int)
    column = pixels[:, pixels.shape[1] // 2].sum(axis=1)
    rows = np.flatnonzero(column < 700)
    bright, dark = column[rows[-20:]].max(), column[rows[len(rows) // 4]]
    assert bright > dark
    with pytest.raises(FigureError, match="2 titles"):
        logmel_images(image[None], ["low", "high"], 1.5)


def test_the_timeline_marks_each_frame_once():
    scores = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]])
    figure = timeline([20, 50, 110], scores, ["jazz", "rock", "pop"], 30.0, "song.mp3")
    axes = figure.axes[0]
    dots = np.concatenate([c.get_offsets() for c in axes.collections if c.get_offsets().size])
    marked = {(x, int(y)) for x, y in dots.tolist() if x or y}
    assert marked == {(35.0, 0), (65.0, 0), (125.0, 1)}
    assert axes.get_xlim() == (20, 140)
    with pytest.raises(FigureError, match="2 frames"):
        timeline([0, 30], scores, ["jazz", "rock", "pop"], 30.0)
