"""The map in a real browser: moving, choosing, frames, more and less, paths, phones, axe-core."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.helpers.browser import STILL, faults
from tests.helpers.served import make_service, scan_of, serving

pytestmark = pytest.mark.long


def opened(page: Page, site, query: str = "") -> Locator:
    """The map, when it is drawn; its element."""
    page.goto(f"{site.url}#/map{query}")
    box = page.get_by_role("application", name="Map of the songs")
    expect(box).to_be_visible(timeout=60_000)
    expect(rows(page)).not_to_have_count(0)
    return box


def rows(page: Page) -> Locator:
    """The songs of the list beside the map."""
    return page.locator(".map-side ol > li")


def listed(page: Page, name: str) -> Locator:
    """The songs of a list, when it is there."""
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    return rows(page)


def hues(page: Page) -> int:
    """How many colours the points have."""
    return page.evaluate(
        """() => {
          const canvas = document.querySelector(".map-box canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const counts = new Map();
          for (const pixel of new Uint32Array(data.buffer)) {
            counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
          }
          return [...counts.values()].filter((count) => count > 40).length - 1; // the ground
        }"""
    )


def test_the_map_shows_songs_by_genre_and_lists_those_near_the_centre(page, site):
    box = opened(page, site)
    expect(
        page.get_by_text("Songs with similar genre scores are close to each other.")
    ).to_be_visible()
    count = len(site.service.neighbours.sound)
    sight = page.get_by_text(re.compile(rf"^{count} of {count} songs in sight\.$"))
    expect(sight).to_be_visible()
    assert hues(page) >= 3
    for _ in range(6):
        box.press("+")
    for _ in range(9):
        box.press("ArrowLeft")
    expect(sight).to_be_hidden()
    box.press("0")
    expect(sight).to_be_visible()
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Whole map").click()
    expect(sight).to_be_visible()


def test_a_point_is_drawn_where_the_window_says(page, site):
    opened(page, site)
    found = page.evaluate(
        """async () => {
          const { MapWindow } = await import("/static/map_window.js");
          const { Raster } = await import("/static/map_raster.js");
          const canvas = document.createElement("canvas");
          const raster = new Raster(canvas);
          raster.resize(300, 200);
          const genres = [{ genre: "bass" }, { genre: "treble" }];
          raster.colour(genres);
          const view = new MapWindow();
          view.resize(300, 200);
          view.zoom(3, 200, 50);
          view.move(17, -8);
          const points = { count: 1, x: [40000], y: [45000], genre: [1], genres };
          const found = [];
          for (const [shown, rough] of [[[1, 1], false], [[1, 1], true], [[1, 0], false]]) {
            raster.draw(points, view, shown, rough);
            const at = [view.left(40000), view.top(45000)].map(Math.floor);
            const { data } = canvas.getContext("2d").getImageData(...at, 1, 1);
            found.push([...data].join());
          }
          return [...found, view.nearest(points, [1, 1], view.left(40000) + 3, view.top(45000), 9)];
        }"""
    )
    fine, rough, faint, nearest = found
    assert len({fine, rough, faint}) == 3
    assert faint != "255,255,255,255"
    assert nearest == 0


def test_the_legend_leaves_some_genres(page, site):
    opened(page, site)
    legend = page.get_by_role("list", name="Genres on the map")
    bass = legend.get_by_role("button", name=re.compile("bass"))
    bass.press("Enter")
    expect(bass).to_have_attribute("aria-pressed", "true")
    expect(rows(page).filter(has_text="treble")).to_have_count(0)
    expect(rows(page).first).to_contain_text("bass")
    page.get_by_role("button", name="All genres").press("Enter")
    expect(bass).to_have_attribute("aria-pressed", "false")
    expect(bass.page.get_by_role("button", name="All genres")).to_be_hidden()


def test_a_song_under_the_pointer_is_told_and_plays(page, site):
    box = opened(page, site)
    spot = page.evaluate(
        """async () => {
          const { fetchMap } = await import("/static/map_data.js");
          const { MapWindow } = await import("/static/map_window.js");
          const points = await fetchMap();
          const { clientWidth, clientHeight } = document.querySelector(".map-box");
          const view = new MapWindow();
          view.resize(clientWidth, clientHeight);
          const [song] = await points.songs([0]);
          return [view.left(points.x[0]), view.top(points.y[0]), song.title];
        }"""
    )
    box.hover(position={"x": spot[0], "y": spot[1]})
    expect(page.locator(".map-tip")).to_have_text(re.compile(r"\w, \d+ %"))
    box.click(position={"x": spot[0], "y": spot[1]})
    expect(page.get_by_role("region", name=re.compile("^Chosen: "))).to_be_visible()
    expect(page.locator("#bar")).to_be_visible()


def test_more_and_less_like_songs_by_keys(page, site):
    box = opened(page, site)
    page.get_by_role("button", name=re.compile("bass")).first.press("Enter")
    box.press("Enter")
    chosen = page.get_by_role("region", name=re.compile("^Chosen: bass"))
    less = chosen.get_by_role("button", name="Less like this")
    expect(less).to_have_attribute("aria-disabled", "true")
    chosen.get_by_role("button", name="More like this").press("Enter")
    songs = listed(page, "Like these")
    expect(songs).to_have_count(20)
    expect(songs.first).to_contain_text("alike")
    expect(less).not_to_have_attribute("aria-disabled", "true")
    expect(chosen.get_by_role("button", name="More like this")).to_be_focused()
    songs.nth(1).get_by_role("button", name=re.compile("Less like")).press("Enter")
    unwanted = page.get_by_role("list", name="Less like").get_by_role("listitem")
    expect(unwanted).to_have_count(1)
    expect(page.get_by_role("heading", name="Like these")).to_be_focused()
    songs.nth(2).get_by_role("button", name=re.compile("More like")).press("Enter")
    wanted = page.get_by_role("list", name="More like").get_by_role("listitem")
    expect(wanted).to_have_count(2)
    page.reload()
    expect(wanted).to_have_count(2)
    unwanted.get_by_role("button", name=re.compile("Take out")).press("Enter")
    expect(unwanted).to_have_count(0)
    page.get_by_role("button", name="Close", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Near the centre")).to_be_focused()


def test_a_path_is_drawn_listed_and_kept(page, site):
    opened(page, site)
    page.get_by_role("searchbox", name="Find on the map").fill("bass 1")
    page.keyboard.press("Enter")
    found = listed(page, "Found: bass 1")
    expect(found).to_have_count(1)
    found.get_by_role("button", name=re.compile("Choose on the map")).click()
    page.get_by_role("button", name="Path from here").click()
    expect(page.get_by_text("choose a song on the map, or in a list")).to_be_visible()
    page.goto(f"{page.url}&to=treble%2Ftreble-1.wav")
    path = listed(page, "Path")
    expect(path).to_have_count(12)
    expect(path.first).to_contain_text("bass-1")
    expect(path.last).to_contain_text("treble-1")
    page.get_by_label("Songs in all").fill("5")
    page.keyboard.press("Enter")
    expect(path).to_have_count(5)
    assert "count=5" in page.url
    page.get_by_role("button", name="Save as playlist").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    lines = Path(download.value.path()).read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")][0::4] == [
        "bass/bass-1.wav",
        "treble/treble-1.wav",
    ]


def test_a_frame_around_songs_lists_them(page, site):
    box = opened(page, site)
    count = len(site.service.neighbours.sound)
    place = box.bounding_box()
    page.get_by_role("button", name="Frame songs").click()
    page.mouse.move(place["x"] + 4, place["y"] + 4)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] - 4, place["y"] + place["height"] - 4, steps=3)
    page.mouse.up()
    expect(listed(page, "In the frame")).to_have_count(count)
    expect(page.get_by_text(f"{count} songs.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save as playlist").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_text("utf-8").count(".wav") >= count
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="List all in sight").press("Enter")
    expect(listed(page, "In the frame")).to_have_count(count)


def test_a_map_of_another_library_is_fetched_again(page, music, checkpoint, tmp_path):
    root = tmp_path / "music"
    shutil.copytree(music, root)
    table = scan_of(root, checkpoint, tmp_path / "t.parquet")
    service = make_service(root, checkpoint, table=table)
    with serving(service) as server:
        box = opened(page, server)
        count = len(service.neighbours.sound)
        shutil.copy(root / "bass" / "bass-1.wav", root / "new.wav")
        with (root / "new.wav").open("ab") as file:
            file.write(b"more")
        scan_of(root, checkpoint, table)
        service.library.refresh(now=True)
        service.wait(60)
        box.press("Enter")
        page.get_by_role("button", name="More like this").click()
        listed(page, "Like these")
        page.get_by_role("button", name="Close", exact=True).click()
        expect(page.get_by_text(f"{count + 1} of {count + 1} songs in sight.")).to_be_visible()


def test_while_the_map_is_drawn_the_page_says_so(page, music, checkpoint, tmp_path):
    table = scan_of(music, checkpoint, tmp_path / "t.parquet")
    service = make_service(music, checkpoint, table=table)
    drawing = service.neighbours.map
    drawing.state = "drawing"
    with serving(service) as server:
        page.goto(f"{server.url}#/map?more=bass/bass-1.wav")
        expect(page.get_by_text(re.compile("is being computed"))).to_be_visible()
        expect(listed(page, "Like these")).not_to_have_count(0)
        drawing.state = "waiting"
        expect(page.get_by_role("application")).to_be_visible(timeout=60_000)
        expect(page.get_by_text(re.compile("is being computed"))).to_be_hidden()


def test_a_correction_is_seen_on_the_map(page, site):
    opened(page, site)
    legend = page.get_by_role("list", name="Genres on the map")
    before = int(legend.get_by_role("button", name="treble").inner_text().split()[-1])
    correct = "async (genre) => (await import('/static/api.js')).correct('bass/bass-1.wav', genre)"
    try:
        page.evaluate(correct, "treble")
        page.goto(f"{site.url}#/songs")
        page.get_by_role("link", name="Map").click()
        expect(legend.get_by_role("button", name=f"treble {before + 1}")).to_be_visible()
    finally:
        page.evaluate(correct, None)


def test_what_is_not_there_is_said(page, site):
    page.goto(f"{site.url}#/map?more=bass%2Fnone.wav")
    expect(page.get_by_role("alert")).to_contain_text("is no song of the scanned library")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_phones_need_no_sideways_scrolling(page, site, scheme):
    page.emulate_media(color_scheme=scheme, **STILL)
    box = opened(page, site)
    box.press("Enter")
    expect(page.get_by_role("region", name=re.compile("^Chosen: "))).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="More like this").click()
    listed(page, "Like these").first.get_by_role("button", name=re.compile("Less like")).click()
    expect(page.get_by_role("list", name="Less like")).to_be_visible()
    assert faults(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert faults(page) == []
    page.goto(f"{site.url}#/map?from=bass%2Fbass-1.wav&to=treble%2Ftreble-1.wav")
    listed(page, "Path")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_rows_and_pages_of_songs_lead_to_what_is_like_them(page, site):
    page.goto(f"{site.url}#/songs")
    page.get_by_role("link", name=re.compile("^More like bass-1")).first.click()
    expect(page.get_by_role("heading", name="Like these")).to_be_focused()
    expect(rows(page)).to_have_count(20)
    page.goto(f"{site.url}#/song?path=treble%2Ftreble-1.wav")
    page.get_by_role("link", name="On the map").click()
    expect(page.get_by_role("region", name=re.compile("^Chosen: treble-1"))).to_be_visible()
