"""The result in a real browser: timeline, keys, phones, and the session's history."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.helpers.browser import classified, finished, go, opened, uploaded

pytestmark = pytest.mark.long


def test_the_timeline_of_a_long_song_comes_while_it_is_listened_to(page, site):
    opened(page, site.url)
    page.evaluate(
        """() => {
          window.seen = [];
          const look = () => {
            const done = document.getElementById("work-text").textContent;
            const genres = document.querySelectorAll("#legend li").length;
            const busy = document.getElementById("result").getAttribute("aria-busy") === "true";
            if (busy && genres && !done.startsWith("Analysing: 360 ")) window.seen.push(done);
          };
          new MutationObserver(look).observe(document.getElementById("legend"), {childList: true});
        }"""
    )
    classified(page, "odd/long.flac")
    seen = page.evaluate("[...new Set(window.seen)]")
    assert seen
    assert all(re.fullmatch(r"Analysing: \d+ of 360 frames done", text) for text in seen)
    expect(page.locator("#result-mixed")).to_contain_text("Mixed: no genre leads for half")
    page.get_by_text("3 sections as a table").click()
    table = page.get_by_role("region", name="Sections").locator("tbody tr")
    cells = [re.findall(r"\d+:\d\d|[a-z]+", row) for row in table.all_inner_texts()]
    assert [row[2] for row in cells] == ["bass", "treble", "middle"]
    assert [row[0] for row in cells] == ["0:00", "3:00", "6:00"]
    page.get_by_role("button", name="Go to 6:00").click()
    expect(page.locator("#clock")).to_have_text("6:00 / 9:00")
    assert page.evaluate("document.getElementById('audio').currentTime") == pytest.approx(
        360, abs=1
    )
    # What is drawn under the middle of each section are three different colours.
    colours = page.evaluate(
        """() => {
          const canvas = document.querySelector("#strip canvas");
          const pen = canvas.getContext("2d");
          const [scale, row] = [canvas.width / 54, Math.round((canvas.height * 128) / 214)];
          return [17, 35, 53].map((at) => [...pen.getImageData(at * scale, row, 1, 1).data].join());
        }"""
    )
    assert len(set(colours)) == 3


def test_a_pointer_moves_in_the_timeline(page, site):
    classified(opened(page, site.url), "bass/bass-5.wav")
    expect(page.locator("#result-mixed")).to_be_hidden()
    strip = page.locator("#strip")
    box = strip.bounding_box()
    strip.hover(position={"x": box["width"] * 0.5, "y": 50})
    expect(page.locator("#readout")).to_have_text(re.compile(r"^0:02 · bass \d+ %, "))
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60)
    page.mouse.up()
    expect(strip).to_have_attribute("aria-valuetext", "0:03, bass")
    at = page.evaluate("document.getElementById('audio').currentTime")
    assert at == pytest.approx(3.5, abs=0.1)


def test_the_whole_of_it_works_by_keys_alone(page, site):
    opened(page, site.url)
    press, focused = page.keyboard.press, page.locator(":focus")
    press("Tab")
    expect(focused).to_have_text("Skip to the content")
    press("Enter")
    press("Tab")
    expect(focused).to_have_id("path")
    options, field = page.get_by_role("option"), page.locator("#path")
    press("ArrowDown")
    expect(options).to_have_text([re.compile(name) for name in ("bass", "middle", "odd", "treble")])
    expect(field).to_have_attribute("aria-expanded", "true")
    press("ArrowDown")
    press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "option-1")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    press("Enter")
    expect(field).to_have_value("middle/")
    expect(page.locator("#count")).to_have_text("8 matches")
    press("ArrowUp")  # from the field to the last one
    expect(field).to_have_attribute("aria-activedescendant", "option-7")
    press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    press("Escape")
    expect(field).to_have_value("")
    page.keyboard.type("middle-6")
    expect(options).to_have_count(1)
    press("ArrowDown")
    press("Enter")
    expect(field).to_have_value("middle/middle-6.wav")
    press("Enter")
    finished(page)
    for stop in ("choose", "", "wrong", "play", "volume", "strip"):
        press("Tab")
        expect(focused).to_have_text("GO") if not stop else expect(focused).to_have_id(stop)
    strip = page.get_by_role("slider", name="Position in the song")
    for key, at in {"ArrowRight": 5, "Home": 0, "PageUp": 5, "PageDown": 0, "End": 5}.items():
        press(key)
        expect(strip).to_have_attribute("aria-valuenow", str(at))
    press("Home")
    expect(strip).to_have_attribute("aria-valuetext", "0:00, middle")
    press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    press("Tab")
    expect(focused).to_have_text("1 section as a table")
    press("Enter")
    expect(page.get_by_role("region", name="Sections")).to_be_visible()


@pytest.mark.parametrize("width", [320, 360])
def test_it_fits_a_phone(page, site, width):
    page.set_viewport_size({"width": width, "height": 640})
    opened(page, site.url)

    def fits() -> None:
        document = "document.documentElement"
        assert page.evaluate(f"{document}.scrollWidth - {document}.clientWidth") == 0
        small = page.evaluate(
            """() => [...document.querySelectorAll(
                "button, input:not([type=file]), select, summary, [role=slider], [role=option]")]
              .filter((each) => each.checkVisibility())
              .filter((each) => each.getBoundingClientRect().height < 44)
              .map((each) => each.outerHTML)"""
        )
        assert small == []

    fits()
    page.locator("#path").press_sequentially("mid")
    expect(page.get_by_role("option")).not_to_have_count(0)
    fits()
    page.keyboard.press("Escape")
    long = "a name without any space that goes on and on_" * 3 + "x" * 60 + ".wav"
    uploaded(page, name=long, content=(site.folder / "middle" / "middle-1.wav").read_bytes())
    fits()
    go(page)
    finished(page)
    page.locator("#sections summary").click()
    fits()
    page.locator("#path").fill("odd/broken.mp3")
    go(page)
    expect(page.get_by_role("alert")).to_be_visible()
    fits()


def test_history_outlives_a_reload_and_asks_no_server(page, site):
    opened(page, site.url)
    uploaded(page, name="mine.wav", content=(site.folder / "bass" / "bass-0.wav").read_bytes())
    go(page)
    finished(page)
    classified(page, "treble/treble-2.wav")
    classified(page, "middle/middle-2.wav")
    classified(page, "treble/treble-2.wav")  # again: it moves to the top
    page.reload()
    finished(page)  # the address names the last song, and its result is at hand
    expect(page.locator("#result-genre")).to_have_text("treble")
    entries = page.locator("#history li button")
    expect(entries).to_have_text(
        [re.compile(name) for name in ("treble-2", "middle-2", "mine.wav")]
    )
    asked = []
    page.on(
        "request", lambda request: asked.append(request.url) if "/api/" in request.url else None
    )
    entries.nth(2).click()
    expect(page.locator("#result-genre")).to_have_text("bass")
    expect(page.locator("#result-name")).to_be_focused()
    expect(page.locator("#legend li")).to_have_text("bass, 100 % of the time")
    expect(page.get_by_text("The audio of an upload is no longer available")).to_be_visible()
    expect(entries.nth(2)).to_have_attribute("aria-current", "true")
    assert asked == []
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#history")).to_be_hidden()
    page.reload()
    expect(page.locator("#library")).not_to_be_empty()
    expect(page.locator("#history")).to_be_hidden()


def test_an_address_with_a_path_fills_the_field_and_starts_nothing(page, site):
    asked = []
    page.on("request", lambda request: asked.append(request.method))
    opened(page, site.url + "#path=" + quote("odd/100% söng.wav"))
    expect(page.locator("#path")).to_have_value("odd/100% söng.wav")
    assert "POST" not in asked


def test_many_genres_show_the_ten_best_and_the_others_on_demand(page, site):
    opened(page, site.url)
    page.evaluate(
        """async () => {
          const { fillScores } = await import("/static/scores.js");
          const { Palette } = await import("/static/genre_colours.js");
          const scores = {};
          for (let i = 0; i < 50; i += 1) scores[`genre ${i}`] = (i + 1) / 60;
          document.getElementById("result").hidden = false;
          const words = (await import("/static/models.js")).wordsOf(null);
          const palette = new Palette(Object.keys(scores));
          fillScores(document.getElementById("scores"), scores, palette, words);
        }"""
    )
    first = page.get_by_role("table", name="Scores of the genres").locator("tbody tr")
    expect(first).to_have_count(10)
    expect(first.first).to_have_text(re.compile(r"genre 49\s*83 %"))
    page.get_by_text("40 more genres").click()
    others = page.get_by_role("table", name="Scores of the other genres").locator("tbody tr")
    expect(others).to_have_count(40)
    expect(others.last).to_be_visible()
