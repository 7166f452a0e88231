"""The page's matrices of frames and songs side by side, and its curves."""

import pytest

from genrenet.evaluation.reproduction.page import render
from tests.helpers.reproductions import guessed


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return guessed(tmp_path_factory.mktemp("run"))


def test_frames_and_songs_stand_side_by_side(found):
    page = render(found)
    assert page.count("<h4>All frames</h4>") == page.count("<h4>Using the mean</h4>") == 2
    assert "of 48 frames" in page
    assert page.count("Every song had one frame") == 1
    assert page.count("k-means &lt;of&gt; Table 2") == 1


def test_curves_and_their_table(found):
    page = render(found)
    assert [page.count(f"<h4>CRNN: {name}") for name in ("head", "recurrent layers", "all")] == [
        1
    ] * 3
    assert page.count('<td class="n">3 of 5</td>') == page.count('<td class="n">3</td>') == 6
