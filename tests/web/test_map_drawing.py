"""The map that is computed in the background."""

from __future__ import annotations

import numpy as np

from genrenet.web.map_drawing import MapDrawing


def test_a_map_is_drawn_once_when_it_is_asked_for():
    vectors = np.eye(6, dtype=np.float32)
    drawing = MapDrawing(vectors, lambda error: None)
    drawing.wait()
    assert (drawing.state, drawing.begun, drawing.places) == ("waiting", False, None)
    drawing.begin()
    drawing.wait()
    places = drawing.places
    assert drawing.told()["state"] == "ready"
    assert drawing.told()["songs"] == 6
    assert places is not None
    drawing.begin()
    drawing.wait()
    assert drawing.places is places


def test_what_goes_wrong_is_told():
    faults: list[Exception] = []
    drawing = MapDrawing(np.full((9, 3), np.nan, np.float32), faults.append)
    drawing.begin()
    drawing.wait()
    assert (drawing.state, drawing.places, len(faults)) == ("failed", None, 1)
