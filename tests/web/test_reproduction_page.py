"""The page of a reproduction in a browser: wide and narrow, light and dark."""

import pytest

from genrenet.evaluation.reproduction.page import render
from tests.helpers.browser import faults
from tests.helpers.reproductions import guessed


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_it_fits_the_screen_and_has_no_faults(width, scheme, browser, tmp_path):
    size = {"width": width, "height": 900}
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        page.set_content(render(guessed(tmp_path)))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("svg").first.bounding_box()["width"] > 250
        assert not faults(page)
