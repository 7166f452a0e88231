"""Formats of figures."""

import io
from xml.etree import ElementTree

from matplotlib.image import imread

from genrenet.utils import figures
from genrenet.utils.figures import confusion_matrix


def test_formats():
    figure = confusion_matrix([[3, 1], [0, 2]], ["jazz", "rock"])
    svg = figures.to_svg(figure)
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert svg.startswith("<svg")
    picture = imread(io.BytesIO(figures.to_png(figure)))
    assert picture.shape[:2] == figures.to_array(figure).shape[:2]
