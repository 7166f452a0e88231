"""The library in a real browser: figures, bars, lists, search, the player, phones, axe-core."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import STILL, faults

pytestmark = pytest.mark.long

VIEWS = [
    "#/",
    "#/genre/jazz",
    "#/genre/jazz?show=albums",
    "#/artist/AC%2FDC",
    "#/album/Rock%20Hits?folder=Best%20of",
    "#/songs?state=error",
    "#/artists",
    "#/albums",
    "#/duplicates",
    "#/search?q=davies",
]


def shown(page: Page, url: str) -> Page:
    page.goto(url)
    expect(page.locator("#library")).not_to_be_empty()
    return page


def test_the_start_counts_and_opens_genres(page, shelf):
    shown(page, shelf.url)
    facts = page.get_by_role("list", name="The library in figures").get_by_role("listitem")
    expect(facts.first).to_have_text("9 songs")
    expect(facts.last).to_have_text("1 copy")
    bars = page.get_by_role("list", name="Genres").get_by_role("button")
    expect(bars.first).to_have_text(re.compile("rock.*4 songs.*44 %", re.S))
    jazz = bars.filter(has_text="jazz")
    jazz.press("Enter")
    expect(jazz).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("link", name="1 unsure song")).to_be_visible()
    expect(page.get_by_role("list", name="Artists").get_by_role("link")).to_have_text("Miles Davis")
    page.get_by_role("link", name=re.compile("modal")).click()
    expect(page.get_by_role("heading", name="modal")).to_be_focused()
    songs = page.get_by_role("list", name="Songs").get_by_role("listitem")
    expect(songs).to_have_count(1)
    expect(songs).to_contain_text("So What")
    page.go_back()
    expect(page.get_by_role("heading", name="Library")).to_be_focused()


def test_drill_down_from_genre_to_album_to_song(page, shelf):
    shown(page, shelf.url + "#/genre/jazz")
    page.get_by_role("link", name="Albums").click()
    page.get_by_role("list", name="Albums").get_by_role("link", name="Kind of Blue").click()
    songs = page.get_by_role("list", name="Songs of Kind of Blue").get_by_role("listitem")
    expect(songs).to_have_count(2)
    expect(songs.first).to_contain_text(re.compile("Freddie Freeloader.*jazz.*40 %.*unsure", re.S))
    page.get_by_role("link", name="Miles Davis", exact=True).click()
    expect(page.get_by_role("list", name="Songs").get_by_role("listitem")).to_have_count(3)
    page.get_by_role("list", name="Songs").get_by_role("link", name="So What").first.click()
    expect(page.get_by_label("Song in the music folder")).to_have_value(re.compile("So What.wav"))


def test_a_search_with_typing_errors_leads_to_songs_by_keys(page, shelf):
    shown(page, shelf.url)
    page.get_by_role("searchbox", name="Search the library").fill("bjorg joga")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search: bjorg joga")).to_be_focused()
    expect(page.get_by_text("No exact match")).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text("2 songs found")
    songs = page.get_by_role("list", name="Songs").get_by_role("listitem")
    expect(songs).to_have_text([re.compile("Jóga"), re.compile(r"Jóga \(live\)")])
    page.get_by_role("searchbox").press("ArrowDown")
    expect(page.get_by_role("link", name="Jóga", exact=True)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Jóga (live)", exact=True)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#path")).to_have_value("Best of/CD2/Jóga.wav")
    page.get_by_role("searchbox").fill("qqqqqq")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nothing similar was found.")).to_be_visible()


def test_songs_play_in_place_one_after_the_other(page, shelf):
    shown(page, shelf.url + "#/artist/AC%2FDC")
    page.get_by_role("button", name="Play Sin City by AC/DC").click()
    player = page.get_by_role("complementary", name="Player")
    expect(player).to_contain_text("Sin City")
    expect(page.get_by_role("status").first).to_have_text("Playing Sin City by AC/DC")
    expect(player.get_by_role("button", name="Pause")).to_be_visible()
    expect(player).to_contain_text("Riff Raff")  # it lasts two seconds
    expect(page.locator(".track[aria-current]")).to_contain_text("Riff Raff")
    expect(player.get_by_role("button", name="Next song")).to_have_attribute(
        "aria-disabled", "true"
    )
    page.get_by_role("link", name="Library").click()
    expect(player).to_be_visible()
    player.get_by_role("button", name="Close the player").click()
    expect(player).to_be_hidden()
    page.goto(shelf.url + "#/genre/jazz")
    page.get_by_role("button", name="Play all").click()
    expect(player).to_contain_text("Freddie Freeloader")


def test_a_list_is_kept_as_a_playlist(page, shelf):
    shown(page, shelf.url + "#/genre/jazz")
    button = page.get_by_role("button", name="Save as playlist")
    button.press("Enter")
    name = page.get_by_label("Name of the playlist")
    expect(name).to_be_focused()
    expect(name).to_have_value("jazz")
    expect(page.get_by_role("button", name="Save in the music folder")).to_be_hidden()
    with page.expect_download() as download:
        name.press("Enter")
    assert download.value.suggested_filename == "jazz.m3u8"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("#EXTM3U\n#PLAYLIST:jazz\n#EXTINF:60,Miles Davis - Freddie Freeloader\n")
    assert "\nMiles Davis/Kind of Blue/So What.wav\n" in text
    name.fill("/")
    name.press("Enter")
    expect(page.locator(".keeper [role=status]")).to_contain_text("The playlist's name")
    assert faults(page) == []
    name.press("Escape")
    expect(button).to_be_focused()


def test_what_cannot_be_shown_has_an_alert(page, shelf):
    shown(page, shelf.url)
    page.route("**/api/library/**", lambda route: route.abort())
    page.route("**/api/health", lambda route: route.abort())
    for name in ("#/songs", "#/"):
        page.evaluate("(to) => { location.hash = to; }", name)
        alert = page.locator("main > section:not([hidden])").get_by_role("alert")
        expect(alert).to_contain_text("The server does not respond")
    page.route("**/map_view.js", lambda route: route.abort())
    page.get_by_role("link", name="Map", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("This view cannot be loaded")


def test_long_lists_come_in_parts(page, shelf):
    shown(page, shelf.url)
    page.evaluate(
        """async () => {
          const { PagedList } = await import("/static/paged_list.js");
          const { make } = await import("/static/dom.js");
          const load = async (offset, limit) => ({
            rows: [...Array(120).keys()].slice(offset, offset + limit), total: 120 });
          const item = (n) => make("li", {}, make("a", { href: "#/songs" }, `row ${n}`));
          const list = new PagedList({ load, item, label: "Rows", noun: "row" });
          document.getElementById("main").append(list.element);
          await list.more();
        }"""
    )
    rows = page.get_by_role("list", name="Rows").get_by_role("listitem")
    expect(rows).to_have_count(50)
    expect(page.get_by_text("50 of 120 rows")).to_be_visible()
    page.get_by_role("button", name="Show 50 more").press("Enter")
    expect(page.get_by_role("link", name="row 50", exact=True)).to_be_focused()
    page.get_by_role("button", name="Show 20 more").press("Enter")
    expect(rows).to_have_count(120)
    expect(page.get_by_role("button", name=re.compile("Show"))).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(page, shelf, scheme):
    page.emulate_media(color_scheme=scheme, **STILL)
    for view in VIEWS if scheme == "light" else VIEWS[1:2]:
        shown(page, shelf.url + view)
        expect(page.locator("main > section:not([hidden]) li").first).to_be_visible()
        assert faults(page) == [], view
    page.goto(shelf.url)
    page.locator(".genre-bar").first.click()
    page.locator(".opened .group").first.wait_for()
    page.goto(shelf.url + "#/genre/rock")
    page.locator(".track .play").first.click()
    assert faults(page) == []


def test_every_view_fits_a_phone(page, shelf):
    page.set_viewport_size({"width": 320, "height": 640})
    for view in VIEWS:
        shown(page, shelf.url + view)
        expect(page.locator("main > section:not([hidden]) li").first).to_be_visible()
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0, view
        small = page.evaluate(
            """() => [...document.querySelectorAll(
                "button, input:not([type=checkbox]), label.check, summary, .links a, nav a")]
              .filter((each) => each.checkVisibility())
              .filter((each) => each.getBoundingClientRect().height < 44)
              .map((each) => each.outerHTML)"""
        )
        assert small == [], view
