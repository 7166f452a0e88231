"""The frame of all views: addresses, navigation, the browser's history."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from genrenet.utils.genre_colours import genre_slots
from tests.helpers.browser import classified, opened
from tests.helpers.served import make_service, serving


def test_addresses_hold_any_name(page, site):
    opened(page, site.url)
    names = ["AC/DC", "100% ünï", "a&b=c?d", "#1", "+ +"]
    found = page.evaluate(
        """async (names) => {
          const { address, parse } = await import("/static/router.js");
          return names.map((n) => parse(address("album", [n, n], { q: n, none: null })));
        }""",
        names,
    )
    assert found == [{"name": "album", "parts": [n, n], "query": {"q": n}} for n in names]


def test_the_navigation_says_where_one_is_and_back_goes_back(page, site):
    page.goto(site.url)
    heading = page.get_by_role("heading", name="Library")
    expect(heading).to_be_visible()
    links = page.get_by_role("navigation", name="Views").get_by_role("link")
    expect(links.filter(has_text="Library")).to_have_attribute("aria-current", "page")
    links.filter(has_text="Song").press("Enter")
    expect(page.get_by_label("Song in the music folder")).to_be_visible()
    expect(heading).to_be_hidden()
    expect(links.filter(has_text="Song")).to_have_attribute("aria-current", "page")
    expect(page.locator("#song-view-name")).to_be_focused()
    classified(page, "bass/bass-1.wav")
    classified(page, "treble/treble-1.wav")
    page.go_back()
    expect(page.locator("#result-name")).to_have_text("bass-1.wav")
    expect(page).to_have_title("bass · bass-1.wav · genrenet")
    page.go_back()
    expect(heading).to_be_focused()
    expect(page).to_have_title("Library · genrenet")
    page.go_forward()
    expect(page.locator("#result-name")).to_have_text("bass-1.wav")


def test_an_unknown_address_is_the_start(page, site):
    page.goto(site.url + "#/nothing/of/this")
    expect(page.get_by_role("heading", name="Library")).to_be_visible()


def test_without_a_library_the_page_says_how_to_get_one(page, music, checkpoint):
    with serving(make_service(music, checkpoint)) as server:
        page.goto(server.url)
        expect(page.get_by_label("Song in the music folder")).to_be_visible()
        expect(page.get_by_text("start the server with --library")).to_be_visible()
        expect(page.get_by_role("navigation")).to_be_hidden()
        expect(page.get_by_role("search")).to_be_hidden()


def test_the_page_and_the_server_agree_on_colours(page, site):
    opened(page, site.url)
    found = page.evaluate(
        """async (names) => {
          const { slotOf } = await import("/static/genre_colours.js");
          return names.map(slotOf);
        }""",
        ["bass", "middle", "treble", "zouk", "música", "𝄞"],
    )
    assert found[:3] == [*genre_slots(["bass", "middle", "treble"]).values()]
    for name, slot in zip(["zouk", "música", "𝄞"], found[3:], strict=True):
        assert genre_slots([name]) == {name: slot}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_hue_and_pattern_looks_different(page, site, scheme):
    page.emulate_media(color_scheme=scheme)
    opened(page, site.url)
    drawn = page.evaluate(
        """async () => {
          const { fixColours, swatch } = await import("/static/genre_colours.js");
          const names = [...Array(60).keys()].map((n) => `of ${n}`);
          fixColours(Object.fromEntries(names.map((name, n) => [name, n])));
          return names.map((name) => swatch(name).toDataURL());
        }"""
    )
    assert len({*drawn}) == 60
    assert all(re.match("data:image/png", each) for each in drawn)
