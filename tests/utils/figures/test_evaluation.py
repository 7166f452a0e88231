"""Figures of an evaluation: confusion matrices and intervals."""

import warnings

import matplotlib as mpl
import numpy as np
import pytest

from genrenet.utils import figures
from genrenet.utils.figures import FigureError, confusion_matrix


@pytest.mark.parametrize("n", [2, 10, 30])
def test_confusion_matrices_of_any_size_fit_their_page(n):
    labels = (ODD + [f"genre {i}" for i in range(30)])[:n]
    figure = confusion_matrix(np.eye(n, dtype=int) * 7, labels, "Songs: all right")
    pixels = figures.to_array(figure)
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3
    # Nothing runs over the edge: the border stays white.
    border = np.concatenate([pixels[[0, -1]].reshape(-1, 3), pixels[:, [0, -1]].reshape(-1, 3)])
    assert (border == 255).all()
    assert texts(figure).count("7\n100%") == n


def test_cells_hold_counts_and_row_percentages():
    figure = confusion_matrix([[3, 1], [0, 0]], ["jazz", "rock"], "Frames")
    found = texts(figure)
    assert {"3\n75%", "1\n25%", "jazz (4)", "rock (0)", "Frames"} <= set(found)
    assert "0\n0%" not in found  # empty cells stay empty


def test_a_matrix_that_does_not_fit_its_labels_is_refused():
    with pytest.raises(FigureError, match=r"shape \(2, 2\) and 3 labels"):
        confusion_matrix(np.zeros((2, 2)), ["a", "b", "c"])


def test_labels_are_taken_literally_and_pyplot_stays_untouched():
    before = dict(mpl.rcParams)
    figure = confusion_matrix(np.eye(6, dtype=int), ODD, "100 $ of 5 $")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.to_array(figure)
    assert "$oul$ (1)" in texts(figure)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("most", "end"), [(1, 1), (None, 0.63)])
def test_intervals_of_models_start_at_zero_and_fit_their_page(most, end):
    names, ends = ["R&B", "soul", "a jazz"], [(0.4, 0.6), (0.1, 0.3), (0.2, 0.3)]
    figure = figures.intervals(names, [0.5, 0.2, 0.25], ends, "recall", most=most, title="A <run>")
    assert {"0.500", "0.200", "0.250", "recall", "A <run>", *names} <= set(texts(figure))
    low, high = figure.axes[0].get_xlim()
    assert (low, high) == pytest.approx((0, end))
    pixels = figures.to_array(figure)
    border = np.concatenate([pixels[[0, -1]].reshape(-1, 3), pixels[:, [0, -1]].reshape(-1, 3)])
    assert (border == 255).all()


def test_intervals_and_names_that_differ_in_number_are_refused():
    with pytest.raises(FigureError, match="2 names, 1 values, 1 intervals"):
        figures.intervals(["a", "b"], [0.5], [(0.4, 0.6)], "recall")


def test_learning_curves_fit_their_page_and_names_stay_apart():
    lines = {
        "R&B": [(10, 0.5, (0.4, 0.6)), (40, 0.7, (0.6, 0.8))],
        "a very long name of a genre that": [(10, 0.2, (0.1, 0.3)), (42, 0.7, (0.6, 0.8))],
    }
    figure = figures.learning_curves(lines, "songs", "accuracy", title="A <run>")
    assert {"10", "40", "songs", "accuracy", "R&B", "A <run>"} <= set(texts(figure))
    assert "42" not in texts(figure)  # too near to 40 to be written beside it
    heights = [text.xy[1] for text in figure.axes[0].texts]
    assert np.diff(sorted(heights)).min() > 0.06
    pixels = figures.to_array(figure)
    border = np.concatenate([pixels[[0, -1]].reshape(-1, 3), pixels[:, [0, -1]].reshape(-1, 3)])
    assert (border == 255).all()
    with pytest.raises(FigureError, match="without points"):
        figures.learning_curves({"a": []}, "songs", "accuracy")


ODD = ["R&B", "$oul$", "日本の音楽", "a very long name of a genre that nobody reads", "<b>", "\\x"]


def texts(figure):
    return [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()]
