"""A song of the library on its page: the scan's row, tags, other files, other models."""

from __future__ import annotations

import re
from urllib.parse import quote

import mutagen
import pytest
import torch
from playwright.sync_api import Page, expect

from genrenet.models.model import GenreModel
from tests.helpers.browser import STILL, classified, faults, finished, go, opened
from tests.helpers.library_tables import write_shelf, write_songs
from tests.helpers.served import make_service, serving

TAGS = ["calm", "guitar", "loud"]


@pytest.fixture(scope="module")
def url(checkpoint, tmp_path_factory):
    """A server of the shelf with two models, one of them a tagger."""
    root = tmp_path_factory.mktemp("songs") / "music"
    root.mkdir()
    write_songs(root)
    file = mutagen.File(root / "AC_DC/Powerage/01 Sin City.wav", easy=False)
    file.add_tags()
    file.tags.add(mutagen.id3.TCON(encoding=3, text=["Hard Rock"]))
    file.save()
    table = write_shelf(root, tmp_path_factory.mktemp("table") / "t.parquet")
    torch.manual_seed(0)
    tagger = GenreModel(TAGS, activation="sigmoid").eval()
    service = make_service(root, checkpoint, table=table, more={"tagger": tagger})
    with serving(service) as server:
        yield server.url


def song(page: Page, url: str, path: str) -> Page:
    return opened(page, f"{url}#/song?path={quote(path, safe='')}")


def test_a_scanned_song_is_shown_at_once_and_listened_to_on_demand(page, url):
    asked = []
    page.on("request", lambda request: asked.append(request.method))
    song(page, url, "Miles Davis/Kind of Blue/Freddie Freeloader.wav")
    expect(page.locator("#result-name")).to_have_text("Freddie Freeloader")
    expect(page.locator("#result-genre")).to_have_text("jazz")
    expect(page.locator("#result-confidence")).to_have_text(
        "unsure: 40 % confidence · also rock 30 %"
    )
    rows = page.get_by_role("table", name="Scores of the genres").locator("tbody tr")
    expect(rows.first).to_have_text(re.compile(r"jazz\s*40 %"))
    expect(page.locator("#strip")).to_be_hidden()
    expect(page.get_by_role("button", name="Wrong?")).to_be_visible()
    assert "POST" not in asked
    page.get_by_role("button", name="Show the timeline").click()
    finished(page)
    expect(page.locator("#strip")).to_be_visible()
    expect(page.get_by_role("button", name="Show the timeline")).to_be_hidden()
    page.get_by_role("link", name="Kind of Blue").click()
    expect(page.get_by_role("heading", name="Kind of Blue")).to_be_focused()
    page.go_back()
    expect(page.locator("#strip")).to_be_visible()  # from the history of the session


def test_tags_of_the_file_and_other_files_of_the_recording(page, url):
    song(page, url, "Best of/CD1/Sin City.mp3")
    files = page.locator("#song-facts .files a")
    expect(files).to_have_text(["AC_DC/Powerage/01 Sin City.wav", "Best of/CD1/Sin City.mp3"])
    expect(page.get_by_text("Files count as one recording if")).to_be_visible()
    files.first.click()
    expect(page.locator("#song-facts dl")).to_have_text(re.compile(r"Genre\s*Hard Rock"))


def test_songs_that_are_no_music_or_could_not_be_read_say_so(page, url):
    song(page, url, "sounds/rain.wav")
    expect(page.locator("#result-genre")).to_have_text("not music")
    song(page, url, "sounds/broken.mp3")
    expect(page.locator("#result-notes .problem")).to_contain_text("No audio in")
    expect(page.locator("#verdict")).to_be_hidden()


def test_two_models_are_compared_side_by_side(page, url):
    page.emulate_media(**STILL)
    song(page, url, "Miles Davis/So What.wav")
    page.get_by_label("Other model").select_option("tagger")
    page.get_by_role("button", name="Compare").press("Enter")
    sides = page.locator("#compared article")
    expect(sides).to_have_count(2)
    expect(sides.first).to_contain_text(re.compile("small.*jazz.*90 % confidence", re.S))
    expect(sides.last).to_contain_text(re.compile("tagger.*% score", re.S))
    tags = page.get_by_role("table", name="Scores of the tags by tagger").locator("tbody tr")
    assert {row.split()[0] for row in tags.all_inner_texts()} == {*TAGS}
    expect(page.locator("#compare-said")).to_contain_text("small predicts jazz, tagger predicts")
    assert faults(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    assert faults(page) == []


def test_what_a_tagger_says_are_tags(page, url):
    opened(page, url)
    expect(page.get_by_label("Model", exact=True).get_by_role("option").last).to_have_text(
        "tagger (3 tags)"
    )
    page.get_by_label("Model", exact=True).select_option("tagger")
    classified(page, "Miles Davis/So What.wav")
    expect(page.locator("#result-kind")).to_have_text("Most likely tag")
    expect(page.locator("#result-confidence")).to_contain_text("% score")
    expect(page.get_by_role("table", name="Scores of the tags")).to_be_visible()
    page.locator("#sections summary").click()
    expect(page.get_by_role("columnheader", name="Tag", exact=True).last).to_be_visible()
    expect(page.get_by_role("list", name="Tags in the timeline")).to_be_visible()
    for part in (".answer", "#timeline"):
        assert "genre" not in page.locator(part).inner_text().lower()


def test_what_was_compared_is_not_said_of_another_song(page, url):
    song(page, url, "Miles Davis/So What.wav")
    page.get_by_role("button", name="Compare").click()
    page.locator("#path").fill("AC_DC/Powerage/02 Riff Raff.wav")
    go(page)
    finished(page)
    expect(page.locator("#compared article")).to_have_count(0)
    expect(page.locator("#compare-said")).to_have_text("")
