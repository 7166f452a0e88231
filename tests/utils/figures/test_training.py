"""Curves of trainings, and tiles for maps of songs."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from genrenet.utils.figures import FigureError, genre_tiles, to_array, training_curves
from genrenet.utils.figures.training import COLOURS

CURVES = {
    "train/loss": [(0, 2.0), (5, 1.0), (10, 0.5)],
    "val/loss": [(0, 2.0), (5, 1.2), (10, 1.6)],
    "val/song_accuracy": [(0, 0.2), (5, 0.6), (10, 0.7)],
}


def drawn(figure, panel):
    return [
        (list(map(float, line.get_xdata())), line.get_linestyle(), to_hex(line.get_color()))
        for line in figure.axes[panel].lines
        if line.get_linestyle() != "None" and len(line.get_xdata())
    ]


def test_training_is_dashed_and_validation_solid_in_one_panel():
    panels = {"loss": "loss", "song_accuracy": "songs right"}
    figure = training_curves({"cnn": [CURVES]}, panels, "step", lambda curves: 5)
    steps = [0.0, 5.0, 10.0]
    assert drawn(figure, 0)[:2] == [(steps, "--", COLOURS[1]), (steps, "-", COLOURS[0])]
    assert drawn(figure, 1)[0] == (steps, "-", COLOURS[0])
    rings = [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for axes in figure.axes
        for line in axes.lines
        if line.get_marker() == "o"
    ]
    assert rings == [(5, 1.2), (5, 0.6)]
    assert figure.axes[1].get_ylim() == (0, 1.02)
    assert {"— validation", "- - training"} <= {text.get_text() for text in figure.texts}
    pixels = to_array(figure)
    assert (pixels[[0, -1]] == 255).all()
    assert (pixels[:, [0, -1]] == 255).all()


def test_several_trainings_of_several_names():
    figure = training_curves({"Adam": [CURVES, CURVES], "SGD": [CURVES]}, {"loss": "loss"}, "epoch")
    colours = [colour for _, _, colour in drawn(figure, 0)]
    assert colours == 4 * [COLOURS[0]] + 2 * [COLOURS[1]]
    assert {"— Adam", "— SGD"} <= {text.get_text() for text in figure.texts}


@pytest.mark.parametrize(("runs", "panels"), [({}, {"loss": ""}), ({"a": []}, {"loss": ""})])
def test_nothing_to_draw_is_an_error(runs, panels):
    with pytest.raises(FigureError, match="training curves"):
        training_curves(runs, panels, "step")


@pytest.mark.parametrize("n", [2, 10, 30])
def test_tiles_tell_genre_and_prediction_by_colour(n):
    labels = [f"{chr(97 + i % 26)}{i} $genre" for i in range(n)]
    genres = [*labels, labels[0], "other"]
    tiles = genre_tiles(genres, [*labels, labels[1], labels[0]], labels)
    assert tiles.shape == (n + 2, 28, 28, 3)
    assert tiles.dtype == np.uint8
    frame, fill = tiles[:, 0, 0], tiles[:, 6, 6]
    assert len(np.unique(fill[:n], axis=0)) == n
    assert (frame[:n] == fill[:n]).all()
    assert (fill[n] == fill[0]).all()
    assert (frame[n] == fill[1]).all()
    assert (fill[n + 1] == 128).all()
