"""Results of axe-core in every state of the page, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import STILL, classified, faults, finished, opened, uploaded
from tests.helpers.served import make_service, serving

SCHEMES = ["light", "dark"]


@pytest.fixture(params=SCHEMES)
def shown(request: pytest.FixtureRequest, page: Page) -> Page:
    page.emulate_media(color_scheme=request.param, **STILL)
    return page


def test_axe_would_see_a_fault(page, site):
    opened(page, site.url)
    page.evaluate("document.querySelector('label[for=path]').remove()")
    page.evaluate("document.getElementById('path').removeAttribute('aria-describedby')")
    assert any(
        fault.startswith("label: ") or "aria-input-field-name" in fault for fault in faults(page)
    )


def test_choosing(shown, site):
    opened(shown, site.url)
    assert faults(shown) == []
    shown.locator("#path").press_sequentially("bass")
    expect(shown.get_by_role("option")).not_to_have_count(0)
    shown.keyboard.press("ArrowDown")
    assert faults(shown) == []
    shown.keyboard.press("Escape")
    uploaded(shown, name="mine.wav", content=(site.folder / "bass" / "bass-0.wav").read_bytes())
    assert faults(shown) == []


def test_working(shown, site):
    opened(shown, site.url)
    with site.service.scoring.turns.join():
        shown.locator("#path").fill("bass/bass-1.wav")
        shown.locator("#path").press("Enter")
        expect(shown.locator("#work-text")).to_contain_text("Waiting")
        assert faults(shown) == []
    finished(shown)


def test_results(shown, site):
    opened(shown, site.url)
    classified(shown, "odd/long.flac")
    shown.locator("#sections summary").click()
    assert faults(shown) == []
    classified(shown, "odd/cut.wav")  # with an error beside its genre
    expect(shown.locator("#history li")).to_have_count(2)
    assert faults(shown) == []
    shown.set_viewport_size({"width": 320, "height": 640})
    assert faults(shown) == []


def test_errors(shown, site):
    opened(shown, site.url)
    shown.locator("#path").fill("odd/broken.mp3")
    shown.locator("#path").press("Enter")
    expect(shown.get_by_role("alert")).to_be_visible()
    assert faults(shown) == []
    shown.goto(site.url + "nothing")
    assert faults(shown) == []


def test_the_token_is_asked_for(shown, music, checkpoint):
    with serving(make_service(music, checkpoint), token="a token of enough letters") as server:
        shown.goto(server.url)
        assert faults(shown) == []
        shown.get_by_label("Token").fill("guessed")
        shown.get_by_role("button", name="Enter").click()
        expect(shown.get_by_role("alert")).to_be_visible()
        assert faults(shown) == []
